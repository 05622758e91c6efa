// Packets into and out of LANs against the definition of what rules mean, in the real kernel: random rules, and random
// packets between clients of a LAN behind the node and other peers. Needs root.
import {
  entriesOf,
  networkId,
  others,
  own,
  randomNetworkRules,
  randomPacket,
} from '@powernode/core/compile/firewall/random-rules.fixture';
import { evaluate } from '@powernode/core/explain/evaluate';
import type { EntryValue, RuleEntry } from '@powernode/core/wire/document';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { noListeners } from '../../../apply/kernel-machine.ts';
import { FilteringNode, keyOf } from '../../../fixtures/filtering-node.ts';
import { systemClock } from '../../../ports/clock.ts';
import type { Ruleset } from '../model.ts';
import { NftTable } from '../table.ts';
import { interfaceNamed, rule } from './documents.fixture.ts';
import { rulesetFor } from './rulesets.fixture.ts';

const isRoot = process.platform === 'linux' && process.getuid?.() === 0;
const samples = 15;
const packetsForEach = 40;
const seed = Number(process.env['POWERNODE_TEST_SEED'] ?? Date.now() % 1_000_000);

const clients = [
  ['fd00:7::5', '192.168.7.5'],
  ['fd00:7::85', '192.168.7.133'],
] as const;
const prefixes = ['fd00:7::/64', '192.168.7.0/24'];
const parts = [...prefixes, 'fd00:7::80/121', '192.168.7.128/25', 'fd00:7::5/128', '::/0'];

/** Sides of LANs, which the other random rules have none of. */
const lanRule = fc
  .record({
    direction: fc.constantFrom('ingress', 'egress', 'both'),
    action: fc.constantFrom('accept', 'drop', 'reject'),
    cidr: fc.constantFrom(...parts),
    isSource: fc.boolean(),
    protocol: fc.constantFrom('any', 'tcp', 'udp', 'icmp6'),
  })
  .map(({ cidr, isSource, ...rest }) => ({
    ...rest,
    [isSource ? 'from' : 'to']: { kind: 'cidr', cidr } as const,
  }));

const setting = fc.record({
  networkRules: randomNetworkRules(15),
  more: fc.array(lanRule, { maxLength: 8 }),
  packets: fc.uniqueArray(randomPacket(clients), {
    minLength: packetsForEach,
    maxLength: packetsForEach,
    selector: keyOf,
  }),
});

const other = interfaceNamed('wg-test-1', networkId, { purpose: 'leaf' });
const lans: readonly EntryValue[] = prefixes.map((prefix, i) => ({
  kind: 'lan',
  key: `lan/${i}`,
  network_id: networkId,
  subnet_id: String(i),
  handle: 'test',
  prefix,
  local_prefix: prefix,
  source_nat: false,
}));

describe.skipIf(!isRoot)(`packets of LANs in a real kernel (POWERNODE_TEST_SEED=${seed})`, () => {
  let node: FilteringNode;
  let table: NftTable;

  beforeAll(async () => {
    // The cable into the LAN has a name that the observers see; it is no interface of a network.
    const lan = { interface: 'wg-test-lan', addresses: clients };
    node = await FilteringNode.open({
      own: [own],
      neighbours: [lan, { interface: 'wg-test-1', addresses: others }],
    });
    table = new NftTable({ ...noListeners, run: node.node, clock: systemClock });
  });
  afterAll(() => node.end());

  test(`are evaluated as those of the peer in front, ${samples * packetsForEach} of them`, {
    timeout: 300_000,
  }, async () => {
    const verdicts = { accept: 0, drop: 0, reject: 0 };
    let loaded: Ruleset | null = null;
    for (const [run, one] of fc.sample(setting, { numRuns: samples, seed }).entries()) {
      const rules: RuleEntry[] = [
        ...one.networkRules.rules,
        ...one.more.map((part, i) => rule(10_000 + i, part)),
      ];
      const networkRules = { ...one.networkRules, rules };
      const wanted = rulesetFor([...entriesOf(networkRules), other, ...lans], { previous: loaded });
      await table.load(wanted, loaded === null ? 'whole' : 'change');
      loaded = wanted;
      await node.clear();
      const first = run * packetsForEach;
      node.send(one.packets.map((packet, i) => ({ ...packet, id: first + i })));
      const expected = one.packets.map((packet) => evaluate(packet, networkRules).verdict);
      const refusals = expected.flatMap((verdict, i) => (verdict === 'reject' ? [first + i] : []));
      await expect
        .poll(async () => {
          const entered = await node.seen('entered');
          return one.packets.every((packet) => entered.has(keyOf(packet)));
        }, patience)
        .toBe(true);
      await expect.poll(() => refusals.filter((id) => !node.refused().has(id)), patience).toEqual([]);
      const passed = await node.seen('passed');
      const found = one.packets.map((packet, i) => {
        if (passed.has(keyOf(packet))) return 'accept';
        return node.refused().has(first + i) ? 'reject' : 'drop';
      });
      const named = (list: readonly string[]) =>
        one.packets.map((packet, i) => `${packet.direction} ${keyOf(packet)}: ${list[i]}`);
      expect(named(found)).toEqual(named(expected));
      for (const verdict of expected) verdicts[verdict]++;
    }
    expect(Math.min(...Object.values(verdicts))).toBeGreaterThan((samples * packetsForEach) / 25);
  });
});

const patience = { timeout: 20_000, interval: 20 };
