// Whether a host's kernel equals a document: what is missing, what differs, and what nobody asked for, in words.
import type { EntryValue, InterfaceEntry, PeerEntry, RouteEntry } from '@powernode/core/wire/document';
import { canonical, type Kernel, type KernelInterface, type KernelLink } from './kernel.ts';

type Document = ReadonlyMap<string, EntryValue>;

/** rtm_protocol of the agent's routes. */
const routeProtocol = '212';

export function differences(document: Document, kernel: Kernel): string[] {
  const interfaces = of(document, 'interface');
  const names = interfaces.map(({ name }) => name).sort();
  return [
    ...sameList('interfaces of WireGuard', names, [...kernel.interfaces.keys()].sort()),
    ...sameList('links', names, [...kernel.links.keys()].sort()),
    ...interfaces.flatMap((entry) => interfaceDifferences(document, entry, kernel)),
    ...routeDifferences(document, kernel),
    ...same('forwarding', of(document, 'forwarding').length > 0, kernel.forwarding),
    ...sameList('guarded interfaces', names, kernel.guarded ?? []),
    ...same('whether there is a ruleset', names.length > 0, kernel.guarded !== null),
  ];
}

function of<K extends EntryValue['kind']>(document: Document, kind: K): Extract<EntryValue, { kind: K }>[] {
  return [...document.values()].filter((entry) => entry.kind === kind) as Extract<EntryValue, { kind: K }>[];
}

function interfaceDifferences(document: Document, entry: InterfaceEntry, kernel: Kernel): string[] {
  const [found, link] = [kernel.interfaces.get(entry.name), kernel.links.get(entry.name)];
  // Said already by the lists of names.
  if (found === undefined || link === undefined) return [];
  const peers = of(document, 'peer').filter((peer) => peer.interface === entry.name);
  return [
    ...linkDifferences(entry, link),
    ...same(`public key of ${entry.name}`, entry.public_key, found.publicKey),
    ...(entry.listen_port === 0 ? [] : same(`port of ${entry.name}`, entry.listen_port, found.listenPort)),
    ...peerDifferences(entry.name, peers, found),
  ];
}

function linkDifferences(entry: InterfaceEntry, link: KernelLink): string[] {
  return [
    ...same(`${entry.name} is up`, true, link.up),
    ...same(`mtu of ${entry.name}`, entry.mtu, link.mtu),
    ...sameList(`addresses of ${entry.name}`, [...entry.addresses].sort(), link.addresses),
  ];
}

function peerDifferences(name: string, wanted: readonly PeerEntry[], found: KernelInterface): string[] {
  const keys = wanted.map((peer) => peer.public_key).sort();
  return [
    ...sameList(`peers of ${name}`, keys, [...found.peers.keys()].sort()),
    ...wanted.flatMap((peer) => {
      const seen = found.peers.get(peer.public_key);
      if (seen === undefined) return [];
      const what = `of peer ${peer.public_key} on ${name}`;
      return [
        ...sameList(`allowed IPs ${what}`, peer.allowed_ips.map(canonical).sort(), seen.allowedIps),
        ...same(`keepalive ${what}`, peer.keepalive, seen.keepalive),
        ...same(`preshared key ${what}`, false, seen.presharedKey),
        // Where it is may have been learnt from its packets since; only a place that is unknown is wrong.
        ...(peer.endpoint !== null && seen.endpoint === null ? [`no endpoint ${what}`] : []),
      ];
    }),
  ];
}

function routeDifferences(document: Document, kernel: Kernel): string[] {
  const wanted = new Map(of(document, 'route').map((route) => [route.destination, route]));
  const sources = new Map(of(document, 'interface').map((one) => [one.network_id, addressOf(document, one)]));
  const own = new Set(
    of(document, 'interface').flatMap((one) => one.addresses.map((at) => `${at} ${one.name}`)),
  );
  const seen = new Set<string>();
  const differences: string[] = [];
  for (const route of kernel.routes) {
    const text = `route ${route.destination} dev ${route.device} proto ${route.protocol} src ${route.source}`;
    // The kernel has a route of its own to each address of this machine, and to multicast on each link.
    if (route.protocol === 'kernel' && own.has(`${route.destination} ${route.device}`)) continue;
    const entry = wanted.get(route.destination);
    if (route.protocol !== routeProtocol || entry === undefined) differences.push(`nobody asked for ${text}`);
    else if (seen.has(route.destination)) differences.push(`twice: ${text}`);
    else if (!fits(entry, route, sources)) differences.push(`${text}, but wanted ${JSON.stringify(entry)}`);
    seen.add(route.destination);
  }
  for (const entry of wanted.values()) {
    if (!seen.has(entry.destination)) differences.push(`missing route ${JSON.stringify(entry)}`);
  }
  return differences;
}

function fits(
  entry: RouteEntry,
  route: Kernel['routes'][number],
  sources: ReadonlyMap<string, string | null>,
): boolean {
  return entry.via.includes(route.device) && route.source === (sources.get(entry.network_id) ?? null);
}

/** The address of the network's leaf interface, from which packets into the network are sent. */
function addressOf(document: Document, { network_id }: InterfaceEntry): string | null {
  const leaf = of(document, 'interface').find(
    (one) => one.network_id === network_id && one.purpose === 'leaf',
  );
  return leaf?.addresses[0]?.split('/')[0] ?? null;
}

function same(what: string, wanted: unknown, found: unknown): string[] {
  return wanted === found ? [] : [`${what}: wanted ${String(wanted)}, found ${String(found)}`];
}

function sameList(what: string, wanted: readonly string[], found: readonly string[]): string[] {
  const missing = wanted.filter((item) => !found.includes(item));
  const extra = found.filter((item) => !wanted.includes(item));
  return [
    ...(missing.length > 0 ? [`${what}: missing ${missing.join(', ')}`] : []),
    ...(extra.length > 0 ? [`${what}: nobody asked for ${extra.join(', ')}`] : []),
  ];
}
