// The audit against a naive judge: what it calls shadowed never decides, and nothing that never decides is missed.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RuleModel } from '../compile/model.ts';
import { parseAddress } from '../net/address.ts';
import { contains, parsePrefix } from '../net/prefix.ts';
import type { RuleEntry, RuleSide } from '../wire/document.ts';
import { auditRules } from './audit.ts';
import { hooksOf } from './coverage.ts';
import type { Finding } from './findings.ts';
import { judge } from './judge.ts';
import { Dice, RandomNetwork, seeded, uuid } from './random-network.fixture.ts';
import { compareRules } from './rule-order.ts';

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
      const spot = parseAddress(address);
      return prefix !== null && spot !== null && contains(prefix, spot);
    }
  }
}

/** That the test and the judge mean the same, for some of the packets. */
function expectJudged(
  network: RandomNetwork,
  of: { readonly dice: Dice; readonly decided: readonly [packet: string, decider: RuleEntry | null][] },
): void {
  const law = { rules: network.entries(), members: network.members(), defaultPolicy: 'accept' as const };
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
    expect(judge(at, law).rule?.rule_id, packet).toBe(decider?.rule_id);
  }
}

/** It says of the rule that it never decides, whoever comes. */
const saysNever = (finding: Finding) =>
  finding.severity !== 'info' || finding.kind === 'duplicate' || finding.kind === 'shadowed';

function check(seed: number): void {
  const dice = new Dice(seeded(seed));
  const network = new RandomNetwork(dice, { peers: 4, devices: 1, rules: 2 + dice.below(14) });
  const findings = [...auditRules(network)].filter((finding) => finding !== null);
  const entries = network.entries();
  const before = new Map(decisions(network, entries));
  const deciding = new Set([...before.values()].flatMap((rule) => rule?.rule_id ?? []));
  const never = new Set(findings.filter(saysNever).map((finding) => finding.object.id));
  expectJudged(network, { dice, decided: [...before] });
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
    const network = new RandomNetwork(new Dice(seeded(1)), { peers: 3, devices: 1, rules: 0 });
    for (const [i, rule] of rules.entries()) network.add({ ...base, ...rule, id: uuid(6, i + 1) });
    return [...auditRules(network)].flatMap((finding) => {
      if (finding === null) return [];
      const { object, kind, severity, by } = finding;
      return `${object.id.slice(-1)} ${kind} ${severity} ${by === null ? '-' : `by ${by.id.slice(-1)}`}`;
    });
  }

  test('names the rule that leaves nothing for another', () => {
    expect(findingsOf({}, { ports: [80, 80] })).toEqual(['2 shadowed warning by 1']);
    expect(findingsOf({}, { ports: [80, 101] })).toEqual([]);
  });

  test('counts several rules that leave nothing together', () => {
    const halves = [{ ports: [1, 60] }, { ports: [61, 200] }] as const;
    expect(findingsOf(...halves, { ports: [40, 70], action: 'accept' })).toEqual(['3 shadowed warning by 1']);
  });

  test('is a contradiction when the same packets are accepted and denied', () => {
    expect(findingsOf({ action: 'accept' }, {})).toEqual(['1 contradictory warning by 2']);
    expect(findingsOf({ action: 'accept' }, { ports: [80, 80] })).toEqual(['1 contradictory info by 2']);
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
