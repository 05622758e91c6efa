// The rules that lead packets to the table of a network: which there are, how they are read, and what differs.
import { fnv1a } from '@powernode/core/compile/fnv';
import type { EntryValue } from '@powernode/core/wire/document';
import { nodeDocumentOf } from '@powernode/core/wire/node-document.fixture';
import { describe, expect, test } from 'vitest';
import { nothingObserved } from '../observed.ts';
import { asDocumented } from '../wireguard/calls.ts';
import { parsePolicyRules } from './look.ts';
import { policyRulesOf } from './rules.ts';
import { policyRules } from './subsystem.ts';
import { isSubnetTable, tablesOf } from './tables.ts';

function interfaceNamed(name: string, networkId: string, ...addresses: string[]): EntryValue {
  const of = { network_id: networkId, peer_id: 'p', public_key: 'k', listen_port: 0, mtu: 1420 };
  const purpose = addresses.length === 0 ? 'transit' : 'leaf';
  return { kind: 'interface', name, purpose, ...of, addresses, probe_addresses: [] };
}

function subnet(networkId: string, prefix: string): EntryValue {
  return {
    kind: 'subnet',
    key: `subnet/${networkId}-${prefix}`,
    network_id: networkId,
    subnet_id: `${networkId}-${prefix}`,
    prefix,
    peer_id: 'other',
    next_hop: 'fd00::9',
    preference: 100,
    by: [{ interface: 'wg-a', public_key: 'other' }],
  };
}

const lan: EntryValue = {
  kind: 'lan',
  key: 'lan/own',
  network_id: 'a',
  subnet_id: 'own',
  handle: 'a',
  prefix: '10.7.0.0/24',
  local_prefix: '192.168.1.0/24',
  source_nat: false,
};
const entries = [
  interfaceNamed('wg-a', 'a', 'fd00::1/128', '100.64.0.1/32'),
  interfaceNamed('wg-a-1', 'a'),
  interfaceNamed('wg-b', 'b', 'fd00:b::1/128'),
  subnet('a', '192.168.8.0/24'),
  subnet('a', '10.7.0.0/24'),
  lan,
];
const table = 0x5000_0000 + (fnv1a('a') & 0x0fff_ffff);
const golden = [
  `from ::/0 iif wg-a lookup ${table} pref 21200`,
  `from 0.0.0.0/0 iif wg-a lookup ${table} pref 21200`,
  `from ::/0 iif wg-a-1 lookup ${table} pref 21200`,
  `from 0.0.0.0/0 iif wg-a-1 lookup ${table} pref 21200`,
  `from 100.64.0.1/32 lookup ${table} pref 21201`,
  `from 192.168.1.0/24 lookup ${table} pref 21201`,
  `from fd00::1/128 lookup ${table} pref 21201`,
  'from ::/0 lookup main suppress_prefixlength 0 pref 21202',
  'from 0.0.0.0/0 lookup main suppress_prefixlength 0 pref 21202',
  `from ::/0 lookup ${table} pref 21203`,
  `from 0.0.0.0/0 lookup ${table} pref 21203`,
];

test('the rules of a machine with a prefix behind a peer of one of its networks', () => {
  expect(policyRulesOf(nodeDocumentOf(entries))).toEqual(golden);
});

test('where a network has pods, the main table is looked into without the agent’s interfaces', () => {
  const pods: EntryValue = {
    kind: 'pods',
    key: 'pods/a',
    network_id: 'a',
    handle: 'a',
    prefix: '10.42.0.0/16',
    interface: 'wg-a',
    next_hops: '100.64.0.0/18',
  };
  expect(policyRulesOf(nodeDocumentOf([...entries, pods]))).toEqual(
    golden.map((rule) =>
      rule.replace('suppress_prefixlength 0', 'suppress_prefixlength 0 suppress_ifgroup 212'),
    ),
  );
});

test('so it is where the main table has copies for routing daemons of the machine', () => {
  expect(policyRulesOf(nodeDocumentOf(entries), true)).toEqual(
    golden.map((rule) =>
      rule.replace('suppress_prefixlength 0', 'suppress_prefixlength 0 suppress_ifgroup 212'),
    ),
  );
});

test('there are none without such prefixes', () => {
  expect(policyRulesOf(nodeDocumentOf([interfaceNamed('wg-a', 'a', 'fd00::1/128')]))).toEqual([]);
});

test('each network has a table of its own, the same in each document', () => {
  const many = Array.from({ length: 50 }, (_, i) => subnet(`network-${i}`, '192.168.8.0/24'));
  const tables = tablesOf(nodeDocumentOf(many));
  expect(new Set(tables.values()).size).toBe(50);
  expect([...tables.values()].every(isSubnetTable)).toBe(true);
  expect(tablesOf(nodeDocumentOf(many.slice(7))).get('network-9')).toBe(tables.get('network-9'));
});

describe('what `ip -json rule show` prints', () => {
  test('is read as it was written, without the rules of others', () => {
    const six =
      '[{"priority":0,"src":"all","table":"local"},{"priority":21201,"src":"fd00::1","table":"1342177281","protocol":"212"},{"priority":21202,"src":"all","table":"main","suppress_prefixlen":0,"protocol":"212"},{"priority":32766,"src":"all","table":"main"}]';
    expect(parsePolicyRules(six, 6)).toEqual([
      'from fd00::1/128 lookup 1342177281 pref 21201',
      'from ::/0 lookup main suppress_prefixlength 0 pref 21202',
    ]);
    const four =
      '[{"priority":21200,"src":"all","iif":"wg-a","table":"1342177281","protocol":212},{"priority":21201,"src":"10.0.0.0","srclen":8,"table":"1342177281","protocol":"212"},{"priority":100,"src":"all","table":"7","protocol":"static"}]';
    expect(parsePolicyRules(four, 4)).toEqual([
      'from 0.0.0.0/0 iif wg-a lookup 1342177281 pref 21200',
      'from 10.0.0.0/8 lookup 1342177281 pref 21201',
    ]);
  });

  test('may pass over interfaces of a group', () => {
    const text =
      '[{"priority":21202,"src":"all","table":"main","suppress_prefixlen":0,"suppress_ifgroup":"212","protocol":"212"}]';
    expect(parsePolicyRules(text, 4)).toEqual([
      'from 0.0.0.0/0 lookup main suppress_prefixlength 0 suppress_ifgroup 212 pref 21202',
    ]);
  });

  test('may be nothing, and is refused when it is no list of rules', () => {
    expect(parsePolicyRules('', 6)).toEqual([]);
    expect(() => parsePolicyRules('{', 6)).toThrow('cannot be read');
    expect(() => parsePolicyRules('[{"src":"all"}]', 4)).toThrow('cannot be read');
  });
});

describe('the plan', () => {
  const planned = (found: readonly string[] | null, given: readonly EntryValue[] = entries) =>
    policyRules.plan(
      {
        document: nodeDocumentOf(given),
        observed: { ...nothingObserved, policyRules: found === null ? null : new Set(found) },
        scope: 'all',
        choices: new Map(),
        extraAllowedIps: new Map(),
        forwardingHeld: { ipv6: false, ipv4: false },
        writtenEndpoints: new Map(),
        calls: asDocumented,
        nowMs: 0,
      },
      [],
    );

  test('adds what is missing, and removes last what is too much', () => {
    const [first = '', ...others] = golden;
    expect(planned([...others, 'from ::/0 iif wg-old lookup 1342177299 pref 21200'])).toEqual({
      apply: [{ kind: 'add_policy_rule', rule: first }],
      finish: [{ kind: 'remove_policy_rule', rule: 'from ::/0 iif wg-old lookup 1342177299 pref 21200' }],
    });
    expect(planned(golden)).toEqual({ apply: [], finish: [] });
  });

  test('says that a kernel has no policy routing, where that is needed', () => {
    expect(planned(null).problems?.[0]).toMatchObject({ code: 'routing_failed' });
    expect(planned(null, [])).toEqual({});
  });
});
