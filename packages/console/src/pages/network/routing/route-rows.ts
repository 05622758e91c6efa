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
  /** The peer that others use; null: no path can be used. */
  readonly best: string | null;
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

/** `advertised`: of those that may read them; without them, what the summary says alone. */
export function routeRows(summary: Summary, advertised: readonly Advertised[]): RouteRow[] {
  const routed = new Map<string, { best: string | null; source: string; holders: readonly string[] }>();
  for (const { prefix, via_peer_id: best, source } of summary.static_routes) {
    routed.set(prefix, { best, source, holders: [best] });
  }
  for (const { prefix, best, source, holders } of summary.bgp_routes) {
    routed.set(prefix, { best, source, holders });
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
    };
  });
}

function rank({ peerId, preference }: Holder, best: string | null): number {
  return peerId === best ? Number.NEGATIVE_INFINITY : -(preference ?? 0);
}
