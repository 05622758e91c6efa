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
    ...linkDifferences(entry, { link, addresses: allAddressesOf(document, entry) }),
    ...same(`public key of ${entry.name}`, entry.public_key, found.publicKey),
    ...(entry.listen_port === 0 ? [] : same(`port of ${entry.name}`, entry.listen_port, found.listenPort)),
    ...peerDifferences(entry.name, { peers, direct: directKeys(document, entry.name) }, found),
  ];
}

function linkDifferences(
  entry: InterfaceEntry,
  { link, addresses }: { readonly link: KernelLink; readonly addresses: readonly string[] },
): string[] {
  return [
    ...same(`${entry.name} is up`, true, link.up),
    ...same(`mtu of ${entry.name}`, entry.mtu, link.mtu),
    ...sameList(`addresses of ${entry.name}`, addresses, link.addresses),
  ];
}

/** Its own, those for probes, those that the node holds there, and on a transit interface the node's IPv4 address. */
function allAddressesOf(document: Document, entry: InterfaceEntry): string[] {
  const held = of(document, 'virtual_ip').filter((one) => one.interface === entry.name);
  const lent = entry.purpose === 'transit' ? ownAddressesIn(document, entry.network_id).filter(isIpv4) : [];
  return [
    ...entry.addresses,
    ...entry.probe_addresses,
    ...held.flatMap((one) => one.addresses),
    ...lent,
  ].sort();
}

/** Of the network's leaf interface, from which packets into the network are sent. */
function ownAddressesIn(document: Document, networkId: string): readonly string[] {
  const leaf = of(document, 'interface').find(
    (one) => one.network_id === networkId && one.purpose === 'leaf',
  );
  return leaf?.addresses ?? [];
}

function isIpv4(text: string): boolean {
  return !text.includes(':');
}

/** Spokes that are met without a hub: where nobody answers they are not called any more. */
function directKeys(document: Document, name: string): ReadonlySet<string> {
  const probes = of(document, 'probe').filter((one) => one.interface === name && one.purpose === 'direct');
  return new Set(probes.map((probe) => probe.public_key));
}

function peerDifferences(
  name: string,
  { peers: wanted, direct }: { readonly peers: readonly PeerEntry[]; readonly direct: ReadonlySet<string> },
  found: KernelInterface,
): string[] {
  const keys = wanted.map((peer) => peer.public_key).sort();
  return [
    ...sameList(`peers of ${name}`, keys, [...found.peers.keys()].sort()),
    ...wanted.flatMap((peer) => {
      const seen = found.peers.get(peer.public_key);
      if (seen === undefined) return [];
      const isSilenced = direct.has(peer.public_key) && seen.endpoint === null && seen.keepalive === 0;
      const what = `of peer ${peer.public_key} on ${name}`;
      return [
        ...sameList(`allowed IPs ${what}`, peer.allowed_ips.map(canonical).sort(), seen.allowedIps),
        ...(isSilenced ? [] : same(`keepalive ${what}`, peer.keepalive, seen.keepalive)),
        ...same(`preshared key ${what}`, false, seen.presharedKey),
        // Where it is may have been learnt from its packets since; only a place that is unknown is wrong.
        ...(peer.endpoint !== null && seen.endpoint === null && !isSilenced ? [`no endpoint ${what}`] : []),
      ];
    }),
  ];
}

function routeDifferences(document: Document, kernel: Kernel): string[] {
  const wanted = new Map(of(document, 'route').map((route) => [route.destination, route]));
  const own = new Set(
    of(document, 'interface').flatMap((one) =>
      allAddressesOf(document, one).map((address) => `${address} ${one.name}`),
    ),
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
    else if (!fits(document, entry, route)) differences.push(`${text}, but wanted ${JSON.stringify(entry)}`);
    seen.add(route.destination);
  }
  for (const entry of wanted.values()) {
    if (seen.has(entry.destination) || isLeftToProof(document, entry)) continue;
    differences.push(`missing route ${JSON.stringify(entry)}`);
  }
  return differences;
}

function fits(document: Document, entry: RouteEntry, route: Kernel['routes'][number]): boolean {
  const source = ownAddressesIn(document, entry.network_id).find(
    (address) => isIpv4(address) === isIpv4(entry.destination),
  );
  return entry.via.includes(route.device) && route.source === (source?.split('/', 1)[0] ?? null);
}

/** A spoke that is met without a hub when probes prove it; else its packets go by the hub. Probes always go there. */
function isLeftToProof(document: Document, { destination, via }: RouteEntry): boolean {
  const probes = of(document, 'probe');
  if (probes.some((probe) => destination === `${probe.target}/128`)) return false;
  const direct = probes.filter((probe) => probe.purpose === 'direct' && probe.interface === via[0]);
  return of(document, 'peer').some(
    (peer) =>
      peer.interface === via[0] &&
      peer.allowed_ips.includes(destination) &&
      direct.some((probe) => probe.public_key === peer.public_key),
  );
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
