// Compiled rules against the definition of what rules mean (explain/evaluate.ts), and what a change may cost.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { evaluate, type NetworkRules } from '../../explain/evaluate.ts';
import type { RuleEntry } from '../../wire/document.ts';
import { nodeDocumentOf } from '../../wire/node-document.fixture.ts';
import { compileFirewalls } from './compile.ts';
import { follow } from './follow.fixture.ts';
import { PortIntervals } from './lookup-table.ts';
import type { DecisionList, NetworkFirewall } from './model.ts';
import {
  devices,
  entriesOf,
  held,
  idNumbered,
  member,
  networkId,
  others,
  own,
  randomNetworkRules,
  randomPacket,
} from './random-rules.fixture.ts';
import { breadthOf, compareRules } from './rule-order.ts';

function compiled(networkRules: NetworkRules, previous: NetworkFirewall | null = null): NetworkFirewall {
  const before = previous === null ? null : new Map([[networkId, previous]]);
  const firewall = compileFirewalls(nodeDocumentOf(entriesOf(networkRules)), before).get(networkId);
  if (firewall === undefined) throw new Error('the network is not evaluated');
  return firewall;
}

describe('compiled rules', () => {
  test('evaluate every packet as the definition does', () => {
    fc.assert(
      fc.property(
        randomNetworkRules(30),
        fc.array(randomPacket([own, held, ...devices]), { minLength: 40, maxLength: 40 }),
        (networkRules, packets) => {
          const firewall = compiled(networkRules);
          for (const packet of packets) {
            const { verdict, rule } = evaluate(packet, networkRules);
            const outcome = follow(firewall, packet);
            expect({ packet, verdict: outcome.verdict }).toEqual({ packet, verdict });
            // Which of several equal rules is counted is left open; that it is one of them is not.
            const counted = networkRules.rules.find((one) => one.rule_id === outcome.ruleId) ?? null;
            expect(rankText(counted)).toBe(rankText(rule));
          }
        },
      ),
      { numRuns: 400 },
    );
  });

  test('are the same however they came about, and share what did not change', () => {
    fc.assert(
      fc.property(randomNetworkRules(20), randomNetworkRules(20), (before, after) => {
        const again = compiled(after, compiled(before));
        expect(comparable(again)).toEqual(comparable(compiled(after)));
        // Half of the rules are the same entries in both.
        const half = { ...after, rules: [...before.rules.slice(0, 9), ...after.rules.slice(9)] };
        expect(comparable(compiled(half, again))).toEqual(comparable(compiled(half)));
        const same = compiled(after, again);
        for (const direction of ['ingress', 'egress'] as const) {
          expect([...same[direction].inputs.tables.values()]).toEqual([
            ...again[direction].inputs.tables.values(),
          ]);
          for (const [id, table] of again[direction].inputs.tables) {
            expect(same[direction].inputs.tables.get(id) === table).toBe(true);
          }
        }
      }),
    );
  });

  test('change in one lookup table when one rule is added', () => {
    const [networkRules] = fc.sample(randomNetworkRules(60), { numRuns: 1, seed: 5 });
    if (networkRules === undefined) throw new Error('no sample');
    const before = compiled(networkRules);
    const added: RuleEntry = {
      kind: 'rule',
      network_id: networkId,
      rule_id: idNumbered(9999),
      direction: 'ingress',
      action: 'drop',
      from: { kind: 'host', addresses: ['fd00:99::77'] },
      to: { kind: 'all' },
      protocol: 'tcp',
      ports: [22, 22],
    };
    const after = compiled({ ...networkRules, rules: [...networkRules.rules, added] }, before);
    const changed = [...after.ingress.inputs.tables].filter(
      ([id, one]) => before.ingress.inputs.tables.get(id) !== one,
    );
    expect(changed.map(([id]) => id)).toEqual(['drop host any port6']);
    expect(after.egress.inputs.tables).toEqual(before.egress.inputs.tables);
    expect([...after.groups.values()].every((group) => before.groups.get(group.name) === group)).toBe(true);
    expect([...after.blocks.values()].every((block) => before.blocks.get(block.number) === block)).toBe(true);
  });

  test('leave out rules for groups that nobody here is in', () => {
    const rule = (to: string): RuleEntry => ({
      kind: 'rule',
      network_id: networkId,
      rule_id: idNumbered(to.length),
      direction: 'ingress',
      action: 'drop',
      from: { kind: 'all' },
      to: { kind: 'group', group: to },
      protocol: 'any',
      ports: null,
    });
    const networkRules: NetworkRules = {
      rules: [rule('here'), rule('elsewhere')],
      members: [member('here', own), member('elsewhere', others[0] ?? [])],
      defaultPolicy: 'accept',
    };
    const { ingress, groups } = compiled(networkRules);
    expect([...ingress.inputs.tables.keys()]).toEqual(['drop any group:here any']);
    expect([...groups.values()].map(({ name, addresses }) => [name, addresses])).toEqual([
      ['here', [...own]],
    ]);
  });
});

/** Two rules of one rank decide alike. */
function rankText(rule: RuleEntry | null): string | null {
  if (rule === null) return null;
  const length = rule.from.kind === 'cidr' ? rule.from.cidr.split('/')[1] : '';
  return `${rule.from.kind}${length} ${breadthOf(rule)} ${rule.action}`;
}

function comparable(firewall: NetworkFirewall) {
  const of = ({ inputs: _inputs, ...list }: DecisionList) => list;
  return { ...firewall, ingress: of(firewall.ingress), egress: of(firewall.egress) };
}

describe('port intervals', () => {
  test('assign each port once, to the first interval that was added', () => {
    const interval = fc
      .tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 20 }))
      .map(([first, more]) => [first, first + more] as const);
    fc.assert(
      fc.property(fc.array(interval, { maxLength: 30 }), (intervals) => {
        const ports = new PortIntervals();
        const taken = new Set<number>();
        for (const [first, last] of intervals) {
          const free = Array.from({ length: last - first + 1 }, (_, i) => first + i).filter(
            (port) => !taken.has(port),
          );
          const got = ports
            .add(first, last)
            .flatMap(([a, b]) => Array.from({ length: b - a + 1 }, (_, i) => a + i));
          expect(got).toEqual(free);
          for (const port of free) taken.add(port);
        }
      }),
    );
  });
});

describe('the order of rules', () => {
  const host = { kind: 'host', addresses: [...(others[0] ?? [])] } as const satisfies RuleEntry['from'];
  const named = (number: number, rule: Partial<RuleEntry>): RuleEntry => ({
    kind: 'rule',
    network_id: networkId,
    rule_id: idNumbered(number),
    direction: 'ingress',
    action: 'drop',
    from: host,
    to: { kind: 'all' },
    protocol: 'any',
    ports: null,
    ...rule,
  });

  test('lets the narrower of two rules with one selector decide first [9.37]', () => {
    const web: Partial<RuleEntry> = { action: 'accept', protocol: 'tcp', ports: [443, 443] };
    const networkRules: NetworkRules = {
      rules: [named(1, {}), named(2, web)],
      members: [],
      defaultPolicy: 'accept',
    };
    const packet = { direction: 'ingress', source: host.addresses[0] ?? '', destination: own[0] } as const;
    const verdictOf = (protocol: 'tcp' | 'udp' | 'icmp6', port: number | null) => {
      const asked = { ...packet, protocol, port };
      const { verdict } = evaluate(asked, networkRules);
      expect(follow(compiled(networkRules), asked).verdict).toBe(verdict);
      return verdict;
    };
    expect(verdictOf('tcp', 443)).toBe('accept');
    expect(verdictOf('tcp', 444)).toBe('drop');
    expect(verdictOf('udp', 443)).toBe('drop');
    expect(verdictOf('icmp6', null)).toBe('drop');
  });

  test('goes from one port by ranges and protocols to everything [9.37]', () => {
    const narrowFirst: Partial<RuleEntry>[] = [
      { protocol: 'udp', ports: [53, 53] },
      { protocol: 'any', ports: [53, 53] },
      { protocol: 'tcp', ports: [50, 53] },
      { protocol: 'any', ports: [50, 53] },
      { protocol: 'tcp' },
      { protocol: 'any', ports: [0, 65_535] },
      {},
    ];
    // The older ones are the broader ones, and they drop.
    const rules = narrowFirst.map((rule, i) =>
      named(100 - i, { ...rule, action: i % 2 === 0 ? 'accept' : 'drop' }),
    );
    expect([...rules].reverse().sort(compareRules)).toEqual(rules);
    // The selector comes before: the narrowest rule for everybody is after the broadest one for a machine.
    const forAll = named(1, { from: { kind: 'all' }, protocol: 'tcp', ports: [53, 53] });
    expect([forAll, ...rules].sort(compareRules).at(-1)).toBe(forAll);
  });

  test('is one order, whatever rules there are', () => {
    fc.assert(
      fc.property(randomNetworkRules(12), ({ rules }) => {
        const sorted = [...rules].sort(compareRules);
        for (const [i, a] of sorted.entries()) {
          for (const b of sorted.slice(i + 1)) expect(compareRules(a, b)).toBeLessThan(0);
        }
      }),
    );
  });
});
