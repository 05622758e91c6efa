// The routes of a network as rows: each prefix behind peers, who is in front of it, and which of them is used. No
// elements here.
import type { SubnetAdvertisement } from '@powernode/core/intent/subnet';
import type { Output } from '../../../api/client.ts';

type Summary = Output<'getRoutingSummary'>;
type Source = SubnetAdvertisement['source'];
type Advertised = Pick<
  SubnetAdvertisement,
  'prefix' | 'peer_id' | 'source' | 'description' | 'preference' | 'withdrawn_at'
>;

export interface Holder {
  readonly peerId: string;
  /** null: nothing says it. */
  readonly preference: number | null;
}

export interface RouteRow {
  /** The prefix. */
  readonly id: string;
  readonly source: Source;
  readonly description: string;
  /** The used one first, then those with higher preferences. */
  readonly holders: readonly Holder[];
  /** The peer that others use; null: no path can be used, or each peer uses the nearest holder. */
  readonly best: string | null;
  /** Holders that are as good as each other, of which each peer uses the nearest. */
  readonly nearestOf: readonly string[];
}

/** `nameOf`: of a peer. */
export function bestWords({ best, nearestOf }: RouteRow, nameOf: (peerId: string) => string): string {
  if (best !== null) return `via ${nameOf(best)}`;
  return nearestOf.length > 1 ? `the nearest of ${nearestOf.length}` : 'none usable';
}

export const sourceWords: Readonly<Record<Source, string>> = {
  declared_lan_subnet: 'LAN',
  virtual_ip: 'virtual IP',
  pod_subnet: 'pod subnet',
  federation: 'federation',
};

/** Of a source as BGP routes name it: `peer:<id>`, `virtual_ip:<id>`. */
function kindOf(source: string): Source {
  const [kind = ''] = source.split(':');
  return Object.hasOwn(sourceWords, kind) ? (kind as Source) : 'declared_lan_subnet';
}

interface Routed extends Pick<RouteRow, 'best' | 'nearestOf'> {
  readonly source: string;
  readonly holders: readonly string[];
}

/** `advertised`: of those that may read them; without them, what the summary says alone. */
export function routeRows(summary: Summary, advertised: readonly Advertised[]): RouteRow[] {
  const routed = new Map<string, Routed>();
  // Several of one prefix are holders of an anycast address.
  for (const [prefix, [first, ...others]] of Map.groupBy(summary.static_routes, (one) => one.prefix)) {
    if (first === undefined) continue;
    const holders = [first, ...others].map((one) => one.via_peer_id);
    const choice =
      others.length > 0 ? { best: null, nearestOf: holders } : { best: first.via_peer_id, nearestOf: [] };
    routed.set(prefix, { ...choice, source: first.source, holders });
  }
  for (const { prefix, best, source, holders, nearest_of: nearestOf } of summary.bgp_routes) {
    // Peers without FRR are among the static routes alone.
    const inFront = [...new Set([...holders, ...(routed.get(prefix)?.holders ?? [])])];
    routed.set(prefix, { best, nearestOf, source, holders: inFront });
  }
  const behind = Map.groupBy(
    advertised.filter(({ withdrawn_at }) => withdrawn_at === null),
    ({ prefix }) => prefix,
  );
  return [...new Set([...routed.keys(), ...behind.keys()])].map((prefix) => {
    const route = routed.get(prefix);
    const declared = behind.get(prefix) ?? [];
    const best = route?.best ?? null;
    const preferences = new Map(declared.map((one) => [one.peer_id, one.preference]));
    const holders = [...new Set([...(route?.holders ?? []), ...preferences.keys()])];
    return {
      id: prefix,
      source: declared[0]?.source ?? kindOf(route?.source ?? ''),
      description: [...new Set(declared.map((one) => one.description))]
        .filter((one) => one !== '')
        .join(', '),
      holders: holders
        .map((peerId) => ({ peerId, preference: preferences.get(peerId) ?? null }))
        .sort((a, b) => rank(a, best) - rank(b, best)),
      best,
      nearestOf: route?.nearestOf ?? [],
    };
  });
}

function rank({ peerId, preference }: Holder, best: string | null): number {
  return peerId === best ? Number.NEGATIVE_INFINITY : -(preference ?? 0);
}
