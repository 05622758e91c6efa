// What is accepted of a neighbor that speaks for itself: the prefixes that are behind it, and of these nothing but that it
// has them. Every attribute that decides between paths is set to what export policies make of the prefix (announced.ts), so
// that a bgpd that was tampered with can withdraw its prefixes and do no more. Then import policies act.
import { type Family, familyOf } from '../net/address.ts';
import { announced } from './announced.ts';
import { inTheirOrder, type MapEntry, type RouteMap, routeMap, setLines } from './compile.ts';
import type { ConfigLine } from './config-lines.ts';
import { announcerCommunity, routerIdOf } from './identity.ts';
import type { Lists } from './lists.ts';
import type { Routing } from './model.ts';
import type { PathAttributes } from './path.ts';
import { rangeOf } from './prefix-range.ts';
import { type PlacedStatement, statementsOf } from './statements.ts';

/** The inbound route-map of a session, and whose announcements its final entry refuses. */
export interface InboundFilter {
  readonly map: string;
  /** The neighbor's address. */
  readonly neighbor: string;
  readonly family: Family;
}

type Filtered = Pick<Routing['neighbors'][number], 'host_address'> & { readonly accept: readonly string[] };

/** Makes the inbound route-maps of the neighbors of one node. */
export class AcceptedPaths {
  readonly #asNumber: number;
  readonly #lists: Lists;
  readonly #exports: readonly PlacedStatement[];
  /** Of the import policies; null: they change nothing. */
  readonly #import: string | null;
  /** By prefix and announcer. */
  readonly #preferences: ReadonlyMap<string, number>;

  constructor(
    { speaker, subnets, policies }: Routing,
    { lists, importMap }: { readonly lists: Lists; readonly importMap: string | null },
  ) {
    this.#asNumber = speaker.as_number;
    this.#lists = lists;
    this.#import = importMap;
    this.#exports = statementsOf(policies, 'export');
    this.#preferences = new Map(
      subnets.flatMap(({ prefix, announcers }) =>
        announcers.map(({ next_hop, preference }) => [`${prefix} ${next_hop}`, preference]),
      ),
    );
  }

  /** The final entry refuses, and bgpd counts how often; each neighbor and family has a map of its own for that. */
  mapOf(neighbor: Filtered, family: Family): RouteMap {
    const groups = Map.groupBy(this.#expectedOf(neighbor, family), ({ attributes }) =>
      JSON.stringify(attributes),
    );
    const entries = [...groups.values()].flatMap((group) => {
      const [first] = group;
      if (first === undefined) return [];
      const ranges = group.map(({ prefix }) => rangeOf(prefix));
      return this.#lists
        .prefixes(ranges)
        .flatMap((match) => this.#entriesFor(match, first.attributes, neighbor.host_address));
    });
    const refused: MapEntry = { action: 'deny', lines: [`description ${neighbor.host_address}`] };
    return routeMap(`from${family}`, [...entries, refused]);
  }

  /** Without prefixes that an export policy denies. */
  #expectedOf({ accept, host_address: announcer }: Filtered, family: Family) {
    return accept
      .filter((prefix) => familyOf(prefix) === family)
      .flatMap((prefix) => {
        const preference = this.#preferences.get(`${prefix} ${announcer}`);
        if (preference === undefined) return [];
        const exported = announced(
          { prefix, announcer, preference },
          { asNumber: this.#asNumber, exports: this.#exports },
        );
        return exported.attributes === null ? [] : [{ prefix, attributes: exported.attributes }];
      });
  }

  /**
   * bgpd 8.4 cannot set an AS path. A longer one than is expected makes a path less preferred, so only one that should have
   * been prepended is compared. Another one, such as that of a neighbor which has not got the newest policy yet, is not
   * refused, for its prefix would be lost meanwhile: import policies meet it with the lowest local preference.
   */
  #entriesFor(match: string, attributes: PathAttributes, neighbor: string): MapEntry[] {
    const entry = (expected: PathAttributes, ...matches: readonly string[]): MapEntry => ({
      action: 'permit',
      lines: [
        ...(this.#import === null ? [] : [`call ${this.#import}`]),
        ...matches.toSorted(inTheirOrder),
        ...this.#pinned(expected, neighbor),
      ],
    });
    if (attributes.as_path.length === 0) return [entry(attributes, match)];
    const prepended = this.#lists.asPath(`^${attributes.as_path.join('_')}$`);
    return [entry(attributes, match, prepended), entry({ ...attributes, local_pref: 0 }, match)];
  }

  #pinned({ local_pref, med, communities, next_hop }: PathAttributes, neighbor: string): string[] {
    const community = communities.length === 0 ? 'none' : communities.join(' ');
    return [
      ...setLines({ local_pref, med, community, next_hop }, this.#asNumber),
      `set large-community ${announcerCommunity(this.#asNumber, neighbor)}`,
      // Between equals the router id decides, which a neighbor chooses itself.
      `set originator-id ${routerIdOf(neighbor)}`,
    ].sort(inTheirOrder);
  }
}

/** The filters of a configuration. */
export function inboundFilters(lines: readonly ConfigLine[]): InboundFilter[] {
  return lines.flatMap(({ path, line }) => {
    const [, neighbor, map] = /^neighbor (\S+) route-map (pn-from[46]-\S+) in$/.exec(line) ?? [];
    if (neighbor === undefined || map === undefined) return [];
    const family = path.at(-1) === 'address-family ipv4 unicast' ? 4 : 6;
    return [{ map, neighbor, family } as const];
  });
}
