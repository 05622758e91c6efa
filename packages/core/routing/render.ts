// The whole configuration of a node's bgpd in one network, in an order that follows from the input alone, and those of the
// node's other daemons. Defaults have no line: the running configuration would not show them.
import * as limits from '../limits/routing.ts';
import { familyOf } from '../net/address.ts';
import { AcceptedPaths } from './accepted.ts';
import { compilePolicies, type RouteMap, routeMap } from './compile.ts';
import { type ConfigLine, context, inContext } from './config-lines.ts';
import { announcerCommunity } from './identity.ts';
import { Lists } from './lists.ts';
import type { Neighbor, Policy, Routing } from './model.ts';

const bfdProfile = 'powernode';
/** Denies everything: what a group has until a neighbor has a route-map of its own. */
const nothing = 'pn-none';

export function renderBgpd(routing: Routing): ConfigLine[] {
  return new Rendering(routing).lines();
}

/** The policies alone: their lists and route-maps. */
export function renderPolicies(policies: readonly Policy[], asNumber: number): ConfigLine[] {
  const lists = new Lists();
  const maps = (['import', 'export'] as const).flatMap(
    (direction) => compilePolicies(policies, { direction, asNumber, lists }) ?? [],
  );
  return [...lists.lines(), ...maps.flatMap(({ lines }) => lines)];
}

/** zebra has no lines: it tracks next hops and nothing else, by its defaults. */
export const bfddConfig: readonly ConfigLine[] = [
  { path: [], line: 'bfd' },
  { path: ['bfd'], line: `profile ${bfdProfile}` },
  ...inContext(
    ['bfd', `profile ${bfdProfile}`],
    [`transmit-interval ${limits.bfdIntervalMs}`, `receive-interval ${limits.bfdIntervalMs}`],
  ),
];

/** What sessions have in common: neighbors of one role whose paths are accepted alike. */
interface Group {
  readonly name: string;
  readonly role: Neighbor['role'];
  /** Each neighbor has a route-map with the prefixes that are accepted from it. */
  readonly isFiltered: boolean;
}

class Rendering {
  readonly #routing: Routing;
  readonly #lists = new Lists();
  readonly #maps = new Map<string, readonly ConfigLine[]>();
  readonly #neighbors: readonly {
    readonly neighbor: Neighbor;
    readonly group: Group;
    /** What it may announce; null: everything. */
    readonly maps: Readonly<Record<4 | 6, string>> | null;
  }[];
  readonly #groups: readonly Group[];
  readonly #import: string | null;
  readonly #export: string | null;
  readonly #networks: Readonly<Record<4 | 6, readonly string[]>>;
  readonly #router: string;

  constructor(routing: Routing) {
    this.#routing = routing;
    const { speaker, neighbors, policies } = routing;
    this.#router = `router bgp ${speaker.as_number}`;
    const common = { asNumber: speaker.as_number, lists: this.#lists };
    this.#import = this.#map(compilePolicies(policies, { ...common, direction: 'import' }));
    this.#export = this.#map(compilePolicies(policies, { ...common, direction: 'export' }));
    const accepted = new AcceptedPaths(routing, { lists: this.#lists, importMap: this.#import });
    this.#neighbors = neighbors
      .toSorted((a, b) => (a.host_address < b.host_address ? -1 : 1))
      .map((neighbor) => ({
        ...{ neighbor, group: groupOf(neighbor) },
        maps: this.#neighborMaps(neighbor, accepted),
      }));
    this.#groups = [...new Map(this.#neighbors.map(({ group }) => [group.name, group])).values()].toSorted(
      (a, b) => (a.name < b.name ? -1 : 1),
    );
    if (this.#groups.some(({ isFiltered }) => isFiltered)) {
      this.#maps.set(nothing, context(`route-map ${nothing} deny 1`, []));
    }
    this.#networks = { 4: this.#networkLines(4), 6: this.#networkLines(6) };
  }

  lines(): ConfigLine[] {
    const maps = [...this.#maps].toSorted(([a], [b]) => (a < b ? -1 : 1)).flatMap(([, lines]) => lines);
    return [
      { path: [], line: `bgp route-map delay-timer ${limits.routeMapDelaySeconds}` },
      ...this.#lists.lines(),
      ...maps,
      ...context(this.#router, this.#speakerLines()),
      ...this.#familyLines('ipv4 unicast', 4),
      ...this.#familyLines('ipv6 unicast', 6),
    ];
  }

  #map(map: RouteMap | null): string | null {
    return map === null ? null : this.#add(map);
  }

  #add({ name, lines }: RouteMap): string {
    this.#maps.set(name, lines);
    return name;
  }

  #announcer(hostAddress: string): string {
    return announcerCommunity(this.#routing.speaker.as_number, hostAddress);
  }

  #neighborMaps({ accept, host_address }: Neighbor, accepted: AcceptedPaths): Record<4 | 6, string> | null {
    if (accept === null) return null;
    const mapOf = (family: 4 | 6) => this.#add(accepted.mapOf({ accept, host_address }, family));
    return { 4: mapOf(4), 6: mapOf(6) };
  }

  #speakerLines(): string[] {
    const { speaker } = this.#routing;
    return [
      `bgp router-id ${speaker.router_id}`,
      // Paths have AS numbers that policies prepend and none of neighbors, so that metrics are always of one administration.
      'bgp always-compare-med',
      'no bgp default ipv4-unicast',
      // Prefixes are announced although no kernel route is known to bgpd.
      'no bgp network import-check',
      `timers bgp ${limits.keepaliveSeconds} ${limits.holdSeconds}`,
      ...this.#groups.flatMap(({ name }) => [
        `neighbor ${name} peer-group`,
        `neighbor ${name} remote-as internal`,
        `neighbor ${name} bfd`,
        `neighbor ${name} bfd profile ${bfdProfile}`,
        `neighbor ${name} update-source ${speaker.host_address}`,
        `neighbor ${name} timers connect ${limits.connectSeconds}`,
        `neighbor ${name} capability extended-nexthop`,
      ]),
      ...this.#neighbors.map(
        ({ neighbor, group }) => `neighbor ${neighbor.host_address} peer-group ${group.name}`,
      ),
    ];
  }

  #familyLines(name: string, family: 4 | 6): ConfigLine[] {
    const opening = `address-family ${name}`;
    const lines = [
      ...this.#networks[family],
      ...this.#groups.flatMap((group) => this.#groupLines(group)),
      ...this.#neighbors.flatMap(({ neighbor, maps }) => neighborLines(neighbor, maps?.[family], family)),
    ];
    return lines.length === 0
      ? []
      : [{ path: [this.#router], line: opening }, ...inContext([this.#router, opening], lines)];
  }

  #groupLines({ name, role, isFiltered }: Group): string[] {
    const inbound = isFiltered ? nothing : this.#import;
    const isReflector = this.#routing.speaker.role === 'reflector';
    return [
      `neighbor ${name} activate`,
      ...(isReflector ? [`neighbor ${name} addpath-tx-all-paths`] : []),
      ...(role === 'client' ? [`neighbor ${name} route-reflector-client`] : []),
      // No soft-reconfiguration: while bgpd 8.4 evaluates stored paths anew, other changes of their prefixes are lost. It
      // asks the neighbor for its paths instead (route refresh).
      // Policies prepend the own AS number, which bgpd takes for a loop.
      `neighbor ${name} allowas-in ${limits.ownAsAccepted}`,
      ...(inbound === null ? [] : [`neighbor ${name} route-map ${inbound} in`]),
    ];
  }

  #networkLines(family: 4 | 6): string[] {
    const { host_address } = this.#routing.speaker;
    const own = this.#routing.subnets.flatMap(({ prefix, announcers }) => {
      const announcer = announcers.find(({ next_hop }) => next_hop === host_address);
      return announcer === undefined || familyOf(prefix) !== family ? [] : [{ prefix, ...announcer }];
    });
    return own
      .toSorted((a, b) => (a.prefix < b.prefix ? -1 : 1))
      .map(({ prefix, preference }) => `network ${prefix} route-map ${this.#originMap(preference)}`);
  }

  /**
   * Export policies act here, and sessions have no outbound map: bgpd 8.4 leaves paths with a neighbor that it should
   * withdraw, when such a map changes and all paths are sent. They see what the lines below them set.
   */
  #originMap(preference: number): string {
    const lines = [
      ...(this.#export === null ? [] : [`call ${this.#export}`]),
      `set large-community ${this.#announcer(this.#routing.speaker.host_address)}`,
      ...(preference === limits.localPreferenceDefault ? [] : [`set local-preference ${preference}`]),
    ];
    return this.#add(routeMap('origin', [{ action: 'permit', lines }]));
  }
}

function groupOf({ role, accept }: Neighbor): Group {
  const isFiltered = accept !== null;
  return { name: isFiltered ? `pn-${role}` : `pn-${role}-all`, role, isFiltered };
}

/** More prefixes than are accepted are logged, and never end the session. */
function neighborLines({ host_address, accept }: Neighbor, map: string | undefined, family: 4 | 6): string[] {
  if (accept === null || map === undefined) return [];
  const count = accept.filter((prefix) => familyOf(prefix) === family).length;
  return [
    `neighbor ${host_address} maximum-prefix ${Math.max(1, count)} 100 warning-only force`,
    `neighbor ${host_address} route-map ${map} in`,
  ];
}
