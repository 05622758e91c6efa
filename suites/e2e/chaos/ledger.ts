// What the platform has acknowledged, replayed without the platform: each object by its revisions. At the end the
// platform must show exactly this: nothing lost, nothing done twice, nothing of its own invention.
import type { Network } from '@powernode/core/intent/network';
import type { Peer } from '@powernode/core/intent/peer';

/** What changes of the object itself decide, and nothing that is observed or follows from other objects. */
const networkFields = [
  'id',
  'name',
  'description',
  'handle',
  'prefix',
  'mtu',
  'topology_strategy',
  'routing_mode',
  'firewall_default_policy',
  'created_at',
  'updated_at',
  'revision',
] as const satisfies readonly (keyof Network)[];

const peerFields = [
  'id',
  'network_id',
  'node_instance_id',
  'public_key',
  'host_address',
  'role',
  'publicly_reachable_source',
  'endpoint_address',
  'endpoint',
  'listen_port',
  'tags',
  'created_at',
  'updated_at',
  'revision',
] as const satisfies readonly (keyof Peer)[];

interface Versioned {
  readonly id: string;
  readonly revision: number;
}

/** One kind of object: every acknowledged version of each, and which of them were taken away. */
class Shelf<T extends Versioned> {
  readonly #noun: string;
  readonly #versions = new Map<string, Map<number, T>>();
  readonly #gone = new Set<string>();
  readonly #wrong: string[] = [];

  constructor(noun: string) {
    this.#noun = noun;
  }

  put(object: T): void {
    const versions = this.#versions.get(object.id) ?? new Map<number, T>();
    this.#versions.set(object.id, versions);
    if (versions.has(object.revision)) {
      this.#wrong.push(
        `two acknowledged changes made revision ${object.revision} of ${this.#name(object.id)}`,
      );
    }
    versions.set(object.revision, object);
  }

  takeAway(id: string): void {
    if (this.#gone.has(id)) this.#wrong.push(`${this.#name(id)} was taken away twice`);
    this.#gone.add(id);
  }

  isGone(id: string): boolean {
    return this.#gone.has(id);
  }

  /** The newest version of what is there. */
  present(): T[] {
    return [...this.#versions].flatMap(([id, versions]) => {
      const newest = versions.get(Math.max(...versions.keys()));
      return this.#gone.has(id) || newest === undefined ? [] : [newest];
    });
  }

  /** Each revision was made by exactly one acknowledged change. */
  wrong(): string[] {
    const holes = [...this.#versions].flatMap(([id, versions]) => {
      const [first, last] = [Math.min(...versions.keys()), Math.max(...versions.keys())];
      return versions.size === last - first + 1
        ? []
        : [
            `revisions of ${this.#name(id)} without an acknowledged change: ${[...versions.keys()].join(', ')}`,
          ];
    });
    return [...this.#wrong, ...holes];
  }

  #name(id: string): string {
    return `${this.#noun} ${id}`;
  }
}

export class Ledger {
  readonly #networks = new Shelf<Network>('network');
  readonly #peers = new Shelf<Peer>('peer');
  /** Acknowledged changes. */
  count = 0;

  /** What was there before. */
  begin(present: { readonly networks: readonly Network[]; readonly peers: readonly Peer[] }): void {
    for (const network of present.networks) this.#networks.put(network);
    for (const peer of present.peers) this.#peers.put(peer);
  }

  wroteNetwork(network: Network): void {
    this.count++;
    this.#networks.put(network);
  }

  wrotePeer(peer: Peer): void {
    this.count++;
    this.#peers.put(peer);
  }

  deletedNetwork(id: string): void {
    this.count++;
    this.#networks.takeAway(id);
  }

  detachedPeer(id: string): void {
    this.count++;
    this.#peers.takeAway(id);
  }

  networks(): Network[] {
    return this.#networks.present();
  }

  /** A network takes its peers with it. */
  peers(): Peer[] {
    return this.#peers.present().filter((peer) => !this.#networks.isGone(peer.network_id));
  }

  /** What is wrong with the answers by themselves. */
  contradictions(): string[] {
    return [...this.#networks.wrong(), ...this.#peers.wrong()];
  }

  expected(): Inventory {
    return inventoryOf({ networks: this.networks(), peers: this.peers() });
  }
}

export interface Inventory {
  readonly networks: readonly object[];
  readonly peers: readonly object[];
}

/** Networks and peers as they are compared: sorted, and only what changes of them decide. */
export function inventoryOf(found: {
  readonly networks: readonly Network[];
  readonly peers: readonly Peer[];
}): Inventory {
  return {
    networks: sorted(found.networks).map((network) => only(network, networkFields)),
    peers: sorted(found.peers).map((peer) => only(peer, peerFields)),
  };
}

function sorted<T extends Versioned>(objects: readonly T[]): T[] {
  return [...objects].sort((a, b) => (a.id < b.id ? -1 : 1));
}

function only<T extends object>(object: T, fields: readonly (keyof T)[]): Partial<T> {
  return Object.fromEntries(fields.map((field) => [field, object[field]])) as Partial<T>;
}
