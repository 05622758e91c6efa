// Listings as they were captured from nft 1.0.6, and what is read from them.
import { expect, test } from 'vitest';
import { readListing } from './listing.ts';

const head =
  '{"metainfo": {"version": "1.0.6", "release_name": "Lester Gooch #5", "json_schema_version": 1}}';
const table = '{"table": {"family": "inet", "name": "powernode", "handle": 3}}';
const chain =
  '{"chain": {"family": "inet", "table": "powernode", "name": "pn_forward", "handle": 1, "type": "filter", "hook": "forward", "prio": 0, "policy": "accept"}}';
const rule = (comment: string) =>
  `{"rule": {"family": "inet", "table": "powernode", "chain": "pn_forward", "handle": 6, ${comment}"expr": [{"drop": null}]}}`;
const ours = '"comment": "powernode 506162d4d0366ad7", ';
const sets = [
  '{"set": {"family": "inet", "name": "pn_overlay", "table": "powernode", "type": "ifname", "handle": 2, "elem": ["wg-abc-1", "wg-abc"]}}',
  '{"set": {"family": "inet", "name": "pn_active_leases6", "table": "powernode", "type": "ipv6_addr", "handle": 3, "flags": ["timeout"], "elem": [{"elem": {"val": "fd00::77", "timeout": 60, "expires": 59}}]}}',
  '{"set": {"family": "inet", "name": "pn_in_test_drop_host_any_range6", "table": "powernode", "type": ["ipv6_addr", "inet_proto", "inet_service"], "handle": 10, "flags": ["interval"], "elem": [{"elem": {"val": {"concat": ["fd00::1", 6, {"range": [80, 90]}]}, "comment": "rule-1", "counter": {"packets": 3, "bytes": 180}}}], "stmt": [{"counter": null}]}}',
  '{"set": {"family": "inet", "name": "pn_lan_test_4", "table": "powernode", "type": "ipv4_addr", "handle": 11, "flags": ["interval"], "elem": [{"prefix": {"addr": "10.7.0.0", "len": 24}}, "10.8.0.1"]}}',
  '{"map": {"family": "inet", "name": "pn_ingress", "table": "powernode", "type": "ifname", "handle": 7, "map": "verdict", "elem": [["wg-test", {"goto": {"target": "pn_in_test"}}]]}}',
  '{"map": {"family": "inet", "name": "pn_port_mappings_6", "table": "powernode", "type": ["ipv6_addr", "inet_proto", "inet_service"], "handle": 15, "map": "ipv6_addr . inet_service", "elem": [[{"concat": ["2001:db8::1", 6, 443]}, {"concat": ["fd00::9", 8443]}]]}}',
];
const counter =
  '{"counter": {"family": "inet", "name": "pn_evaluated", "table": "powernode", "handle": 34, "packets": 7, "bytes": 500}}';

function listing(...items: readonly string[]): string {
  return `{"nftables": [${[head, ...items].join(', ')}]}\n`;
}

test('the table as it was loaded', () => {
  const found = readListing(listing(table, counter, ...sets, chain, rule(ours), rule(ours)), 'whole');
  expect(found.chains).toEqual(
    new Map([
      [
        'pn_forward',
        { base: 'filter hook forward priority 0', rules: { count: 2, mark: '506162d4d0366ad7' } },
      ],
    ]),
  );
  const elements = (name: string) => [...(found.sets.get(name)?.elements ?? [])];
  expect(elements('pn_overlay')).toEqual([
    ['wg-abc-1', ''],
    ['wg-abc', ''],
  ]);
  expect(elements('pn_active_leases6')).toEqual([['fd00::77', '']]);
  expect(elements('pn_in_test_drop_host_any_range6')).toEqual([['fd00::1 . 6 . 80-90', 'rule-1']]);
  expect(elements('pn_lan_test_4')).toEqual([
    ['10.7.0.0/24', ''],
    ['10.8.0.1', ''],
  ]);
  expect(elements('pn_ingress')).toEqual([['wg-test', 'goto pn_in_test']]);
  expect(elements('pn_port_mappings_6')).toEqual([['2001:db8::1 . 6 . 443', 'fd00::9 . 8443']]);
  expect(found.sets.get('pn_port_mappings_6')).toMatchObject({
    kind: 'map',
    type: 'ipv6_addr . inet_proto . inet_service',
    data: 'ipv6_addr . inet_service',
  });
  expect(found.counts).toEqual([
    {
      set: 'pn_in_test_drop_host_any_range6',
      key: 'fd00::1 . 6 . 80-90',
      ruleId: 'rule-1',
      packets: 3,
      bytes: 180,
    },
  ]);
  expect(found.evaluated).toBe(7);
  expect(found.others).toEqual([]);
});

test('names alone, among those of other tables', () => {
  const elsewhere = (item: string) => item.replace('"powernode"', '"other"');
  const text = [
    listing(chain, elsewhere(chain)),
    listing(...sets.map((one) => one.replace(/, "elem": .*?\}\}$/, '}}')), ...sets.map(elsewhere)),
    listing(counter, elsewhere(counter).replace('7', '9')),
  ].join('');
  const found = readListing(text, 'names');
  expect(found.chains).toEqual(
    new Map([['pn_forward', { base: 'filter hook forward priority 0', rules: null }]]),
  );
  expect(found.sets.size).toBe(sets.length);
  expect([...found.sets.values()].every((one) => one.elements === null)).toBe(true);
  expect(found.evaluated).toBe(7);
});

test('rules of somebody else, or none, leave no mark', () => {
  const mark = (...rules: string[]) =>
    readListing(listing(table, chain, ...rules), 'whole').chains.get('pn_forward')?.rules?.mark;
  expect(mark(rule(ours), rule(''))).toBeNull();
  expect(mark(rule('"comment": "mine", '))).toBeNull();
  expect(mark()).toBeNull();
});

test('a chain elsewhere, or with another policy, is told apart', () => {
  const base = (text: string) => readListing(listing(table, text), 'whole').chains.get('pn_forward')?.base;
  expect(base(chain.replace('"forward"', '"input"'))).toBe('filter hook input priority 0');
  expect(base(chain.replace('"prio": 0', '"prio": 10'))).toBe('filter hook forward priority 10');
  expect(base(chain.replace('"accept"', '"drop"'))).toBe('filter hook forward priority 0 policy drop');
});

test('things of other kinds are noticed', () => {
  const flowtable =
    '{"flowtable": {"family": "inet", "name": "f", "table": "powernode", "handle": 4, "hook": "ingress", "prio": 0}}';
  expect(readListing(listing(table, flowtable), 'whole').others).toEqual(['flowtable']);
});

test('what cannot be read is refused and quoted', () => {
  expect(() => readListing('nothing', 'whole')).toThrow(/nft printed a listing that cannot be read: nothing/);
  expect(() => readListing('{"nftables": [{"chain": {"family": 6}}]}', 'whole')).toThrow(
    /cannot be read: \{"family":6\}/,
  );
});
