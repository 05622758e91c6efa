// The objects of one network beside its peers, held in memory with what each of them gives to whom, and with what it
// was made from, so that only those are made anew whose parts have changed. Belongs to network-index.ts.
import type { PeerId } from '../ids.ts';
import { Dependencies, type Sources } from './dependencies.ts';
import { addDigests, subtractDigests } from './digest.ts';
import { hostAddressesOf, type TransitHub } from './entries.ts';
import { advertisedBy, contributionOf, memberOf, tagsNamed } from './items/index.ts';
import type { Member } from './items/kind.ts';
import { memberEntries } from './items/members.ts';
import type { Item, ItemId, MemberId, NetworkModel, PeerModel } from './model.ts';
import { CompiledEntry } from './patch.ts';

/** What one object gives to documents. */
export interface Contribution {
  readonly all: readonly CompiledEntry[];
  readonly peers: ReadonlyMap<PeerId, readonly CompiledEntry[]>;
  readonly advertised: readonly { readonly peerId: PeerId; readonly addresses: readonly string[] }[];
}

/** What one object gave, and what it gives. */
export interface ContributionDelta {
  readonly before: Contribution;
  readonly after: Contribution;
}

const emptyContribution: Contribution = { all: [], peers: new Map(), advertised: [] };

/** What the items look up in the network. */
export interface NetworkLookup {
  readonly network: NetworkModel;
  peer(id: PeerId): PeerModel | undefined;
  readonly transit: readonly TransitHub[];
  hubs(): readonly PeerModel[];
}

export class NetworkItems {
  readonly #items = new Map<ItemId, Item>();
  readonly #contributions = new Map<ItemId, Contribution>();
  /** By peer or device: its groups, as far as rules name them. Everyone has them. */
  readonly #memberships = new Map<MemberId, readonly CompiledEntry[]>();
  readonly #dependencies = new Dependencies();
  /** By peer: what single items give it. */
  readonly #perPeer = new Map<PeerId, Map<ItemId, readonly CompiledEntry[]>>();
  readonly #advertised = new Map<PeerId, Map<ItemId, readonly string[]>>();
  /** How many rules name a tag. */
  readonly #named = new Map<string, number>();
  /** By tag: peers and devices that have it. */
  readonly #tagged = new Map<string, Set<MemberId>>();
  /** The sum of the digests of what everyone has. */
  #sum = 0n;

  get sharedDigest(): bigint {
    return this.#sum;
  }

  item(id: ItemId): Item | undefined {
    return this.#items.get(id);
  }
  items(): IterableIterator<Item> {
    return this.#items.values();
  }

  advertised = (peerId: PeerId): readonly string[] => {
    const advertised = this.#advertised.get(peerId);
    return advertised === undefined ? [] : [...advertised.values()].flat();
  };

  shared(): CompiledEntry[] {
    const found: CompiledEntry[] = [];
    for (const { all } of this.#contributions.values()) for (const entry of all) found.push(entry);
    for (const groups of this.#memberships.values()) for (const entry of groups) found.push(entry);
    return found;
  }

  ofPeer(peerId: PeerId): CompiledEntry[] {
    return [...(this.#perPeer.get(peerId)?.values() ?? [])].flat();
  }

  /** Puts an item in place of an older one of the same id, or takes it away. What follows is `refresh`'s to do. */
  put(id: ItemId, item: Item | null): void {
    const before = this.#items.get(id);
    if (before !== undefined) this.#count(before, -1);
    if (item === null) this.#items.delete(id);
    else this.#items.set(id, item);
    if (item !== null) this.#count(item, 1);
    this.#tag(id, { before: tagsOf(before ?? null), after: tagsOf(item) });
  }

  /** Notes the tags of a peer. */
  tagPeer(id: PeerId, tags: { readonly before: readonly string[]; readonly after: readonly string[] }): void {
    this.#tag(id, tags);
  }

  /** Items that were made from one of these, and are to be made anew when it changes. */
  dependentsOf(sources: Partial<Sources>): Set<ItemId> {
    return this.#dependencies.dependentsOf(sources);
  }

  /**
   * Peers and devices whose memberships come or go when a rule takes the place of another: of tags first named by it, or
   * last.
   */
  changedMemberships({
    before,
    after,
  }: {
    readonly before: Item | null;
    readonly after: Item | null;
  }): Set<MemberId> {
    const counts = new Map<string, number>();
    const count = (item: Item | null, by: 1 | -1) => {
      for (const tag of item === null ? [] : tagsNamed(item)) counts.set(tag, (counts.get(tag) ?? 0) + by);
    };
    count(before, -1);
    count(after, 1);
    const moved = new Set<MemberId>();
    for (const [tag, by] of counts) {
      const now = this.#named.get(tag) ?? 0;
      if (now > 0 === now + by > 0) continue;
      for (const id of this.#tagged.get(tag) ?? []) moved.add(id);
    }
    return moved;
  }

  /** Makes an item anew; answers what it gave and what it gives. */
  refreshItem(id: ItemId, around: NetworkLookup): ContributionDelta {
    const before = this.#contributions.get(id) ?? emptyContribution;
    for (const peerId of before.peers.keys()) remove2(this.#perPeer, peerId, id);
    for (const { peerId } of before.advertised) remove2(this.#advertised, peerId, id);
    const after = this.#make(id, around);
    if (after === emptyContribution) this.#contributions.delete(id);
    else this.#contributions.set(id, after);
    for (const [peerId, entries] of after.peers) put2(this.#perPeer, peerId, id, entries);
    for (const { peerId, addresses } of after.advertised) put2(this.#advertised, peerId, id, addresses);
    this.#replaced(before.all, after.all);
    return { before, after };
  }

  /** The same for the groups of a peer or a device. */
  refreshMembership(memberId: MemberId, around: NetworkLookup): ContributionDelta {
    const before = this.#memberships.get(memberId) ?? [];
    const after = this.#membershipOf(memberId, around);
    if (after.length === 0) this.#memberships.delete(memberId);
    else this.#memberships.set(memberId, after);
    this.#replaced(before, after);
    return { before: { ...emptyContribution, all: before }, after: { ...emptyContribution, all: after } };
  }

  #replaced(before: readonly CompiledEntry[], after: readonly CompiledEntry[]): void {
    for (const entry of before) this.#sum = subtractDigests(this.#sum, entry.digest);
    for (const entry of after) this.#sum = addDigests(this.#sum, entry.digest);
  }

  #make(id: ItemId, around: NetworkLookup): Contribution {
    const item = this.#items.get(id);
    if (item === undefined) {
      this.#dependencies.forget(id);
      return emptyContribution;
    }
    const sources = { peers: new Set<PeerId>(), items: new Set<ItemId>(), hubs: false, transit: false };
    const items = this.#items;
    const views = contributionOf(item, {
      network: around.network,
      peer: (peerId) => {
        sources.peers.add(peerId);
        return around.peer(peerId);
      },
      item: (itemId) => {
        sources.items.add(itemId);
        return items.get(itemId);
      },
      get transit() {
        sources.transit = true;
        return around.transit;
      },
      hubs: () => {
        sources.hubs = true;
        return around.hubs();
      },
    });
    this.#dependencies.set(id, sources);
    const peers = new Map<PeerId, readonly CompiledEntry[]>();
    for (const [peerId, values] of views.peers) peers.set(peerId, compiled(values));
    return { all: compiled(views.all), peers, advertised: advertisedBy(item) };
  }

  #membershipOf(memberId: MemberId, around: NetworkLookup): readonly CompiledEntry[] {
    // The id of a peer is never that of an item, so that it is looked for among both.
    const peer = around.peer(memberId as PeerId);
    const item = this.#items.get(memberId as ItemId);
    let member: Member | null = null;
    if (peer !== undefined) member = { tags: peer.tags, addresses: hostAddressesOf(peer) };
    else if (item !== undefined) member = memberOf(item);
    if (member === null) return [];
    return compiled(memberEntries(around.network, member, (tag) => this.#named.has(tag)));
  }

  #count(item: Item, by: 1 | -1): void {
    for (const tag of tagsNamed(item)) {
      const count = (this.#named.get(tag) ?? 0) + by;
      if (count === 0) this.#named.delete(tag);
      else this.#named.set(tag, count);
    }
  }

  #tag(
    memberId: MemberId,
    tags: { readonly before: readonly string[]; readonly after: readonly string[] },
  ): void {
    for (const tag of tags.before) {
      const members = this.#tagged.get(tag);
      members?.delete(memberId);
      if (members?.size === 0) this.#tagged.delete(tag);
    }
    for (const tag of tags.after) this.#tagged.set(tag, (this.#tagged.get(tag) ?? new Set()).add(memberId));
  }
}

function tagsOf(item: Item | null): readonly string[] {
  return item === null ? [] : (memberOf(item)?.tags ?? []);
}

function compiled(values: readonly ConstructorParameters<typeof CompiledEntry>[0][]): CompiledEntry[] {
  return values.map((value) => new CompiledEntry(value));
}

function put2<A, B, V>(map: Map<A, Map<B, V>>, first: A, second: B, value: V): void {
  const inner = map.get(first) ?? new Map<B, V>();
  map.set(first, inner.set(second, value));
}

function remove2<A, B, V>(map: Map<A, Map<B, V>>, first: A, second: B): void {
  const inner = map.get(first);
  inner?.delete(second);
  if (inner?.size === 0) map.delete(first);
}
