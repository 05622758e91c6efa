// How each peer of one network looks from each standing, held once for all nodes of that standing, with sums of
// digests by which the hash of a document is known without walking it. Belongs to network-index.ts.
import type { InstanceId, PeerId } from '../ids.ts';
import type { EntryValue } from '../wire/document.ts';
import { addDigests, subtractDigests } from './digest.ts';
import {
  type Carried,
  type Standing,
  standingEntries,
  standingOf,
  standings,
  type TransitHub,
} from './entries.ts';
import type { NetworkModel, PeerModel } from './model.ts';
import { CompiledEntry } from './patch.ts';
import { entriesBecauseOf } from './seen-entries.ts';

/** How one peer looks from each standing. */
export type Views = Readonly<Record<Standing, readonly CompiledEntry[]>>;

/** Looks before and after a change; undefined: not there. */
export interface Looks {
  readonly before: Views | undefined;
  readonly after: Views | undefined;
}

/** What the looks are made from. */
export interface Sights {
  readonly network: NetworkModel;
  readonly transit: readonly TransitHub[];
  readonly carried: Carried;
  peer(id: PeerId): PeerModel | undefined;
}

export class NetworkViews {
  /** What nodes have by their standing alone; undefined: not made yet. */
  #network: Views | undefined;
  readonly #peers = new Map<PeerId, Views>();
  /** The same without what is empty, so that a node that sees few of many is made by a walk over these few. */
  readonly #seen = byStanding(() => new Map<PeerId, readonly CompiledEntry[]>());
  readonly #members = byStanding(() => new Set<InstanceId>());
  readonly #sums = byStanding(() => 0n);

  /** Notes the standing of a node. */
  join(network: NetworkModel, peer: PeerModel): void {
    this.#members[standingOf(network, peer)].add(peer.instanceId);
  }

  leave(network: NetworkModel, peer: PeerModel): void {
    this.#members[standingOf(network, peer)].delete(peer.instanceId);
  }

  /** Instances of that standing. */
  members(standing: Standing): ReadonlySet<InstanceId> {
    return this.#members[standing];
  }

  /** All that a node of that standing has by it, and sees but for itself. */
  from(standing: Standing, selfId: PeerId): CompiledEntry[] {
    const found = [...(this.#network?.[standing] ?? [])];
    for (const [id, entries] of this.#seen[standing]) {
      if (id !== selfId) for (const entry of entries) found.push(entry);
    }
    return found;
  }

  /** How one peer looks from there. */
  of(standing: Standing, peerId: PeerId): readonly CompiledEntry[] {
    return this.#seen[standing].get(peerId) ?? [];
  }

  digestFrom(standing: Standing, selfId: PeerId): bigint {
    return subtractDigests(this.#sums[standing], sumDigests(this.#peers.get(selfId)?.[standing] ?? []));
  }

  /** Makes anew what nodes have by their standing alone. */
  refreshNetwork({ network, transit }: Sights): Looks {
    const before = this.#network;
    const after = viewsOf((from) => standingEntries(network, from, transit));
    this.#network = after;
    this.#count({ before, after });
    return { before, after };
  }

  /** Makes the looks of a peer anew. */
  refreshPeer(id: PeerId, { network, carried, peer }: Sights): Looks {
    const before = this.#peers.get(id);
    const other = peer(id);
    const after =
      other === undefined
        ? undefined
        : viewsOf((from) => entriesBecauseOf(network, other, { from, carried }));
    if (after === undefined) this.#peers.delete(id);
    else this.#peers.set(id, after);
    for (const standing of standings) {
      const entries = after?.[standing] ?? [];
      if (entries.length === 0) this.#seen[standing].delete(id);
      else this.#seen[standing].set(id, entries);
    }
    this.#count({ before, after });
    return { before, after };
  }

  #count({ before, after }: Looks): void {
    for (const standing of standings) {
      const less = subtractDigests(this.#sums[standing], sumDigests(before?.[standing] ?? []));
      this.#sums[standing] = addDigests(less, sumDigests(after?.[standing] ?? []));
    }
  }
}

function viewsOf(look: (from: Standing) => EntryValue[]): Views {
  // Most looks are the same from several standings: kept once.
  const made = new Map<string, readonly CompiledEntry[]>();
  return byStanding((from) => {
    const values = look(from);
    const text = JSON.stringify(values);
    const entries = made.get(text) ?? values.map((value) => new CompiledEntry(value));
    made.set(text, entries);
    return entries;
  });
}

function byStanding<T>(make: (standing: Standing) => T): Record<Standing, T> {
  return {
    transit: make('transit'),
    hub: make('hub'),
    open: make('open'),
    punch: make('punch'),
    closed: make('closed'),
    bare: make('bare'),
  };
}

export function sumDigests(entries: Iterable<CompiledEntry>): bigint {
  let total = 0n;
  for (const entry of entries) total += entry.digest;
  return BigInt.asUintN(128, total);
}
