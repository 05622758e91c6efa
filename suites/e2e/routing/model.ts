// What the routing lab is to do by what was declared: who is in front of a prefix, and which pairs of hosts reach each
// other. Written from the words of contract §4 alone, so that it can be held against what the lab does.
import type { Family } from './routed-lab.ts';

export interface Lan {
  readonly name: string;
  readonly prefixes: Readonly<Record<Family, string>>;
  /** The host in it, and the edge that this one sends by. */
  readonly client: string;
  readonly gateway: string;
}

const lan = (name: string, number: number, client: string, gateway: string): Lan => ({
  ...{ name, client, gateway },
  prefixes: { 4: `192.168.${number}.0/24`, 6: `fd00:${number}::/64` },
});
export const lans: readonly Lan[] = [
  lan('tokyo', 11, 'client1', 'edge1'),
  lan('osaka', 12, 'client2', 'edge2'),
  lan('nagoya-plant', 13, 'client3', 'edge3'),
  lan('nagoya', 14, 'client4', 'edge4'),
];

export interface Declared {
  readonly prefix: string;
  readonly preference: number;
  readonly source_nat: boolean;
}

/** One statement: what it matches and does. */
export interface Policy {
  readonly id: string;
  readonly name: string;
  readonly direction: 'import' | 'export';
  readonly match: { readonly prefix: string; readonly peer?: string };
  readonly set: { readonly local_pref?: number; readonly med?: number; readonly community?: string };
  readonly action: 'permit' | 'deny';
}

export interface State {
  readonly attached: ReadonlySet<string>;
  /** By edge; also of one that is detached. */
  readonly declared: ReadonlyMap<string, readonly Declared[]>;
  /** In the order in which they were created. */
  readonly policies: readonly Policy[];
  readonly directPaths: boolean;
  readonly asNumber: number;
}

/** What was declared by examples/labs/routing.yaml. */
export function firstState(members: readonly string[], asNumber: number): State {
  const declared = new Map<string, Declared[]>();
  for (const { name, prefixes, gateway } of lans) {
    const behind = name === 'nagoya' ? ['edge4', 'edge5'] : [gateway];
    for (const edge of behind) {
      const how = {
        preference: name === 'nagoya' && edge === gateway ? 200 : 100,
        source_nat: name === 'nagoya',
      };
      const list = ([4, 6] as const).map((family) => ({ prefix: prefixes[family], ...how }));
      declared.set(edge, [...(declared.get(edge) ?? []), ...list]);
    }
  }
  return { attached: new Set(members), declared, policies: [], directPaths: true, asNumber };
}

/** The local preference of the path by one announcer after all policies; null: denied. */
function preferenceOf(state: State, edge: string, declared: Declared): number | null {
  let preference = declared.preference;
  for (const direction of ['export', 'import'] as const) {
    const first = state.policies.find(
      (policy) =>
        policy.direction === direction &&
        policy.match.prefix === declared.prefix &&
        (policy.match.peer === undefined || policy.match.peer === edge),
    );
    if (first?.action === 'deny') return null;
    preference = first?.set.local_pref ?? preference;
  }
  return preference;
}

/** The edge that packets for a prefix go to; null: nowhere. Two that are preferred alike are none of this model. */
export function winnerOf(state: State, prefix: string): string | null {
  const paths = [...state.declared].flatMap(([edge, list]) => {
    const one = list.find((declared) => declared.prefix === prefix);
    const preference = one === undefined ? null : preferenceOf(state, edge, one);
    return preference === null || !state.attached.has(edge) ? [] : [{ edge, preference }];
  });
  return paths.sort((a, b) => b.preference - a.preference)[0]?.edge ?? null;
}

/** Whether two announcers of a prefix are preferred alike, so that which one is used is not for this model to say. */
export function hasTie(state: State): boolean {
  return lans.some(({ prefixes }) =>
    Object.values(prefixes).some((prefix) => {
      const preferences = [...state.declared].flatMap(([edge, list]) => {
        const one = list.find((declared) => declared.prefix === prefix);
        const preference = one === undefined ? null : preferenceOf(state, edge, one);
        return preference === null ? [] : [preference];
      });
      return new Set(preferences).size < preferences.length;
    }),
  );
}

/** A flow from the host of one LAN to the host of another. */
export interface FlowModel {
  readonly from: Lan;
  readonly to: Lan;
  readonly family: Family;
}

/** The edges that a flow goes by: there, and back. null: it gets no answer. */
export function routersOf(state: State, { from, to, family }: FlowModel): readonly [string, string] | null {
  const there = winnerOf(state, to.prefixes[family]);
  const back = winnerOf(state, from.prefixes[family]);
  // WireGuard takes what a LAN sends only from the edge that packets for it go to.
  if (there === null || back !== from.gateway) return null;
  return [there, back];
}
