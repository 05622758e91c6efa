// Rules arranged for many questions against the definition: judge.ts.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { seededRandom } from '../testing/random.ts';
import { judge } from './judge.ts';
import { spotOf } from './prefix-map.ts';
import { Dice, RandomNetwork } from './random-network.fixture.ts';
import { groupsOfAddresses, Rulebook } from './rulebook.ts';

const protocols = ['tcp', 'udp', 'icmp6'] as const;

function check(seed: number): void {
  const dice = new Dice(seededRandom(seed));
  const network = new RandomNetwork(dice, { peers: 5, devices: 2, rules: dice.below(30) });
  const rules = network.entries();
  const members = network.members();
  const defaultPolicy = network.network.firewallDefaultPolicy;
  const book = new Rulebook({ rules, groupsOf: groupsOfAddresses(members), policy: defaultPolicy });
  const addresses = network.addresses();
  for (let i = 0; i < 60; i++) {
    const protocol = dice.one(protocols);
    const port = protocol === 'icmp6' ? null : dice.below(5);
    const direction = dice.pick('ingress', 'egress');
    const source = dice.one(addresses);
    const destination = dice.one(addresses.filter((one) => one.includes(':') === source.includes(':')));
    const judged = judge(
      { direction, source, destination, protocol, port },
      { rules, members, defaultPolicy },
    );
    const [from, to] = [spotOf(source), spotOf(destination)];
    if (from === null || to === null) throw new Error('not an address');
    const decided = book.page({ hook: direction, protocol, port }).decide({ source: from, destination: to });
    expect([decided.action, decided.rule?.rule_id]).toEqual([judged.verdict, judged.rule?.rule_id]);
  }
}

test('finds the rule that the judge finds, for any rules and packets', () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => check(seed)),
    { numRuns: Number(process.env['RUNS'] ?? 100) },
  );
}, 600_000);
