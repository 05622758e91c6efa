// The entries of one network by peer class: what nodes of a class have by their class, and because of each peer. Compiled
// once for all nodes of the class, with sums of digests that give the hash of a document without walking it. Belongs to
// network-index.ts.
import type { InstanceId, PeerId } from '../ids.ts';
import type { EntryValue } from '../wire/document.ts';
import { addDigests, subtractDigests } from './digest.ts';
import {
  type AdvertisedAddresses,
  type PeerClass,
  peerClassEntries,
  peerClasses,
  peerClassOf,
  type TransitHub,
} from './entries.ts';
import type { NetworkModel, PeerModel } from './model.ts';
import { CompiledEntry } from './patch.ts';
import { peerEntries } from './peer-entries.ts';

/** The entries because of one peer, by the class of the node that has them. */
export type EntriesByClass = Readonly<Record<PeerClass, readonly CompiledEntry[]>>;

/** Entries before and after a change; undefined: none. */
export interface EntriesDelta {
  readonly before: EntriesByClass | undefined;
  readonly after: EntriesByClass | undefined;
}

/** What the entries are compiled from. */
export interface ClassEntriesInput {
  readonly network: NetworkModel;
  readonly transit: readonly TransitHub[];
  readonly advertised: AdvertisedAddresses;
  peer(id: PeerId): PeerModel | undefined;
}

export class ClassEntries {
  /** Entries that a node has by its class alone; undefined: not compiled yet. */
  #network: EntriesByClass | undefined;
  readonly #peers = new Map<PeerId, EntriesByClass>();
  /** The same without empty lists, so that the document of a node with few tunnels is compiled from these few. */
  readonly #nonEmpty = byPeerClass(() => new Map<PeerId, readonly CompiledEntry[]>());
  readonly #members = byPeerClass(() => new Set<InstanceId>());
  readonly #sums = byPeerClass(() => 0n);

  /** Adds a node to its class. */
  join(network: NetworkModel, peer: PeerModel): void {
    this.#members[peerClassOf(network, peer)].add(peer.instanceId);
  }

  leave(network: NetworkModel, peer: PeerModel): void {
    this.#members[peerClassOf(network, peer)].delete(peer.instanceId);
  }

  /** Instances of that peer class. */
  members(peerClass: PeerClass): ReadonlySet<InstanceId> {
    return this.#members[peerClass];
  }

  /** All entries that a node of that class has by its class, and because of other peers. */
  from(peerClass: PeerClass, selfId: PeerId): CompiledEntry[] {
    const found = [...(this.#network?.[peerClass] ?? [])];
    for (const [id, entries] of this.#nonEmpty[peerClass]) {
      if (id !== selfId) for (const entry of entries) found.push(entry);
    }
    return found;
  }

  /** The entries of a node of that class because of one peer. */
  of(peerClass: PeerClass, peerId: PeerId): readonly CompiledEntry[] {
    return this.#nonEmpty[peerClass].get(peerId) ?? [];
  }

  digestFrom(peerClass: PeerClass, selfId: PeerId): bigint {
    return subtractDigests(this.#sums[peerClass], sumDigests(this.#peers.get(selfId)?.[peerClass] ?? []));
  }

  /** Compiles again what nodes have by their class alone. */
  refreshNetwork({ network, transit }: ClassEntriesInput): EntriesDelta {
    const before = this.#network;
    const after = entriesByClass((from) => peerClassEntries(network, from, transit));
    this.#network = after;
    this.#count({ before, after });
    return { before, after };
  }

  /** Compiles again what nodes have because of a peer. */
  refreshPeer(id: PeerId, { network, advertised, peer }: ClassEntriesInput): EntriesDelta {
    const before = this.#peers.get(id);
    const other = peer(id);
    const after =
      other === undefined
        ? undefined
        : entriesByClass((from) => peerEntries(network, other, { from, advertised }));
    if (after === undefined) this.#peers.delete(id);
    else this.#peers.set(id, after);
    for (const peerClass of peerClasses) {
      const entries = after?.[peerClass] ?? [];
      if (entries.length === 0) this.#nonEmpty[peerClass].delete(id);
      else this.#nonEmpty[peerClass].set(id, entries);
    }
    this.#count({ before, after });
    return { before, after };
  }

  #count({ before, after }: EntriesDelta): void {
    for (const peerClass of peerClasses) {
      const less = subtractDigests(this.#sums[peerClass], sumDigests(before?.[peerClass] ?? []));
      this.#sums[peerClass] = addDigests(less, sumDigests(after?.[peerClass] ?? []));
    }
  }
}

function entriesByClass(compile: (from: PeerClass) => EntryValue[]): EntriesByClass {
  // Most entries are the same for several classes: kept once.
  const compiled = new Map<string, readonly CompiledEntry[]>();
  return byPeerClass((from) => {
    const values = compile(from);
    const text = JSON.stringify(values);
    const entries = compiled.get(text) ?? values.map((value) => new CompiledEntry(value));
    compiled.set(text, entries);
    return entries;
  });
}

function byPeerClass<T>(make: (peerClass: PeerClass) => T): Record<PeerClass, T> {
  return {
    transit: make('transit'),
    hub: make('hub'),
    reachable: make('reachable'),
    hole_punchable: make('hole_punchable'),
    unreachable: make('unreachable'),
    keyless: make('keyless'),
  };
}

export function sumDigests(entries: Iterable<CompiledEntry>): bigint {
  let total = 0n;
  for (const entry of entries) total += entry.digest;
  return BigInt.asUintN(128, total);
}
