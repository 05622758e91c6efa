// The chains for LANs behind this machine, accepted by the real nft where there is one.
import { networkId } from '@powernode/core/compile/firewall/random-rules.fixture';
import type { LanEntry } from '@powernode/core/wire/routing-entries';
import { expect, test } from 'vitest';
import { hubAndSpoke, rules } from './documents.fixture.ts';
import { chainOf, readable, rulesetFor } from './rulesets.fixture.ts';

function lan(subnetId: string, prefix: string, more: Partial<LanEntry> = {}): LanEntry {
  return {
    kind: 'lan',
    key: `lan/${subnetId}`,
    network_id: networkId,
    subnet_id: subnetId,
    handle: 'test',
    prefix,
    local_prefix: prefix,
    source_nat: false,
    ...more,
  };
}

const elementsOf = (ruleset: ReturnType<typeof rulesetFor>, name: string) => [
  ...(ruleset.sets.get(name)?.elements?.keys() ?? []),
];

test('packets between a network and its LANs are forwarded, and filtered as those of this machine', () => {
  const ruleset = rulesetFor([
    ...hubAndSpoke,
    ...rules,
    lan('six', 'fd00:7::/64'),
    lan('four', '192.168.7.0/24'),
  ]);
  expect(chainOf(ruleset, 'pn_forward')).toEqual([
    'tcp flags & syn == syn iifname @pn_overlay tcp option maxseg size set rt mtu',
    'tcp flags & syn == syn oifname @pn_overlay tcp option maxseg size set rt mtu',
    'iifname @pn_relay_test oifname @pn_relay_test drop',
    'iifname @pn_overlay oifname != @pn_overlay ct mark & 0x08000000 == 0x08000000 goto pn_ended',
    'oifname @pn_overlay iifname != @pn_overlay ct mark & 0x08000000 == 0x08000000 goto pn_ended',
    'ct state established,related accept',
    'iifname @pn_net_test oifname @pn_net_test accept',
    'iifname @pn_net_test oifname != @pn_overlay ip6 daddr @pn_lan_test_6 accept',
    'iifname != @pn_overlay oifname @pn_net_test ip6 saddr @pn_lan_test_6 accept',
    'iifname @pn_net_test oifname != @pn_overlay ip daddr @pn_lan_test_4 accept',
    'iifname != @pn_overlay oifname @pn_net_test ip saddr @pn_lan_test_4 accept',
    'iifname @pn_overlay drop',
    'oifname @pn_overlay drop',
    'meta nfproto ipv6 drop',
    'meta nfproto ipv4 drop',
  ]);
  expect(chainOf(ruleset, 'pn_lan_in')).toEqual([
    'iifname @pn_net_test ip6 daddr { fd00:7::/64 } goto pn_in_test',
    'iifname @pn_net_test ip daddr { 192.168.7.0/24 } goto pn_in_test',
  ]);
  expect(chainOf(ruleset, 'pn_lan_out')).toEqual([
    'iifname != @pn_overlay oifname @pn_net_test ip6 saddr { fd00:7::/64 } goto pn_out_test',
    'iifname != @pn_overlay oifname @pn_net_test ip saddr { 192.168.7.0/24 } goto pn_out_test',
  ]);
  expect(readable(ruleset)).toMatch(/chain pn_lan_in \{\s*type filter hook forward priority 3;/);
  expect(readable(ruleset)).toMatch(/chain pn_lan_out \{\s*type filter hook forward priority 4;/);
  expect(ruleset.chains.get('pn_lan_arriving')).toBeUndefined();
  expect(ruleset.chains.get('pn_lan_leaving')).toBeUndefined();
  expect(chainOf(ruleset, 'pn_reject')?.length).toBe(2);
});

test('a translated LAN is filtered before and behind, in terms of the network', () => {
  const ruleset = rulesetFor([
    ...hubAndSpoke,
    ...rules,
    lan('site', '10.7.0.0/24', { local_prefix: '192.168.1.0/24' }),
    lan('plain', '192.168.7.0/24', { source_nat: true }),
  ]);
  expect(elementsOf(ruleset, 'pn_lan_test_4')).toEqual(['192.168.1.0/24', '192.168.7.0/24']);
  // What is sent to its own addresses untranslated meets no rule, so it is not forwarded.
  expect(chainOf(ruleset, 'pn_forward')).toContain(
    'iifname @pn_net_test oifname != @pn_overlay ip daddr @pn_lan_test_4 ct original ip daddr { 10.7.0.0/24, 192.168.7.0/24 } accept',
  );
  expect(elementsOf(ruleset, 'pn_lan_test_4_nat')).toEqual(['192.168.7.0/24']);
  expect(chainOf(ruleset, 'pn_lan_arriving')).toEqual([
    'iifname @pn_net_test dnat ip prefix to ip daddr map { 10.7.0.0/24 : 192.168.1.0/24 }',
  ]);
  expect(chainOf(ruleset, 'pn_lan_leaving')).toEqual([
    'oifname @pn_net_test snat ip prefix to ip saddr map { 192.168.1.0/24 : 10.7.0.0/24 }',
    'iifname @pn_net_test oifname != @pn_overlay ip daddr @pn_lan_test_4_nat masquerade',
  ]);
  expect(chainOf(ruleset, 'pn_lan_in')).toEqual([
    'iifname @pn_net_test ip daddr { 10.7.0.0/24, 192.168.7.0/24 } goto pn_in_test',
  ]);
  expect(readable(ruleset)).toMatch(/chain pn_lan_in \{\s*type filter hook prerouting priority -110;/);
  expect(readable(ruleset)).toMatch(/chain pn_lan_out \{\s*type filter hook postrouting priority 110;/);
  // No refusal can be sent from there.
  expect(chainOf(ruleset, 'pn_reject')).toEqual(['drop']);
});

test('LANs of two networks are apart, also with one prefix', () => {
  const other = { network_id: 'other', handle: 'bb' };
  const ruleset = rulesetFor([
    ...hubAndSpoke,
    lan('ours', '192.168.7.0/24'),
    lan('theirs', '192.168.7.0/24', other),
  ]);
  expect(chainOf(ruleset, 'pn_lan_in')).toEqual([
    'iifname @pn_net_bb ip daddr { 192.168.7.0/24 } goto pn_in_bb',
    'iifname @pn_net_test ip daddr { 192.168.7.0/24 } goto pn_in_test',
  ]);
  expect(elementsOf(ruleset, 'pn_lan_bb_4')).toEqual(['192.168.7.0/24']);
});

test('a prefix that is inside of another one of the same machine is no refusal of nft', () => {
  const ruleset = rulesetFor([
    ...hubAndSpoke,
    lan('wide', '192.168.0.0/16'),
    lan('narrow', '192.168.7.0/24'),
  ]);
  expect(chainOf(ruleset, 'pn_lan_in')).toEqual([
    'iifname @pn_net_test ip daddr { 192.168.0.0/16 } goto pn_in_test',
  ]);
  expect(elementsOf(ruleset, 'pn_lan_test_4')).toEqual(['192.168.0.0/16']);
});

test('without LANs there is nothing of them', () => {
  expect(readable(rulesetFor([...hubAndSpoke, ...rules]))).not.toContain('pn_lan');
});
