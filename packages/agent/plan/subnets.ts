// Prefixes behind peers: which of the peers in front of a prefix packets go to, and by which interface. Where BGP decides
// it says which peer; else the most preferred one does whose path is alive. A peer without a bgpd is used as in a static
// network, by its preference beside that of the peer which BGP takes. A node that has a tunnel to that peer uses it;
// else packets go by the hub that the rest of the network goes by.

import { contains, parsePrefix } from '@powernode/core/net/prefix';
import { hopOrder } from '@powernode/core/routing/hop-order';
import type { NodeDocument } from '@powernode/core/wire/node-document';
import type { SubnetEntry } from '@powernode/core/wire/routing-entries';
import { destinationIn, tablesOf } from '../subsystems/policy-rules/tables.ts';
import { noDevice } from '../subsystems/routes/steps.ts';
import {
  allow,
  isUsable,
  type NextHop,
  nextHopOf,
  type Overrides,
  preferred,
  usedBefore,
} from './next-hops.ts';
import type { PathSituation } from './probe-health.ts';

/** The same prefix behind one peer or several of a network, the most preferred first. */
interface Subnet {
  readonly networkId: string;
  readonly prefix: string;
  /** As `ip route` takes it. */
  readonly destination: string;
  readonly entries: readonly SubnetEntry[];
}

interface Situation {
  readonly paths: PathSituation;
  /** For each route of the document the interface that it goes by; null: none. */
  readonly choices: ReadonlyMap<string, string | null>;
  readonly before: Overrides;
}

/** `extraAllowedIps` begins with those of anycast addresses. */
export function subnetOverrides(situation: Situation, anycast: Overrides): Overrides {
  const { paths } = situation;
  const { document } = paths.index;
  const subnets = subnetsOf(document);
  if (subnets.length === 0) return anycast;
  const routes = new Map(anycast.routes);
  const extraAllowedIps = new Map(anycast.extraAllowedIps);
  for (const subnet of subnets) {
    const nextHops = hopsOf(subnet, paths);
    if (nextHops === null) continue;
    const inUse = usedBefore(situation.before, { route: subnet.destination, prefix: subnet.prefix });
    const used = preferred(nextHops, inUse.isUsed);
    const device =
      used !== undefined && isUsable(used, false) ? used.device : hubDevice(subnet.networkId, situation);
    if (device !== null) routes.set(subnet.destination, device);
    // Its answers come straight too when nothing is sent there straight by this node.
    const leafHop = used?.isLeaf
      ? used
      : preferred(
          nextHops.filter((one) => one.isLeaf),
          inUse.isLeafHop,
        );
    if (leafHop !== undefined) allow(extraAllowedIps, leafHop.tunnel, [subnet.prefix]);
  }
  for (const destination of ownDestinations(document, subnets)) routes.set(destination, noDevice);
  return { routes, extraAllowedIps };
}

/**
 * LANs of this machine as they are there, where another peer is in front of the same addresses: what comes for them by
 * the network is left to the routes that the machine has itself.
 */
function ownDestinations(document: NodeDocument, subnets: readonly Subnet[]): string[] {
  const tables = tablesOf(document);
  return [...document.all('lan').values()].flatMap(({ network_id: networkId, local_prefix: local }) => {
    const [table, own] = [tables.get(networkId), parsePrefix(local)];
    if (table === undefined || own === null) return [];
    const isElsewhere = subnets.some((one) => {
      const other = one.networkId === networkId ? parsePrefix(one.prefix) : null;
      return other !== null && contains(other, own);
    });
    return isElsewhere ? [destinationIn(table, local)] : [];
  });
}

const known = new WeakMap<NodeDocument, readonly Subnet[]>();

/** Without those that this machine is in front of itself. */
function subnetsOf(document: NodeDocument): readonly Subnet[] {
  let subnets = known.get(document);
  if (subnets === undefined) {
    subnets = grouped(document);
    known.set(document, subnets);
  }
  return subnets;
}

function grouped(document: NodeDocument): Subnet[] {
  const own = new Set(
    [...document.all('lan').values()].map((entry) => `${entry.network_id} ${entry.prefix}`),
  );
  const tables = tablesOf(document);
  const groups = new Map<string, SubnetEntry[]>();
  for (const entry of document.all('subnet').values()) {
    const key = `${entry.network_id} ${entry.prefix}`;
    if (own.has(key)) continue;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [entry]);
    else group.push(entry);
  }
  return [...groups.values()].flatMap((entries) => {
    const [first] = entries;
    const table = tables.get(first?.network_id ?? '');
    if (first === undefined || table === undefined) return [];
    const ordered = entries.sort(
      (a, b) => b.preference - a.preference || (a.subnet_id < b.subnet_id ? -1 : 1),
    );
    return [
      {
        networkId: first.network_id,
        prefix: first.prefix,
        destination: destinationIn(table, first.prefix),
        entries: ordered,
      },
    ];
  });
}

/** Where its packets can go, the most preferred first; null: nowhere, for nobody announces it. */
function hopsOf(subnet: Subnet, paths: PathSituation): NextHop[] | null {
  const isBgp = paths.index.document.inNetwork('bgp', subnet.networkId).length > 0;
  const decided = isBgp ? (paths.bgp.of(subnet.networkId)?.nextHops(subnet.prefix) ?? null) : null;
  if (decided === null) return subnet.entries.flatMap((entry) => hopTo(entry, paths) ?? []);
  const hops = hopOrder(subnet.entries, decided);
  if (hops.length === 0) return null;
  return hops.flatMap(
    ({ address, entry }) =>
      (entry === undefined ? hopToAddress(subnet.networkId, address, paths) : hopTo(entry, paths)) ?? [],
  );
}

/** The tunnel to a peer that is not in front of the prefix: a policy has set the next hop. */
function hopToAddress(networkId: string, address: string, paths: PathSituation): NextHop | undefined {
  const { index } = paths;
  const destination = `${address}/128`;
  const [transit = ''] = index.routes.get(destination)?.via ?? [];
  for (const { name, purpose } of index.document.inNetwork('interface', networkId)) {
    const peer =
      purpose !== 'transit'
        ? index.peerAt(name, destination)
        : name === transit
          ? index.transitPeer(name)
          : undefined;
    if (peer !== undefined) return nextHopOf({ interface: name, public_key: peer.public_key }, paths);
  }
  return undefined;
}

/** The first tunnel to the peer that this node has. */
function hopTo(entry: SubnetEntry, paths: PathSituation): NextHop | undefined {
  for (const one of entry.by) {
    const hop = nextHopOf(one, paths);
    if (hop !== undefined) return hop;
  }
  return undefined;
}

/** The interface that the prefix of the network goes by, where that leads to a hub. */
function hubDevice(networkId: string, { paths, choices }: Situation): string | null {
  const { document, interfaces } = paths.index;
  for (const { prefixes } of document.inNetwork('firewall', networkId)) {
    for (const prefix of prefixes) {
      const device = choices.get(prefix) ?? null;
      if (device !== null && interfaces.get(device)?.purpose === 'transit') return device;
    }
  }
  return null;
}
