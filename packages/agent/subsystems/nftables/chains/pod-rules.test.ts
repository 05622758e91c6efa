// The rules for pods of a cluster on this machine, accepted by the real nft where there is one.
import { networkId, own } from '@powernode/core/compile/firewall/random-rules.fixture';
import type { EntryValue } from '@powernode/core/wire/document';
import { expect, test } from 'vitest';
import { hubAndSpoke, rules } from './documents.fixture.ts';
import { chainOf, rulesetFor } from './rulesets.fixture.ts';

const pods = (prefix: string): EntryValue => ({
  kind: 'pods',
  key: `pods/${networkId}`,
  network_id: networkId,
  handle: 'test',
  prefix,
  interface: 'wg-test',
  next_hops: null,
});

const slice = (prefix: string): EntryValue => ({
  kind: 'lan',
  key: `lan/${prefix}`,
  network_id: networkId,
  subnet_id: prefix,
  handle: 'test',
  prefix,
  local_prefix: prefix,
  source_nat: false,
});

const [own6, own4] = own;
const withPods = rulesetFor([...hubAndSpoke, ...rules, pods('10.42.0.0/16'), slice('10.42.1.0/24')]);

test('pods are forwarded and filtered as LANs are, and between them and the outside their cluster decides', () => {
  const forward = chainOf(withPods, 'pn_forward') ?? [];
  expect(forward).toContain('iifname != @pn_overlay oifname @pn_net_test ip saddr @pn_lan_test_4 accept');
  expect(forward.slice(forward.indexOf('oifname @pn_overlay drop'))).toEqual([
    'oifname @pn_overlay drop',
    'iifname != @pn_overlay oifname != @pn_overlay ip saddr { 10.42.1.0/24 } accept',
    'iifname != @pn_overlay oifname != @pn_overlay ip daddr { 10.42.1.0/24 } accept',
    'meta nfproto ipv6 drop',
    'meta nfproto ipv4 drop',
  ]);
  expect(chainOf(withPods, 'pn_lan_in')).toEqual([
    'iifname @pn_net_test ip daddr { 10.42.1.0/24 } goto pn_in_test',
  ]);
});

test('packets of pods and for pods keep their addresses, but for what a service has led to another node', () => {
  expect(chainOf(withPods, 'pn_lan_leaving')).toEqual([
    `oifname @pn_net_test ip daddr 10.42.0.0/16 ct status dnat iifname @pn_overlay snat ip to ${own4}`,
    `oifname @pn_net_test ip daddr 10.42.0.0/16 ct status dnat ip saddr != 10.42.0.0/16 snat ip to ${own4}`,
    'oifname @pn_net_test ip saddr 10.42.0.0/16 snat ip to ip saddr',
    'oifname @pn_net_test ip daddr 10.42.0.0/16 snat ip to ip saddr',
  ]);
  const six = rulesetFor([...hubAndSpoke, ...rules, pods('fd42::/56'), slice('fd42:0:0:1::/64')]);
  expect(chainOf(six, 'pn_lan_leaving')).toEqual([
    `oifname @pn_net_test ip6 daddr fd42::/56 ct status dnat iifname @pn_overlay snat ip6 to ${own6}`,
    `oifname @pn_net_test ip6 daddr fd42::/56 ct status dnat ip6 saddr != fd42::/56 snat ip6 to ${own6}`,
    'oifname @pn_net_test ip6 saddr fd42::/56 snat ip6 to ip6 saddr',
    'oifname @pn_net_test ip6 daddr fd42::/56 snat ip6 to ip6 saddr',
  ]);
});

test('pods reach their own node under the ingress rules, and nobody else outside does', () => {
  const outside = chainOf(withPods, 'pn_outside') ?? [];
  const entrance = `ip saddr { 10.42.1.0/24 } ip daddr { ${own4} } goto pn_in_test`;
  expect(outside).toContain(entrance);
  expect(outside.indexOf(entrance)).toBeLessThan(outside.indexOf('ip daddr @pn_own_4 drop'));
});

test('a machine without a slice has none of them', () => {
  const without = rulesetFor([...hubAndSpoke, ...rules, pods('10.42.0.0/16'), slice('192.168.7.0/24')]);
  expect(chainOf(without, 'pn_lan_leaving')).toBeUndefined();
  expect((chainOf(without, 'pn_outside') ?? []).join()).not.toContain('192.168.7.0');
  expect((chainOf(without, 'pn_forward') ?? []).join()).not.toContain('{ 192.168.7.0/24 }');
});
