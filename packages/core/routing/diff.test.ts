// From one configuration to another, on a model of bgpd: what comes out, that nothing is left to do, and in which order.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ConfigLine, configText, readConfig } from './config-lines.ts';
import { diffConfig } from './diff.ts';
import { networkOf } from './naive.fixture.ts';
import { addresses, prefixes, randomPolicies } from './random-routing.fixture.ts';
import { bfddConfig, renderBgpd } from './render.ts';
import { ModelBgpd } from './running-config.fixture.ts';

const preferences = fc.array(
  fc.array(fc.option(fc.constantFrom(100, 200), { nil: null }), { minLength: 5, maxLength: 5, size: 'max' }),
  { minLength: prefixes.length, maxLength: prefixes.length, size: 'max' },
);
/** A node of a random network, without some of its neighbors. */
const config = fc
  .tuple(randomPolicies, preferences, fc.constantFrom(...addresses), fc.subarray(addresses))
  .map(([policies, preferences, address, gone]) => {
    const routing = networkOf(policies, preferences).routings.get(address);
    if (routing === undefined) throw new Error(`nobody has ${address}`);
    const neighbors = routing.neighbors.filter(({ host_address }) => !gone.includes(host_address));
    return renderBgpd({ ...routing, neighbors });
  });

const keys = (lines: readonly ConfigLine[]) =>
  lines
    .filter(({ line }) => !line.startsWith('address-family'))
    .map(({ path, line }) => [...path, line].join(' / '))
    .sort();

/** The lines of a bgpd with the second configuration, which it came to from the first. */
function changed(from: readonly ConfigLine[], to: readonly ConfigLine[]): ConfigLine[] {
  const bgpd = new ModelBgpd(from);
  for (const command of diffConfig(readConfig(bgpd.runningConfig()), to)) bgpd.take(command);
  return readConfig(bgpd.runningConfig());
}

describe('the difference of two configurations', () => {
  it('makes the one of the other, and then there is none', () => {
    fc.assert(
      fc.property(config, config, (from, to) => {
        const result = changed(from, to);
        expect(keys(result)).toEqual(keys(to));
        expect(diffConfig(result, to)).toEqual([]);
      }),
      { numRuns: 50 },
    );
  });

  it('begins with nothing, and repairs what a hand has changed', () => {
    const strange: readonly ConfigLine[] = [
      { path: [], line: 'ip prefix-list by-hand seq 5 permit 10.0.0.0/8' },
      { path: [], line: 'route-map by-hand permit 10' },
      { path: ['route-map by-hand permit 10'], line: 'set metric 5' },
      { path: ['router bgp 65010'], line: 'bgp default local-preference 70' },
      { path: ['router bgp 65010'], line: 'neighbor fd00::9 remote-as 65010' },
      { path: ['router bgp 65010', 'address-family ipv6 unicast'], line: 'neighbor fd00::9 activate' },
      { path: [], line: 'router bgp 65011 vrf other' },
      { path: ['router bgp 65011 vrf other'], line: 'bgp router-id 1.1.1.1' },
    ];
    fc.assert(
      fc.property(config, fc.subarray([...strange]), fc.infiniteStream(fc.nat(4)), (to, added, chance) => {
        expect(keys(changed([], to))).toEqual(keys(to));
        // A group and its members are there, or nothing of them.
        const isKept = ({ line }: ConfigLine) =>
          / peer-group/.test(line) || !/^(?:set|match|neighbor)/.test(line) || chance.next().value !== 0;
        const kept = to.filter(isKept);
        const whole = added.flatMap((one) => [...openings(one, [...kept, ...added]), one]);
        expect(keys(changed([...kept, ...whole], to))).toEqual(keys(to));
      }),
      { numRuns: 30 },
    );
  });

  it('is read from the text that is written', () => {
    fc.assert(
      fc.property(config, (lines) => {
        expect(readConfig(configText(lines))).toEqual(lines);
      }),
      { numRuns: 20 },
    );
    expect(readConfig(configText(bfddConfig))).toEqual(bfddConfig);
  });

  it('changes a policy in one line for a group, and resets nobody', () => {
    const [hub = '', spoke = ''] = [addresses[0], addresses[4]];
    const routing = networkOf(
      [],
      prefixes.map(() => [100, null, null, null, 100]),
    ).routings.get(spoke);
    if (routing === undefined) throw new Error(`nobody has ${hub}`);
    const policy = (local_pref: number) => ({
      route_policy_id: 'p',
      direction: 'import' as const,
      statements: [
        { seq: 10, match: { prefix: '10.0.0.0/8' }, set: { local_pref }, action: 'permit' as const },
      ],
    });
    const from = renderBgpd({ ...routing, policies: [policy(200)] });
    const to = renderBgpd({ ...routing, policies: [policy(300)] });
    expect(diffConfig(from, to).map((line) => line.replaceAll(/(pn-\w+)-[0-9a-f]{10}/g, '$1'))).toEqual([
      'route-map pn-in permit 1',
      'match ip address prefix-list pn-4',
      'set local-preference 300',
      'exit',
      'route-map pn-in permit 2',
      'exit',
      'router bgp 65010',
      'address-family ipv4 unicast',
      'neighbor pn-reflector-all route-map pn-in in',
      'exit-address-family',
      'address-family ipv6 unicast',
      'neighbor pn-reflector-all route-map pn-in in',
      'exit-address-family',
      'exit',
      'no route-map pn-in permit 1',
      'no route-map pn-in permit 2',
    ]);
  });
});

/** Contexts of a line that are not there yet. */
function openings({ path }: ConfigLine, there: readonly ConfigLine[]): ConfigLine[] {
  return path
    .map((line, i) => ({ path: path.slice(0, i), line }))
    .filter(
      (one) => !there.some((other) => other.line === one.line && other.path.length === one.path.length),
    );
}
