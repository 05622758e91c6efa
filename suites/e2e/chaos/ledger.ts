// What the platform has acknowledged, replayed without the platform: each object by its revisions. At the end the
// platform must show exactly this: nothing lost, nothing done twice, nothing of its own invention.
import { canonicalJson } from '@powernode/core/compile/digest';
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

/** What machines have to know of a network: a change of anything else takes no number of the account's changes. */
const networkFieldsOfNodes = [
  'mtu',
  'topology_strategy',
  'firewall_default_policy',
] as const satisfies readonly (keyof Network)[];

/** The same of a peer. What is declared of one may be what was detected, and then reaches nobody. */
const peerFieldsOfNodes = [
  'public_key',
  'role',
  'endpoints',
  'listen_port',
  'tags',
] as const satisfies readonly (keyof Peer)[];

interface Versioned {
  readonly id: string;
  readonly revision: number;
}

interface Kind<T> {
  readonly noun: string;
  /** By these two versions are told apart. */
  readonly fields: readonly (keyof T)[];
  /** By these a version differs for machines. */
  readonly fieldsOfNodes: readonly (keyof T)[];
}

/**
 * One kind of object: every acknowledged version of each, and after which of them it was taken away. What comes back
 * under its id goes on with the next revision. Nothing depends on the order in which answers come.
 */
class Shelf<T extends Versioned> {
  readonly #kind: Kind<T>;
  readonly #versions = new Map<string, Map<number, T>>();
  readonly #goneAfter = new Map<string, Set<number>>();
  /** Revisions that were there before anything was counted. */
  readonly #first = new Map<string, number>();
  readonly #wrong: string[] = [];

  constructor(kind: Kind<T>) {
    this.#kind = kind;
  }

  /** What was there before. */
  begin(object: T): void {
    this.#first.set(object.id, object.revision);
    this.put(object);
  }

  /** The answer to a change that changed nothing is the version that there is. */
  put(object: T): void {
    const versions = this.#versions.get(object.id) ?? new Map<number, T>();
    this.#versions.set(object.id, versions);
    const known = versions.get(object.revision);
    if (known !== undefined && this.#differs(known, object, this.#kind.fields)) {
      this.#wrong.push(
        `two acknowledged changes made revision ${object.revision} of ${this.#name(object.id)}`,
      );
    }
    versions.set(object.revision, object);
  }

  /** `object`: as it was. */
  revokeAddress({ id, revision }: T): void {
    const after = this.#goneAfter.get(id) ?? new Set<number>();
    this.#goneAfter.set(id, after);
    if (after.has(revision))
      this.#wrong.push(`${this.#name(id)} was taken away twice at revision ${revision}`);
    after.add(revision);
  }

  isGone(id: string): boolean {
    const newest = Math.max(...(this.#versions.get(id)?.keys() ?? []));
    return Math.max(...(this.#goneAfter.get(id) ?? [])) >= newest;
  }

  /** The newest version of what is there. */
  present(): T[] {
    return [...this.#versions].flatMap(([id, versions]) => {
      const newest = versions.get(Math.max(...versions.keys()));
      return this.isGone(id) || newest === undefined ? [] : [newest];
    });
  }

  /** How many numbers of the account's changes each of them took. */
  *numbers(): Generator<[name: string, count: number]> {
    for (const [id, versions] of this.#versions) {
      const goneAfter = this.#goneAfter.get(id) ?? new Set<number>();
      let count = goneAfter.size;
      for (const [revision, version] of versions) {
        if (revision === this.#first.get(id)) continue;
        const before = versions.get(revision - 1);
        const isNew = before === undefined || goneAfter.has(revision - 1);
        if (isNew || this.#differs(before, version, this.#kind.fieldsOfNodes)) count++;
      }
      if (count > 0) yield [this.#name(id), count];
    }
  }

  /** Each revision was made by an acknowledged change, and what was taken away had been there. */
  wrong(): string[] {
    const holes = [...this.#versions].flatMap(([id, versions]) => {
      const [first, last] = [Math.min(...versions.keys()), Math.max(...versions.keys())];
      return versions.size === last - first + 1
        ? []
        : [
            `revisions of ${this.#name(id)} without an acknowledged change: ${[...versions.keys()].join(', ')}`,
          ];
    });
    const unknown = [...this.#goneAfter].flatMap(([id, after]) =>
      [...after]
        .filter((revision) => this.#versions.get(id)?.has(revision) !== true)
        .map((revision) => `${this.#name(id)} was taken away at revision ${revision}, which nobody made`),
    );
    return [...this.#wrong, ...holes, ...unknown];
  }

  #differs(a: T, b: T, fields: readonly (keyof T)[]): boolean {
    return canonicalJson(only(a, fields)) !== canonicalJson(only(b, fields));
  }

  #name(id: string): string {
    return `${this.#kind.noun} ${id}`;
  }
}

export class Ledger {
  readonly #networks = new Shelf<Network>({
    noun: 'network',
    fields: networkFields,
    fieldsOfNodes: networkFieldsOfNodes,
  });
  readonly #peers = new Shelf<Peer>({ noun: 'peer', fields: peerFields, fieldsOfNodes: peerFieldsOfNodes });
  /** The ids of the peers that each machine was in each network. */
  readonly #idsOf = new Map<string, Set<string>>();
  /** Acknowledged changes, whatever they changed. */
  count = 0;

  /** What was there before. */
  begin(present: { readonly networks: readonly Network[]; readonly peers: readonly Peer[] }): void {
    for (const network of present.networks) this.#networks.begin(network);
    for (const peer of present.peers) {
      this.#peers.begin(peer);
      this.#noteId(peer);
    }
  }

  wroteNetwork(network: Network): void {
    this.count++;
    this.#networks.put(network);
  }

  wrotePeer(peer: Peer): void {
    this.count++;
    this.#peers.put(peer);
    this.#noteId(peer);
  }

  deletedNetwork(network: Network): void {
    this.count++;
    this.#networks.revokeAddress(network);
  }

  detachedPeer(peer: Peer): void {
    this.count++;
    this.#peers.revokeAddress(peer);
  }

  /**
   * The numbers that the acknowledged changes of each object took: one each, but for those that changed nothing, or
   * nothing that machines have to know.
   */
  numbers(): Record<string, number> {
    return Object.fromEntries([...this.#networks.numbers(), ...this.#peers.numbers()]);
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
    const changed = [...this.#idsOf].flatMap(([place, ids]) =>
      ids.size === 1 ? [] : [`a machine that came back is another peer: ${place}: ${[...ids].join(', ')}`],
    );
    return [...this.#networks.wrong(), ...this.#peers.wrong(), ...changed];
  }

  /** A machine that comes back into a network within seven days is the same peer. */
  #noteId(peer: Peer): void {
    const place = `machine ${peer.node_instance_id} in network ${peer.network_id}`;
    this.#idsOf.set(place, (this.#idsOf.get(place) ?? new Set()).add(peer.id));
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
