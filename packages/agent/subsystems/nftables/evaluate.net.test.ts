// The definition of what rules mean (core/explain/evaluate.ts) against the real kernel: random rules, groups and
// packets, sent for real through a node to which the compiled table is applied as the agent applies it. Needs root.
import {
  devices,
  entriesOf,
  held,
  networkId,
  others,
  own,
  randomNetworkRules,
  randomPacket,
} from '@powernode/core/compile/firewall/random-rules.fixture';
import {
  type EvaluatedPacket,
  evaluate,
  type NetworkRules,
  type RuleVerdict,
} from '@powernode/core/explain/evaluate';
import type { EntryValue } from '@powernode/core/wire/document';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { noListeners } from '../../apply/kernel-machine.ts';
import { FilteringNode, keyOf } from '../../fixtures/filtering-node.ts';
import { systemClock } from '../../ports/clock.ts';
import { interfaceNamed, member, rule } from './chains/documents.fixture.ts';
import { rulesetFor } from './chains/rulesets.fixture.ts';
import type { Ruleset } from './model.ts';
import { NftTable } from './table.ts';

const isRoot = process.platform === 'linux' && process.getuid?.() === 0;
const samples = 40;
const packetsForEach = 60;
const seed = Number(process.env['POWERNODE_TEST_SEED'] ?? Date.now() % 1_000_000);

const localPairs = [own, held, ...devices];
/** Between anybody and the node or its devices, these among themselves included. */
const packet = fc
  .oneof({ weight: 4, arbitrary: randomPacket(localPairs) }, randomPacket(devices, [own, ...devices]))
  .filter(({ source, destination }) => source !== destination);

/** Where the node evaluates a packet: for itself and for its devices, where it begins and where it arrives. */
function verdictOf(
  sent: EvaluatedPacket,
  networkRules: NetworkRules,
): { verdict: RuleVerdict['verdict']; because: string } {
  const isLocal = (address: string) =>
    localPairs.some((pair) => (pair as readonly string[]).includes(address));
  const directions = [
    ...(isLocal(sent.source) ? (['egress'] as const) : []),
    ...(isLocal(sent.destination) ? (['ingress'] as const) : []),
  ];
  for (const direction of directions) {
    const { verdict, rule: decisive } = evaluate({ ...sent, direction }, networkRules);
    if (verdict !== 'accept') return { verdict, because: `${direction} ${JSON.stringify(decisive)}` };
  }
  return { verdict: 'accept', because: 'nothing stands against it' };
}

describe.skipIf(!isRoot)(`packets in a real kernel (POWERNODE_TEST_SEED=${seed})`, () => {
  let around: FilteringNode;
  let table: NftTable;
  let loaded: Ruleset | null = null;
  let sent = 0;

  beforeAll(async () => {
    around = await FilteringNode.open({ own: [own, held], neighbours });
    table = new NftTable({ ...noListeners, run: around.node, clock: systemClock });
  });
  afterAll(() => around.end());

  async function apply(entries: readonly EntryValue[]): Promise<void> {
    const wanted = rulesetFor([...entries, ...hub], { previous: loaded });
    await table.load(wanted, loaded === null ? 'whole' : 'change');
    loaded = wanted;
  }

  /** What became of each packet. */
  async function send(
    packets: readonly EvaluatedPacket[],
    isRefused: (at: number) => boolean,
  ): Promise<string[]> {
    await around.clear();
    // An answer to an earlier packet may be late, so each has a number of its own.
    const from = sent;
    sent += packets.length;
    around.send(packets.map((one, i) => ({ id: from + i, ...one })));
    // Long after anybody would go on waiting, so that what never comes is told by name.
    const giveUpAtMs = Date.now() + 20_000;
    const comes = async (isThere: () => Promise<boolean>) => {
      while (!(await isThere())) if (Date.now() > giveUpAtMs) return;
    };
    let entered = new Set<string>();
    await comes(async () => {
      entered = await around.seen('entered');
      return packets.every((one) => entered.has(keyOf(one)));
    });
    // What came to the rules was evaluated at once; an answer to it takes its time.
    const passed = await around.seen('passed');
    await comes(async () => {
      await around.seen('entered');
      return packets.every((_, i) => !isRefused(i) || around.refused().has(from + i));
    });
    const refused = around.refused();
    return packets.map((one, i) => {
      if (!entered.has(keyOf(one))) return 'never came';
      return passed.has(keyOf(one)) ? 'accept' : refused.has(from + i) ? 'reject' : 'drop';
    });
  }

  test(`are evaluated as the definition has it, ${samples * packetsForEach} of them`, {
    timeout: 600_000,
  }, async () => {
    const many = fc.uniqueArray(packet, {
      minLength: packetsForEach,
      maxLength: packetsForEach,
      selector: keyOf,
    });
    const verdicts = { accept: 0, drop: 0, reject: 0 };
    for (const [networkRules, packets] of fc.sample(fc.tuple(randomNetworkRules(40), many), {
      numRuns: samples,
      seed,
    })) {
      await apply(entriesOf(networkRules));
      const wanted = packets.map((one) => verdictOf(one, networkRules));
      const found = await send(packets, (id) => wanted[id]?.verdict === 'reject');
      const wrong = packets.flatMap((one, id) => {
        const { verdict, because } = wanted[id] ?? { verdict: 'drop', because: '' };
        return verdict === found[id] ? [] : [{ ...one, wanted: verdict, because, found: found[id] }];
      });
      expect(wrong).toEqual([]);
      for (const { verdict } of wanted) verdicts[verdict]++;
    }
    // Each of them is there often enough for the comparison to mean something.
    expect(Math.min(...Object.values(verdicts))).toBeGreaterThan((samples * packetsForEach) / 20);
  });

  test('are counted for the rule that decides', async () => {
    const [far] = others;
    if (far === undefined) throw new Error('nobody else is there');
    const networkRules: NetworkRules = {
      rules: [
        rule(1, {
          action: 'drop',
          from: { kind: 'host', addresses: [...far] },
          protocol: 'udp',
          ports: [21_001, 21_009],
        }),
        rule(2, { action: 'reject', from: { kind: 'group', group: 'web' }, protocol: 'icmp6' }),
        rule(3, { action: 'accept', from: { kind: 'all' }, protocol: 'udp', ports: [21_010, 21_010] }),
      ],
      members: [member('web', ...far)],
      defaultPolicy: 'drop',
    };
    await apply(entriesOf(networkRules));
    await table.look();
    const before = new Map(table.ruleCounts);
    const [six, four] = far;
    const to = { destination: own[0], direction: 'ingress' as const };
    const packets: EvaluatedPacket[] = [
      { ...to, source: six, protocol: 'udp', port: 21_005 },
      { ...to, source: four, destination: own[1], protocol: 'udp', port: 21_009 },
      { ...to, source: six, protocol: 'icmp6', port: null },
      { ...to, source: six, protocol: 'udp', port: 21_010 },
    ];
    expect(await send(packets, (id) => id === 2)).toEqual(['drop', 'drop', 'reject', 'accept']);
    await table.look();
    const counted = (id: string) => (table.ruleCounts.get(id)?.packets ?? 0) - (before.get(id)?.packets ?? 0);
    expect(['rule-1', 'rule-2', 'rule-3'].map(counted)).toEqual([2, 1, 1]);
  });

  test('that answer, or belong to what was let in, are not evaluated again', async () => {
    const [far = own] = others;
    const inward: EvaluatedPacket = {
      direction: 'ingress',
      source: far[0],
      destination: own[0],
      protocol: 'icmp6',
      port: null,
    };
    const open: NetworkRules = {
      rules: [rule(1, { from: { kind: 'host', addresses: [...far] } })],
      members: [],
      defaultPolicy: 'drop',
    };
    await apply(entriesOf(open));
    expect(await send([inward], () => false)).toEqual(['accept']);
    // The node may ask and be answered, though nothing may come in by itself.
    const closed: NetworkRules = { rules: [], members: [], defaultPolicy: 'drop' };
    await apply(entriesOf(closed));
    expect(await around.node.must('ping', '-c', '1', '-W', '5', '-I', own[0], far[0])).toContain(
      ' 0% packet loss',
    );
    expect(await send([inward], () => false)).toEqual(['drop']);
  });
});

/** Each device has an interface for itself, so that packets from one to the other come by here. */
const neighbours = [
  ...devices.map((pair, i) => ({ interface: `wg-test-${10 + i}`, addresses: [pair] })),
  { interface: 'wg-test-1', addresses: others },
];

const hub: readonly EntryValue[] = [
  ...neighbours.map((one) => interfaceNamed(one.interface, networkId, { purpose: 'leaf' })),
  { kind: 'forwarding', network_id: networkId, handle: 'test' },
];
