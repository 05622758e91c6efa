// What paths depend on beside the entries of the document themselves: whose AllowedIPs a prefix is in, which tunnels
// lead straight to a spoke, where probes go. Kept up to date with every change; choosing asks for it again and again.
import type {
  AnycastEntry,
  EntryValue,
  InterfaceEntry,
  PeerEntry,
  ProbeEntry,
  RouteEntry,
  VirtualIpEntry,
  WatchEntry,
} from '@powernode/core/wire/document';
import { NodeDocument } from '@powernode/core/wire/node-document';

export class PathIndex {
  #document = NodeDocument.empty;
  /** By interface and prefix: whose AllowedIPs it is in. */
  readonly #byPrefix = new Map<string, PeerEntry>();
  /** Tunnels that carry nothing before they were probed, by the key of their peer. */
  readonly #direct = new Set<string>();
  /** Destinations that probes alone go to. */
  readonly #probed = new Set<string>();

  /** `keys`: which entries may differ from those before. */
  update(document: NodeDocument, keys: ReadonlySet<string> | 'all'): void {
    const before = this.#document.entries;
    this.#document = document;
    if (keys === 'all') {
      for (const index of [this.#byPrefix, this.#direct, this.#probed]) index.clear();
      for (const probe of document.all('probe').values()) this.#put(probe);
      for (const peer of document.all('peer').values()) this.#put(peer);
      return;
    }
    // First all that goes, so that a prefix which moves from one peer to another is found at its new place.
    for (const key of keys) this.#remove(before.get(key));
    for (const key of keys) this.#put(document.entries.get(key));
  }

  get document(): NodeDocument {
    return this.#document;
  }

  /** By name. */
  get interfaces(): ReadonlyMap<string, InterfaceEntry> {
    return this.#document.all('interface');
  }

  /** By destination. */
  get routes(): ReadonlyMap<string, RouteEntry> {
    return this.#document.all('route');
  }

  get probes(): Iterable<ProbeEntry> {
    return this.#document.all('probe').values();
  }

  get watches(): Iterable<WatchEntry> {
    return this.#document.all('watch').values();
  }

  get virtualIps(): Iterable<VirtualIpEntry> {
    return this.#document.all('virtual_ip').values();
  }

  get anycasts(): Iterable<AnycastEntry> {
    return this.#document.all('anycast').values();
  }

  /** The peer on an interface that has this prefix among its AllowedIPs. */
  peerAt(name: string, prefix: string): PeerEntry | undefined {
    return this.#byPrefix.get(`${name} ${prefix}`);
  }

  /** The one peer of a transit interface. */
  transitPeer(name: string): PeerEntry | undefined {
    return this.peerAt(name, '::/0') ?? this.peerAt(name, '0.0.0.0/0');
  }

  peer(tunnel: string): PeerEntry | undefined {
    const entry = this.#document.entries.get(tunnel);
    return entry?.kind === 'peer' ? entry : undefined;
  }

  /** Whether the node itself answers for a virtual address. */
  holds(virtualIpId: string): boolean {
    return this.#document.get('virtual_ip', virtualIpId) !== undefined;
  }

  /** Whether probes go to this destination, and nothing else. */
  isProbed(destination: string): boolean {
    return this.#probed.has(destination);
  }

  /** Whether a spoke is met by this tunnel without a hub, which has to be proven before it is relied on. */
  isDirect(peer: PeerEntry): boolean {
    return this.#direct.has(tunnelKey({ interface: peer.interface, publicKey: peer.public_key }));
  }

  /** Whether a route leads to a spoke without a hub, and is no route of probes. */
  isDirectRoute(route: RouteEntry): boolean {
    const peer = this.peerAt(route.via[0] ?? '', route.destination);
    return peer !== undefined && this.isDirect(peer) && !this.isProbed(route.destination);
  }

  #put(entry: EntryValue | undefined): void {
    if (entry?.kind === 'probe') {
      this.#probed.add(destinationOf(entry));
      if (entry.purpose === 'direct') this.#direct.add(tunnelOf(entry));
    }
    if (entry?.kind !== 'peer') return;
    for (const prefix of entry.allowed_ips) this.#byPrefix.set(`${entry.interface} ${prefix}`, entry);
  }

  #remove(entry: EntryValue | undefined): void {
    if (entry?.kind === 'probe') {
      this.#probed.delete(destinationOf(entry));
      if (entry.purpose === 'direct') this.#direct.delete(tunnelOf(entry));
    }
    if (entry?.kind !== 'peer') return;
    for (const prefix of entry.allowed_ips) {
      const at = `${entry.interface} ${prefix}`;
      if (this.#byPrefix.get(at) === entry) this.#byPrefix.delete(at);
    }
  }
}

function destinationOf(probe: ProbeEntry): string {
  return `${probe.target}/128`;
}

function tunnelOf(probe: ProbeEntry): string {
  return tunnelKey({ interface: probe.interface, publicKey: probe.public_key });
}

/** The key of the entry of the peer that a tunnel leads to. */
export function tunnelKey(tunnel: { readonly interface: string; readonly publicKey: string }): string {
  return `peer/${tunnel.interface}/${tunnel.publicKey}`;
}

/** The other way round. A public key may hold slashes. */
export function readTunnelKey(key: string): { readonly interface: string; readonly publicKey: string } {
  const [, name = '', ...rest] = key.split('/');
  return { interface: name, publicKey: rest.join('/') };
}
