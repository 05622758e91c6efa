// The fast compiler: one network held in memory, so that a change costs what it reaches and no more.
// Nodes of one standing see a peer alike; each distinct entry is made once and shared by all of them, and sums of
// digests give every node's document hash without walking its document. The naive compiler is its reference.
import { addDigests, subtractDigests } from './digest.ts';
import {
  entriesBecauseOf,
  ownEntries,
  type Standing,
  standingOf,
  transitEntries,
  transitHubs,
} from './entries.ts';
import type { NetworkModel, PeerModel } from './model.ts';
import { CompiledEntry, diffEntries, isEmptyPatch, mergePatches, type Patch } from './patch.ts';

const standings = ['hub', 'open', 'closed'] as const satisfies readonly Standing[];

/** What a change does to the nodes: one shared patch per standing, and patches of single nodes beside. */
export interface Effect {
  readonly shared: readonly SharedPatch[];
  /** By instance. A node in both a shared group and here gets both; their keys are disjoint. */
  readonly single: ReadonlyMap<string, Patch>;
}

export interface SharedPatch {
  readonly instances: readonly string[];
  readonly patch: Patch;
}

export interface PeerChange {
  readonly before: PeerModel | null;
  readonly after: PeerModel | null;
}

/** How one peer looks from each standing. */
type Views = Record<Standing, readonly CompiledEntry[]>;

export class NetworkIndex {
  #network: NetworkModel;
  readonly #peers = new Map<string, PeerModel>();
  readonly #byInstance = new Map<string, PeerModel>();
  readonly #views = new Map<string, Views>();
  readonly #members: Record<Standing, Set<string>> = { hub: new Set(), open: new Set(), closed: new Set() };
  #transit: readonly PeerModel[] = [];
  #hubs = new Map<string, PeerModel>();
  /** For each standing: the sum of the digests of all that such a node sees, itself included. */
  readonly #sums: Record<Standing, bigint> = { hub: 0n, open: 0n, closed: 0n };

  constructor(network: NetworkModel, peers: Iterable<PeerModel> = []) {
    this.#network = network;
    for (const peer of peers) this.#remember(peer);
    this.#transit = transitHubs(this.#hubs.values());
    for (const peer of this.#peers.values()) this.#see(peer);
  }

  get network(): NetworkModel {
    return this.#network;
  }
  get size(): number {
    return this.#peers.size;
  }
  get transit(): readonly PeerModel[] {
    return this.#transit;
  }

  peer(id: string): PeerModel | undefined {
    return this.#peers.get(id);
  }
  peerOfInstance(instanceId: string): PeerModel | undefined {
    return this.#byInstance.get(instanceId);
  }
  peers(): IterableIterator<PeerModel> {
    return this.#peers.values();
  }

  /** The entries of one node in this network; none when it is not a member. */
  compile(instanceId: string): CompiledEntry[] {
    const self = this.#byInstance.get(instanceId);
    if (self === undefined) return [];
    const standing = this.#standing(self);
    const entries = this.#individual(self, this.#transit);
    for (const [peerId, views] of this.#views) if (peerId !== self.id) entries.push(...views[standing]);
    return entries;
  }

  /** The digest of `compile(instanceId)`, in time that does not grow with the network. */
  digest(instanceId: string): bigint {
    const self = this.#byInstance.get(instanceId);
    if (self === undefined) return 0n;
    const standing = this.#standing(self);
    const others = subtractDigests(this.#sums[standing], sum(this.#views.get(self.id)?.[standing] ?? []));
    return addDigests(others, sum(this.#individual(self, this.#transit)));
  }

  /** Changes one peer (attach, change, detach) and says what that does to whom. */
  change({ before, after }: PeerChange): Effect {
    const transitBefore = this.#transit;
    // What a node sees of the others follows from its standing: while that stays, only its own part can change.
    const sameStanding =
      before !== null && after !== null && this.#standing(before) === this.#standing(after);
    const own = (peer: PeerModel | null): CompiledEntry[] => {
      if (peer === null) return [];
      return sameStanding ? this.#individual(peer, this.#transit) : this.compile(peer.instanceId);
    };
    const ownBefore = own(before);
    if (before !== null) this.#forget(before);
    if (after !== null) this.#remember(after);
    const hubsMoved = before?.hubSlot != null || after?.hubSlot != null;
    if (hubsMoved) this.#transit = transitHubs(this.#hubs.values());
    const changedId = after?.id ?? before?.id ?? '';

    const touched = new Set([changedId]);
    if (hubsMoved) for (const hub of [...transitBefore, ...this.#transit]) touched.add(hub.id);
    const views = this.#refresh(touched);

    const single = new Map<string, Patch>();
    if (hubsMoved && transitChanged(transitBefore, this.#transit)) {
      this.#changeTransitOfSpokes(single, { before: transitBefore, except: changedId });
    }
    const changed = (after ?? before) as PeerModel;
    const ownPatch = diffEntries(ownBefore, own(after));
    if (!isEmptyPatch(ownPatch)) single.set(changed.instanceId, ownPatch);
    return { shared: this.#sharedPatches(views, changedId), single };
  }

  /** Changes the network itself; every node may get something. */
  changeNetwork(network: NetworkModel): Effect {
    const before = new Map(
      [...this.#peers.values()].map((peer) => [peer.instanceId, this.compile(peer.instanceId)]),
    );
    this.#network = network;
    for (const standing of standings) this.#members[standing].clear();
    for (const peer of this.#peers.values()) {
      this.#members[standingOf(network, peer)].add(peer.instanceId);
      this.#unsee(peer.id);
      this.#see(peer);
    }
    const single = new Map<string, Patch>();
    for (const [instanceId, entries] of before) {
      const patch = diffEntries(entries, this.compile(instanceId));
      if (!isEmptyPatch(patch)) single.set(instanceId, patch);
    }
    return { shared: [], single };
  }

  #standing(peer: PeerModel): Standing {
    return standingOf(this.#network, peer);
  }

  #remember(peer: PeerModel): void {
    this.#peers.set(peer.id, peer);
    this.#byInstance.set(peer.instanceId, peer);
    this.#members[this.#standing(peer)].add(peer.instanceId);
    if (peer.hubSlot !== null) this.#hubs.set(peer.id, peer);
  }

  #forget(peer: PeerModel): void {
    this.#peers.delete(peer.id);
    this.#byInstance.delete(peer.instanceId);
    this.#members[this.#standing(peer)].delete(peer.instanceId);
    this.#hubs.delete(peer.id);
  }

  /** Takes a peer's looks into the sums. */
  #see(peer: PeerModel): void {
    const asTransit = this.#transit.some((hub) => hub.id === peer.id);
    const look = (from: Standing) =>
      entriesBecauseOf(this.#network, peer, { from, asTransit }).map((value) => new CompiledEntry(value));
    const open = look('open');
    const closed = asTransit ? open : look('closed');
    const views: Views = { hub: look('hub'), open, closed };
    this.#views.set(peer.id, views);
    for (const standing of standings) {
      this.#sums[standing] = addDigests(this.#sums[standing], sum(views[standing]));
    }
  }

  #unsee(peerId: string): Views | undefined {
    const views = this.#views.get(peerId);
    this.#views.delete(peerId);
    if (views === undefined) return undefined;
    for (const standing of standings) {
      this.#sums[standing] = subtractDigests(this.#sums[standing], sum(views[standing]));
    }
    return views;
  }

  /** Makes the looks of some peers anew; answers how they looked and how they look. */
  #refresh(peerIds: Iterable<string>): Map<string, { before: Views | undefined; after: Views | undefined }> {
    const result = new Map<string, { before: Views | undefined; after: Views | undefined }>();
    for (const peerId of peerIds) {
      const before = this.#unsee(peerId);
      const peer = this.#peers.get(peerId);
      if (peer !== undefined) this.#see(peer);
      result.set(peerId, { before, after: this.#views.get(peerId) });
    }
    return result;
  }

  #sharedPatches(
    views: ReadonlyMap<string, { before: Views | undefined; after: Views | undefined }>,
    changedId: string,
  ): SharedPatch[] {
    const changedInstance = this.#peers.get(changedId)?.instanceId;
    const shared: SharedPatch[] = [];
    for (const standing of standings) {
      // A transit hub sees itself only as `hub`, and only spokes see it otherwise: no group meets itself here.
      let patch: Patch | undefined;
      for (const { before, after } of views.values()) {
        const one = diffEntries(before?.[standing] ?? [], after?.[standing] ?? []);
        if (!isEmptyPatch(one)) patch = patch === undefined ? one : mergePatches(patch, one);
      }
      if (patch === undefined) continue;
      const instances = [...this.#members[standing]].filter((id) => id !== changedInstance);
      if (instances.length > 0) shared.push({ instances, patch });
    }
    return shared;
  }

  #changeTransitOfSpokes(
    single: Map<string, Patch>,
    change: { readonly before: readonly PeerModel[]; readonly except: string },
  ): void {
    for (const standing of ['open', 'closed'] as const) {
      for (const instanceId of this.#members[standing]) {
        const spoke = this.#byInstance.get(instanceId);
        if (spoke === undefined || spoke.id === change.except) continue;
        const compiled = (transit: readonly PeerModel[]) =>
          transitEntries(this.#network, spoke, transit).map((value) => new CompiledEntry(value));
        const patch = diffEntries(compiled(change.before), compiled(this.#transit));
        if (!isEmptyPatch(patch)) single.set(instanceId, patch);
      }
    }
  }

  #individual(self: PeerModel, transit: readonly PeerModel[]): CompiledEntry[] {
    const values = [...ownEntries(this.#network, self), ...transitEntries(this.#network, self, transit)];
    return values.map((value) => new CompiledEntry(value));
  }
}

function transitChanged(before: readonly PeerModel[], after: readonly PeerModel[]): boolean {
  return (
    before.length !== after.length ||
    before.some((hub, i) => hub.id !== after[i]?.id || hub.hubSlot !== after[i]?.hubSlot)
  );
}

function sum(entries: readonly CompiledEntry[]): bigint {
  let total = 0n;
  for (const entry of entries) total = addDigests(total, entry.digest);
  return total;
}
