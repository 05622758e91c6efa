// The audit against a naive evaluation: what it calls shadowed never decides, and nothing that never decides is missed;
// what it calls redundant changes no verdict.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareRules } from '../compile/firewall/rule-order.ts';
import type { RuleModel } from '../compile/model.ts';
import { parseAddress } from '../net/address.ts';
import { contains, parsePrefix } from '../net/prefix.ts';
import { seededRandom } from '../testing/random.ts';
import type { RuleEntry, RuleSide } from '../wire/document.ts';
import { auditRules } from './audit.ts';
import { hooksOf } from './coverage.ts';
import { evaluate } from './evaluate.ts';
import type { Finding } from './findings.ts';
import { Dice, RandomNetwork, uuid } from './random-network.fixture.ts';

const runs = Number(process.env['RUNS'] ?? 150);

interface Kind {
  readonly hook: 'ingress' | 'egress';
  readonly protocol: 'tcp' | 'udp' | 'icmp6' | 'gre';
  readonly port: number;
}

const kinds: Kind[] = (['ingress', 'egress'] as const).flatMap((hook) => [
  { hook, protocol: 'icmp6', port: 0 },
  { hook, protocol: 'gre', port: 0 },
  ...[0, 1, 2, 3, 4].flatMap((port) => [
    { hook, protocol: 'tcp' as const, port },
    { hook, protocol: 'udp' as const, port },
  ]),
]);

/** For every packet there is: the rule that decides about it. */
function* decisions(
  network: RandomNetwork,
  rules: readonly RuleEntry[],
): Generator<[packet: string, decider: RuleEntry | null]> {
  const sorted = [...rules].sort(compareRules);
  const addresses = network.addresses();
  const named = new Map(
    sorted.flatMap(({ from, to }) =>
      [from, to].map(
        (side) =>
          [JSON.stringify(side), new Set(addresses.filter((one) => holds(network, side, one)))] as const,
      ),
    ),
  );
  for (const source of addresses) {
    for (const destination of addresses) {
      if (source.includes(':') !== destination.includes(':')) continue;
      const about = sorted.filter(
        ({ from, to }) =>
          named.get(JSON.stringify(from))?.has(source) && named.get(JSON.stringify(to))?.has(destination),
      );
      for (const kind of kinds)
        yield [
          `${source} ${destination} ${kind.hook} ${kind.protocol} ${kind.port}`,
          about.find((rule) => isAbout(rule, kind)) ?? null,
        ];
    }
  }
}

function isAbout(rule: RuleEntry, { hook, protocol, port }: Kind): boolean {
  if (!hooksOf(rule).includes(hook)) return false;
  if (rule.protocol !== 'any' && rule.protocol !== protocol) return false;
  return rule.ports === null || (rule.ports[0] <= port && port <= rule.ports[1]);
}

function holds(network: RandomNetwork, side: RuleSide, address: string): boolean {
  switch (side.kind) {
    case 'all':
      return true;
    case 'host':
      return side.addresses.includes(address);
    case 'group':
      return network.members().some((one) => one.group === side.group && one.addresses.includes(address));
    case 'cidr': {
      const prefix = parsePrefix(side.cidr);
      const parsed = parseAddress(address);
      return prefix !== null && parsed !== null && contains(prefix, parsed);
    }
  }
}

/** That the test and the definition mean the same, for some of the packets. */
function expectEvaluated(
  network: RandomNetwork,
  of: { readonly dice: Dice; readonly decided: readonly [packet: string, decider: RuleEntry | null][] },
): void {
  const networkRules = {
    rules: network.entries(),
    members: network.members(),
    defaultPolicy: 'accept' as const,
  };
  for (let i = 0; i < 10; i++) {
    const [packet, decider] = of.dice.one(of.decided);
    const [source = '', destination = '', direction, protocol, port] = packet.split(' ');
    if (protocol !== 'tcp' && protocol !== 'udp' && protocol !== 'icmp6') continue;
    if (direction !== 'ingress' && direction !== 'egress') continue;
    const at = {
      direction,
      source,
      destination,
      protocol,
      port: protocol === 'icmp6' ? null : Number(port),
    } as const;
    expect(evaluate(at, networkRules).rule?.rule_id, packet).toBe(decider?.rule_id);
  }
}

/** The finding says that the rule decides about no packet. */
const saysNever = (finding: Finding) =>
  finding.severity !== 'info' || finding.kind === 'duplicate' || finding.kind === 'shadowed';

function check(seed: number): void {
  const dice = new Dice(seededRandom(seed));
  const network = new RandomNetwork(dice, { peers: 4, devices: 1, rules: 2 + dice.below(14) });
  const findings = [...auditRules(network)].filter((finding) => finding !== null);
  const entries = network.entries();
  const before = new Map(decisions(network, entries));
  const deciding = new Set([...before.values()].flatMap((rule) => rule?.rule_id ?? []));
  const never = new Set(findings.filter(saysNever).map((finding) => finding.object.id));
  expectEvaluated(network, { dice, decided: [...before] });
  for (const { rule_id: id } of entries) {
    if (never.has(id)) expect(deciding.has(id), `${id} decides, in ${text(network)}`).toBe(false);
    else if (!findings.some(({ kind, object }) => kind === 'dead' && object.id === id))
      expect(deciding.has(id), `${id} never decides, in ${text(network)}`).toBe(true);
  }
  for (const { by } of findings) if (by !== null) expect(deciding.has(by.id), `${by.id} decides`).toBe(true);
  const after = new Map(
    decisions(
      network,
      entries.filter(({ rule_id }) => !never.has(rule_id)),
    ),
  );
  for (const [packet, rule] of before) {
    if (after.get(packet)?.rule_id !== rule?.rule_id)
      expect.fail(`${packet}: another verdict without ${[...never].join()}`);
  }
}

/** Verdicts as they would be without some of the rules. */
function verdictsWithout(network: RandomNetwork, ids: ReadonlySet<string>): Map<string, string | null> {
  const rules = network.entries().filter(({ rule_id }) => !ids.has(rule_id));
  return new Map(
    Array.from(decisions(network, rules), ([packet, rule]) => [packet, rule?.action ?? null] as const),
  );
}

function differs(a: Map<string, string | null>, b: Map<string, string | null>): string | null {
  for (const [packet, verdict] of a) if (b.get(packet) !== verdict) return packet;
  return null;
}

/** The rules of which a deciding one of the same selector does the same later, and none between says otherwise. */
function plainlyRedundant(network: RandomNetwork): Set<string> {
  const rules = [...network.entries()].sort(compareRules);
  const packets = rules.map((rule) => packetsOf(network, rule));
  const deciding = new Set([...decisions(network, rules)].map(([, rule]) => rule));
  const found = new Set<string>();
  for (const [i, rule] of rules.entries()) {
    const own = packets[i] ?? new Set();
    for (const [j, other] of rules.entries()) {
      if (j <= i) continue;
      const isSame = JSON.stringify(other.from) === JSON.stringify(rule.from);
      const others = packets[j] ?? new Set();
      const sides = [JSON.stringify(rule.to), '{"kind":"all"}'];
      if (
        other.action === rule.action &&
        deciding.has(other) &&
        isSame &&
        sides.includes(JSON.stringify(other.to)) &&
        isSubset(own, others)
      ) {
        found.add(rule.rule_id);
        break;
      }
      // A rule without a match now decides once a peer matches it.
      if (other.action !== rule.action && (others.size === 0 || !isDisjoint(own, others))) break;
    }
  }
  return found;
}

function packetsOf(network: RandomNetwork, rule: RuleEntry): Set<string> {
  return new Set(
    Array.from(decisions(network, [rule])).flatMap(([packet, by]) => (by === null ? [] : packet)),
  );
}

const isSubset = (a: Set<string>, b: Set<string>) => [...a].every((one) => b.has(one));
const isDisjoint = (a: Set<string>, b: Set<string>) => ![...a].some((one) => b.has(one));

function checkRedundant(seed: number): void {
  const dice = new Dice(seededRandom(seed));
  const network = new RandomNetwork(dice, { peers: 3, devices: 1, rules: 2 + dice.below(10) });
  const findings = [...auditRules(network)].filter((finding) => finding !== null);
  const redundant = new Set(
    findings.filter(({ kind }) => kind === 'redundant').map(({ object }) => object.id),
  );
  const before = verdictsWithout(network, new Set());
  for (const id of redundant) {
    const packet = differs(before, verdictsWithout(network, new Set([id])));
    expect(packet, `without ${id}: ${packet}, in ${text(network)}`).toBeNull();
  }
  const useless = new Set([...redundant, ...findings.filter(saysNever).map((finding) => finding.object.id)]);
  const packet = differs(before, verdictsWithout(network, useless));
  expect(packet, `without ${[...useless].join()}: ${packet}, in ${text(network)}`).toBeNull();
  for (const { kind, by } of findings) {
    if (kind === 'redundant') expect(useless.has(by?.id ?? ''), `${by?.id} is left`).toBe(false);
  }
  const told = new Set(findings.map(({ object }) => object.id));
  for (const id of plainlyRedundant(network)) {
    expect(told.has(id), `${id} changes nothing, in ${text(network)}`).toBe(true);
  }
}

const text = (network: RandomNetwork) =>
  network
    .rules()
    .map(
      (rule) =>
        `\n${rule.id.slice(-2)} ${JSON.stringify(rule, ['direction', 'action', 'selector', 'destination', 'kind', 'id', 'tag', 'cidr', 'protocol', 'ports', 'enabled'])}`,
    )
    .join('') + network.network.ipv4Prefix;

describe('the audit of rules', () => {
  test('calls exactly those rules shadowed, repeated or dead that decide about no packet', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => check(seed)),
      { numRuns: runs },
    );
  }, 600_000);

  test('calls redundant what changes no verdict when it goes, alone and together [9.37]', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => checkRedundant(seed)),
      { numRuns: runs },
    );
  }, 600_000);
});

describe('a finding', () => {
  const all = { kind: 'all' } as const;
  const base: RuleModel = {
    type: 'firewall_rule',
    id: uuid(6, 1),
    networkId: uuid(1, 1),
    direction: 'ingress',
    action: 'drop',
    selector: all,
    destination: all,
    protocol: 'tcp',
    ports: [1, 100],
    enabled: true,
  };

  /** Kinds, severities and culprits by the rule's number; names of objects are their ids' last digit. */
  function findingsOf(...rules: Partial<RuleModel>[]): string[] {
    const network = new RandomNetwork(new Dice(seededRandom(1)), { peers: 3, devices: 1, rules: 0 });
    for (const [i, rule] of rules.entries()) network.add({ ...base, ...rule, id: uuid(6, i + 1) });
    return [...auditRules(network)].flatMap((finding) => {
      if (finding === null) return [];
      const { object, kind, severity, by } = finding;
      return `${object.id.slice(-1)} ${kind} ${severity} ${by === null ? '-' : `by ${by.id.slice(-1)}`}`;
    });
  }

  test('names the rule that leaves nothing for another', () => {
    const destination = { kind: 'peer', id: uuid(2, 1) } as const;
    expect(findingsOf({}, { destination })).toEqual(['2 shadowed warning by 1']);
    expect(findingsOf({}, { destination, ports: [2, 101] })).toEqual([]);
  });

  test('counts several rules that leave nothing together', () => {
    const halves = [{ ports: [1, 60] }, { ports: [61, 100] }] as const;
    expect(findingsOf(...halves, { action: 'accept' })).toEqual(['3 shadowed warning by 1']);
  });

  test('is a contradiction when the same packets are accepted and denied', () => {
    expect(findingsOf({ action: 'accept' }, {})).toEqual(['1 contradictory warning by 2']);
    expect(findingsOf({ action: 'accept' }, { ports: [2, 101] })).toEqual(['1 contradictory info by 2']);
  });

  test('is a redundant rule when a broader one of the same selector does the same [9.37]', () => {
    const everything = { protocol: 'any', ports: null } as const;
    const destination = { kind: 'peer', id: uuid(2, 1) } as const;
    expect(findingsOf(everything, { ports: [443, 443] })).toEqual(['2 redundant info by 1']);
    expect(findingsOf(everything, {}, { ports: [443, 443] })).toEqual([
      '2 redundant info by 1',
      '3 redundant info by 1',
    ]);
    expect(findingsOf(everything, { destination, ports: [443, 443] })).toEqual(['2 redundant info by 1']);
    expect(findingsOf(everything, { ports: [443, 443] }, { action: 'accept', ports: [440, 450] })).toEqual(
      [],
    );
    expect(findingsOf(everything, { ports: [443, 443], direction: 'both' })).toEqual([]);
    expect(findingsOf(everything, { ports: [443, 443], action: 'reject' })).toEqual([]);
    expect(findingsOf({ ...everything, destination }, { ports: [443, 443] })).toEqual([]);
  });

  test('is no contradiction when the narrower one says otherwise [9.37]', () => {
    const everything = { protocol: 'any', ports: null } as const;
    expect(findingsOf(everything, { action: 'accept', ports: [443, 443] })).toEqual([]);
    expect(findingsOf({ action: 'accept' }, { ports: [80, 80] })).toEqual([]);
  });

  test('is no contradiction when the more specific one says otherwise', () => {
    const peer = { kind: 'peer', id: uuid(2, 1) } as const;
    expect(findingsOf({}, { selector: peer, action: 'accept' })).toEqual([]);
  });

  test('is a repetition of the older one', () => {
    expect(findingsOf({}, { ports: [1, 100] })).toEqual(['2 duplicate info by 1']);
  });

  test('is a dead rule when it names nobody, and grave when it cannot come to life', () => {
    expect(findingsOf({ selector: { kind: 'peer', id: uuid(2, 99) } })).toEqual(['1 dead warning -']);
    expect(findingsOf({ destination: { kind: 'tag', tag: 'empty' } })).toEqual(['1 dead info -']);
    expect(findingsOf({ selector: { kind: 'cidr', cidr: '2001:db8::/32' } })).toEqual(['1 dead warning -']);
  });

  test('is not made of rules that are switched off', () => {
    expect(findingsOf({ enabled: false }, { ports: [80, 80] })).toEqual([]);
  });
});
