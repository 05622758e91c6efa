// The index of rules against the definition of what rules mean: evaluate.ts.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { seededRandom } from '../testing/random.ts';
import { evaluate } from './evaluate.ts';
import { parsedAddressOf } from './prefix-map.ts';
import { Dice, RandomNetwork } from './random-network.fixture.ts';
import { groupsOfAddresses, RuleIndex } from './rule-index.ts';

const protocols = ['tcp', 'udp', 'icmp6'] as const;

function check(seed: number): void {
  const dice = new Dice(seededRandom(seed));
  const network = new RandomNetwork(dice, { peers: 5, devices: 2, rules: dice.below(30) });
  const rules = network.entries();
  const members = network.members();
  const defaultPolicy = network.network.firewallDefaultPolicy;
  const index = new RuleIndex({ rules, groupsOf: groupsOfAddresses(members), policy: defaultPolicy });
  const addresses = network.addresses();
  for (let i = 0; i < 60; i++) {
    const protocol = dice.one(protocols);
    const port = protocol === 'icmp6' ? null : dice.below(5);
    const direction = dice.pick('ingress', 'egress');
    const source = dice.one(addresses);
    const destination = dice.one(addresses.filter((one) => one.includes(':') === source.includes(':')));
    const wanted = evaluate(
      { direction, source, destination, protocol, port },
      { rules, members, defaultPolicy },
    );
    const [from, to] = [parsedAddressOf(source), parsedAddressOf(destination)];
    if (from === null || to === null) throw new Error('not an address');
    const found = index
      .rulesFor({ hook: direction, protocol, port })
      .evaluate({ source: from, destination: to });
    expect([found.verdict, found.rule?.rule_id]).toEqual([wanted.verdict, wanted.rule?.rule_id]);
  }
}

test('finds the rule that the definition finds, for any rules and packets', () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => check(seed)),
    { numRuns: Number(process.env['RUNS'] ?? 100) },
  );
}, 600_000);
