// The parts of the document that paths depend on, sorted out once and kept up to date with every change. Choosing goes
// through all routes, and on a hub through all spokes that it heard; nothing else that there is many of costs it time.
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

export class DocumentIndex {
  /** By name. */
  readonly interfaces = new Map<string, InterfaceEntry>();
  /** By destination. */
  readonly routes = new Map<string, RouteEntry>();
  /** By target, with its length. */
  readonly probes = new Map<string, ProbeEntry>();
  readonly watches = new Map<string, WatchEntry>();
  readonly virtualIps = new Map<string, VirtualIpEntry>();
  readonly anycasts = new Map<string, AnycastEntry>();
  readonly #peers = new Map<string, PeerEntry>();
  /** By interface and prefix: whose AllowedIPs it is in. */
  readonly #byPrefix = new Map<string, PeerEntry>();
  /** Tunnels that carry nothing before they were probed, by the key of their peer. */
  readonly #direct = new Set<string>();

  /** `keys`: which entries may differ from those before. */
  update(entries: ReadonlyMap<string, EntryValue>, keys: ReadonlySet<string> | 'all'): void {
    if (keys === 'all') {
      this.#clear();
      for (const [key, entry] of entries) this.#put(key, entry);
      return;
    }
    // First all that goes, so that a prefix which moves from one peer to another is found at its new place.
    for (const key of keys) this.#remove(key);
    for (const key of keys) {
      const entry = entries.get(key);
      if (entry !== undefined) this.#put(key, entry);
    }
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
    return this.#peers.get(tunnel);
  }

  /** Whether the node itself answers for a virtual address. */
  holds(virtualIpId: string): boolean {
    return this.virtualIps.has(`virtual_ip/${virtualIpId}`);
  }

  /** Whether a spoke is met by this tunnel without a hub, which has to be proven before it is relied on. */
  isDirect(peer: PeerEntry): boolean {
    return this.#direct.has(tunnelKey({ interface: peer.interface, publicKey: peer.public_key }));
  }

  /** Whether a route leads to a spoke without a hub, and is no route of probes. */
  isDirectRoute(route: RouteEntry): boolean {
    const peer = this.peerAt(route.via[0] ?? '', route.destination);
    return peer !== undefined && this.isDirect(peer) && !this.probes.has(route.destination);
  }

  #clear(): void {
    for (const map of [
      this.interfaces,
      this.routes,
      this.probes,
      this.watches,
      this.virtualIps,
      this.anycasts,
    ]) {
      map.clear();
    }
    this.#peers.clear();
    this.#byPrefix.clear();
    this.#direct.clear();
  }

  #put(key: string, entry: EntryValue): void {
    switch (entry.kind) {
      case 'interface':
        this.interfaces.set(entry.name, entry);
        return;
      case 'route':
        this.routes.set(entry.destination, entry);
        return;
      case 'probe':
        this.probes.set(`${entry.target}/128`, entry);
        if (entry.purpose === 'direct') {
          this.#direct.add(tunnelKey({ interface: entry.interface, publicKey: entry.public_key }));
        }
        return;
      case 'watch':
        this.watches.set(key, entry);
        return;
      case 'virtual_ip':
        this.virtualIps.set(key, entry);
        return;
      case 'anycast':
        this.anycasts.set(key, entry);
        return;
      case 'peer':
        this.#peers.set(key, entry);
        for (const prefix of entry.allowed_ips) this.#byPrefix.set(`${entry.interface} ${prefix}`, entry);
        return;
      default:
        return;
    }
  }

  #remove(key: string): void {
    const slash = key.indexOf('/');
    const name = key.slice(slash + 1);
    switch (key.slice(0, slash)) {
      case 'interface':
        this.interfaces.delete(name);
        return;
      case 'route':
        this.routes.delete(name);
        return;
      case 'probe':
        this.#removeProbe(`${name}/128`);
        return;
      case 'watch':
        this.watches.delete(key);
        return;
      case 'virtual_ip':
        this.virtualIps.delete(key);
        return;
      case 'anycast':
        this.anycasts.delete(key);
        return;
      case 'peer':
        this.#removePeer(key);
    }
  }

  #removeProbe(target: string): void {
    const entry = this.probes.get(target);
    this.probes.delete(target);
    if (entry?.purpose !== 'direct') return;
    this.#direct.delete(tunnelKey({ interface: entry.interface, publicKey: entry.public_key }));
  }

  #removePeer(key: string): void {
    const entry = this.#peers.get(key);
    if (entry === undefined) return;
    this.#peers.delete(key);
    for (const prefix of entry.allowed_ips) {
      const at = `${entry.interface} ${prefix}`;
      if (this.#byPrefix.get(at) === entry) this.#byPrefix.delete(at);
    }
  }
}

/** The key of the entry of the peer that a tunnel leads to. */
export function tunnelKey(tunnel: { readonly interface: string; readonly publicKey: string }): string {
  return `peer/${tunnel.interface}/${tunnel.publicKey}`;
}
