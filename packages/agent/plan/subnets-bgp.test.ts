// Whom packets for a prefix behind peers go to, where BGP decides and where preferences do.
import type { EntryValue } from '@powernode/core/wire/document';
import { nodeDocumentOf } from '@powernode/core/wire/node-document.fixture';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PathState } from '../probe/path-state.ts';
import { destinationIn, tablesOf } from '../subsystems/policy-rules/tables.ts';
import type { BgpDecisions } from './bgp-decisions.ts';
import { PathIndex, tunnelKey } from './path-index.ts';
import { RouteChooser } from './route-choice.ts';

const states = ['alive', 'returning', 'untried', 'dead'] as const;
/** Spokes of a hub; the last one is no peer of it. */
const spokes = ['s1', 's2', 's3', 's4'];
const known = spokes.slice(0, 3);
const prefixes = ['fd00:a::/64', '10.7.0.0/24'];
const addressOf = (spoke: string) => `fd00::20${spoke.slice(1)}`;

function interfaceNamed(name: string, purpose: 'leaf' | 'transit'): EntryValue {
  const of = { network_id: 'n', peer_id: 'p', public_key: 'k', listen_port: 0, mtu: 1420 };
  return { kind: 'interface', name, purpose, ...of, addresses: [], probe_addresses: [] };
}

function peer(name: string, publicKey: string, allowed: string): EntryValue {
  const of = { peer_id: publicKey, endpoint: null, allowed_ips: [allowed], keepalive: 25 };
  return { kind: 'peer', interface: name, public_key: publicKey, ...of };
}

const bgp: EntryValue = {
  ...{ kind: 'bgp', key: 'bgp/n', network_id: 'n', as_number: 65_010, router_id: '0.0.1.1' },
  ...{ host_address: 'fd00::101', role: 'reflector' },
} as const;

function subnet(prefix: string, spoke: string, preference: number, isStatic = false): EntryValue {
  const id = `${prefix}-${spoke}`;
  const by = [{ interface: 'wg-a', public_key: spoke }];
  const of = { network_id: 'n', subnet_id: id, peer_id: spoke, next_hop: addressOf(spoke), preference, by };
  return { kind: 'subnet', key: `subnet/${id}`, prefix, ...of, ...(isStatic ? { is_static: true } : {}) };
}

const base = [
  interfaceNamed('wg-a', 'leaf'),
  ...known.map((spoke) => peer('wg-a', spoke, `${addressOf(spoke)}/128`)),
];

interface Case {
  readonly hasBgp: boolean;
  /** For each prefix: the preference with which each spoke announces it. */
  readonly preferences: readonly (readonly (number | null)[])[];
  readonly health: readonly PathState[];
  /** Of each spoke: it has no bgpd. */
  readonly isStatic: readonly boolean[];
  /** For each prefix what BGP says; undefined: that it does not decide. */
  readonly decided: readonly (readonly string[] | null)[] | null;
}

const perPrefix = <T>(one: fc.Arbitrary<T>) => fc.array(one, { minLength: 2, maxLength: 2 });
const perSpoke = <T>(one: fc.Arbitrary<T>) => fc.array(one, { minLength: 4, maxLength: 4 });
const someCase: fc.Arbitrary<Case> = fc.record({
  hasBgp: fc.boolean(),
  preferences: perPrefix(perSpoke(fc.option(fc.constantFrom(50, 100, 200), { nil: null }))),
  health: perSpoke(fc.constantFrom(...states)),
  isStatic: perSpoke(fc.boolean()),
  decided: fc.option(perPrefix(fc.option(fc.subarray(spokes, { maxLength: 2 }), { nil: null, freq: 4 })), {
    nil: null,
    freq: 4,
  }),
});

/** The spoke that packets of the prefix go to, by words of the design alone; null: none. */
function naively({ hasBgp, preferences, health, isStatic, decided }: Case, i: number): string | null {
  const announcers = spokes
    .map((spoke, j) => ({ spoke, preference: preferences[i]?.[j] ?? null }))
    .filter(({ preference }) => preference !== null);
  // What no entry has is not routed, whatever BGP says.
  if (announcers.length === 0) return null;
  const preferred = announcers
    .sort((a, b) => (b.preference ?? 0) - (a.preference ?? 0) || (a.spoke < b.spoke ? -1 : 1))
    .map(({ spoke }) => spoke);
  const said = hasBgp ? (decided?.[i] ?? null) : null;
  const preferenceOf = (spoke: string) =>
    announcers.find((one) => one.spoke === spoke)?.preference ?? Number.NEGATIVE_INFINITY;
  const highest = Math.max(...(said ?? []).map(preferenceOf));
  const without = preferred.filter(
    (spoke) => isStatic[spokes.indexOf(spoke)] && said?.includes(spoke) === false,
  );
  const isBefore = (spoke: string) => Number.isFinite(highest) && preferenceOf(spoke) > highest;
  const order =
    said === null
      ? preferred
      : [...without.filter(isBefore), ...said, ...without.filter((spoke) => !isBefore(spoke))];
  const usable = order.filter((spoke) => known.includes(spoke));
  const first = (state: PathState) => usable.find((spoke) => health[spokes.indexOf(spoke)] === state);
  return first('alive') ?? first('returning') ?? usable[0] ?? null;
}

function chosen(one: Case, chooser = new RouteChooser()) {
  const entries = prefixes.flatMap((prefix, i) =>
    spokes.flatMap((spoke, j) => {
      const preference = one.preferences[i]?.[j] ?? null;
      return preference === null ? [] : [subnet(prefix, spoke, preference, one.isStatic[j])];
    }),
  );
  const document = nodeDocumentOf([...base, ...(one.hasBgp ? [bgp] : []), ...entries]);
  const index = new PathIndex();
  index.update(document, 'all');
  const decisions: BgpDecisions = {
    of: () => {
      if (one.decided === null) return null;
      const said = new Map(prefixes.map((prefix, i) => [prefix, one.decided?.[i]?.map(addressOf) ?? null]));
      return { nextHops: (prefix) => said.get(prefix) ?? null };
    },
  };
  const health = {
    of: ({ publicKey }: { readonly publicKey: string }) => one.health[spokes.indexOf(publicKey)] ?? 'untried',
  };
  chooser.choose({ index, health, sources: new Map(), bgp: decisions, holders: new Map(), nowMs: 0 });
  const table = tablesOf(document).get('n') ?? 0;
  return prefixes.map((prefix) => ({
    device: chooser.choices.get(destinationIn(table, prefix)) ?? null,
    spoke: known.find((spoke) => {
      const tunnel = tunnelKey({ interface: 'wg-a', publicKey: spoke });
      return chooser.extraAllowedIps.get(tunnel)?.includes(prefix);
    }),
  }));
}

describe('the peer that a prefix is reached by', () => {
  test('is BGP’s next hop where BGP decides, or one without a bgpd, else the most preferred one that is up', () => {
    fc.assert(
      fc.property(someCase, (one) => {
        const wanted = prefixes.map((_, i) => naively(one, i));
        expect(chosen(one)).toEqual(
          wanted.map((spoke) => ({ device: spoke === null ? null : 'wg-a', spoke: spoke ?? undefined })),
        );
      }),
    );
  });

  test('is one without a bgpd while BGP has no path, and where it is preferred to those of BGP', () => {
    const one = {
      ...{ hasBgp: true, preferences: [[200, 100, null, null], []] },
      health: ['alive', 'alive', 'alive', 'alive'] as const,
    };
    const to = (isStatic: readonly boolean[], decided: readonly string[]) =>
      chosen({ ...one, isStatic, decided: [decided, null] })[0]?.spoke;
    expect(to([false, false], [])).toBeUndefined();
    expect(to([true, false], [])).toBe('s1');
    expect(to([true, false], ['s2'])).toBe('s1');
    expect(to([false, true], ['s1'])).toBe('s1');
    expect(to([false, true], [])).toBe('s2');
  });

  test('stays what the kernel has when the agent comes, until there is a reason', () => {
    const one: Case = {
      ...{
        hasBgp: true,
        decided: null,
        preferences: [
          [200, 100, null, null],
          [null, null, null, null],
        ],
      },
      health: ['untried', 'untried', 'untried', 'untried'],
      isStatic: [false, false, false, false],
    };
    const document = nodeDocumentOf([...base, subnet(prefixes[0] ?? '', 's1', 200)]);
    const destination = destinationIn(tablesOf(document).get('n') ?? 0, prefixes[0] ?? '');
    const chooser = new RouteChooser();
    chooser.adopt([[destination, 'wg-a']]);
    chooser.adoptAllowedIps(
      new Map([[tunnelKey({ interface: 'wg-a', publicKey: 's2' }), [prefixes[0] ?? '']]]),
      new Set(),
    );
    expect(chosen(one, chooser)[0]?.spoke).toBe('s2');
    expect(chosen({ ...one, decided: [['s1'], null] }, chooser)[0]?.spoke).toBe('s1');
  });
});
