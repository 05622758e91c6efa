// What the table says of BGP, as the real nft accepts it where there is one.

import { networkId } from '@powernode/core/compile/firewall/random-rules.fixture';
import type { EntryValue } from '@powernode/core/wire/document';
import { expect, test } from 'vitest';
import { hubAndSpoke } from './documents.fixture.ts';
import { chainOf, rulesetFor } from './rulesets.fixture.ts';

const bgp: readonly EntryValue[] = [
  {
    ...{ kind: 'bgp', key: `bgp/${networkId}`, network_id: networkId, as_number: 65_010 },
    ...{ router_id: '0.0.1.1', host_address: 'fd00:99::101', role: 'reflector' },
  },
  ...['fd00:99::103', 'fd00:99::102'].map(
    (host_address, i): EntryValue => ({
      ...{ kind: 'bgp_neighbor', key: `bgp_neighbor/${networkId}/${i}`, network_id: networkId },
      ...{ peer_id: String(i), host_address, role: 'client' },
    }),
  ),
];

const ofBgp = (rules: readonly string[] | undefined) =>
  rules?.filter((rule) => /\b(179|3784)\b/.test(rule)) ?? [];

test('sessions with neighbors pass before rules, in both directions, and nobody else reaches the daemons', () => {
  const ruleset = rulesetFor([...hubAndSpoke, ...bgp]);
  expect([...(ruleset.sets.get('pn_bgp_test')?.elements?.keys() ?? [])]).toEqual([
    'fd00:99::102',
    'fd00:99::103',
  ]);
  const arriving = 'ip6 saddr @pn_bgp_test ip6 daddr fd00:99::101';
  expect(ofBgp(chainOf(ruleset, 'pn_in_test'))).toEqual([
    `${arriving} tcp dport 179 accept`,
    `${arriving} tcp sport 179 tcp flags & (syn | ack) != syn accept`,
    `${arriving} udp dport { 3784, 3785, 4784 } accept`,
    'ip6 daddr fd00:99::101 tcp dport 179 drop',
    'ip6 daddr fd00:99::101 udp dport { 3784, 3785, 4784 } drop',
  ]);
  const leaving = 'ip6 saddr fd00:99::101 ip6 daddr @pn_bgp_test';
  expect(ofBgp(chainOf(ruleset, 'pn_out_test'))).toEqual([
    `${leaving} tcp dport 179 accept`,
    `${leaving} tcp sport 179 tcp flags & (syn | ack) != syn accept`,
    `${leaving} udp dport { 3784, 3785, 4784 } accept`,
  ]);
});

test('a network without BGP has nothing of it', () => {
  const ruleset = rulesetFor(hubAndSpoke);
  expect(ofBgp(chainOf(ruleset, 'pn_in_test'))).toEqual([]);
  expect(ruleset.sets.has('pn_bgp_test')).toBe(false);
});
