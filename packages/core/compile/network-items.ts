// The objects of one network beside its peers, held in memory with what each of them gives to whom, and with what it
// was made from, so that only those are made anew whose parts have changed. Belongs to network-index.ts.
import { addDigests, subtractDigests } from './digest.ts';
import { hostAddressesOf, type TransitHub } from './entries.ts';
import { carriedBy, type Lookup, memberEntries, tagsNamed, viewsOf } from './items.ts';
import type { Item, NetworkModel, PeerModel } from './model.ts';
import { CompiledEntry } from './patch.ts';

/** What one object gives. */
export interface Given {
  readonly everyone: readonly CompiledEntry[];
  readonly peers: ReadonlyMap<string, readonly CompiledEntry[]>;
  readonly carried: readonly { readonly peerId: string; readonly addresses: readonly string[] }[];
}

/** What one object gave, and what it gives. */
export interface Remade {
  readonly before: Given;
  readonly after: Given;
}

const nothingGiven: Given = { everyone: [], peers: new Map(), carried: [] };

/** What the items look up in the network. */
export interface Surroundings {
  readonly network: NetworkModel;
  peer(id: string): PeerModel | undefined;
  readonly transit: readonly TransitHub[];
  hubs(): readonly PeerModel[];
}

/** Stand for all hubs, and for those that spokes keep an interface to, among the things that an item depends on. */
export const allHubs = 'hubs';
export const allTransit = 'transit hubs';

export class NetworkItems {
  readonly #items = new Map<string, Item>();
  readonly #given = new Map<string, Given>();
  /** Ids of peers, items or `allHubs`, and what was made from them. */
  readonly #dependents = new Map<string, Set<string>>();
  readonly #dependsOn = new Map<string, Set<string>>();
  /** By peer: what single items give it. */
  readonly #perPeer = new Map<string, Map<string, readonly CompiledEntry[]>>();
  readonly #carried = new Map<string, Map<string, readonly string[]>>();
  /** How many rules name a tag. */
  readonly #named = new Map<string, number>();
  readonly #tagged = new Map<string, Set<string>>();
  /** The sum of the digests of what everyone has. */
  #sum = 0n;

  get digestOfEveryone(): bigint {
    return this.#sum;
  }

  item(id: string): Item | undefined {
    return this.#items.get(id);
  }
  items(): IterableIterator<Item> {
    return this.#items.values();
  }

  carried = (peerId: string): readonly string[] => {
    const carried = this.#carried.get(peerId);
    return carried === undefined ? [] : [...carried.values()].flat();
  };

  everyone(): CompiledEntry[] {
    const found: CompiledEntry[] = [];
    for (const given of this.#given.values()) for (const entry of given.everyone) found.push(entry);
    return found;
  }

  ofPeer(peerId: string): CompiledEntry[] {
    return [...(this.#perPeer.get(peerId)?.values() ?? [])].flat();
  }

  /** Puts an item in place of an older one of the same id, or takes it away. What follows is `refresh`'s to do. */
  put(id: string, item: Item | null): void {
    const before = this.#items.get(id);
    if (before?.type === 'firewall_rule') this.#count(before, -1);
    if (before?.type === 'user_device') this.#tag(membership(id), { before: before.tags, after: [] });
    if (item === null) this.#items.delete(id);
    else this.#items.set(id, item);
    if (item?.type === 'firewall_rule') this.#count(item, 1);
    if (item?.type === 'user_device') this.#tag(membership(id), { before: [], after: item.tags });
  }

  /** Notes the tags of a peer. */
  tagPeer(id: string, tags: { readonly before: readonly string[]; readonly after: readonly string[] }): void {
    this.#tag(membership(id), tags);
  }

  /** Items that were made from one of these, and are to be made anew when it changes. */
  madeFrom(ids: Iterable<string>): Set<string> {
    const found = new Set<string>();
    for (const id of ids) for (const made of this.#dependents.get(id) ?? []) found.add(made);
    return found;
  }

  /** Memberships that come or go when a rule takes the place of another: of tags first named by it, or last. */
  membershipsMoved({
    before,
    after,
  }: {
    readonly before: Item | null;
    readonly after: Item | null;
  }): Set<string> {
    const counts = new Map<string, number>();
    const count = (item: Item | null, by: 1 | -1) => {
      if (item?.type !== 'firewall_rule') return;
      for (const tag of tagsNamed(item)) counts.set(tag, (counts.get(tag) ?? 0) + by);
    };
    count(before, -1);
    count(after, 1);
    const moved = new Set<string>();
    for (const [tag, by] of counts) {
      const now = this.#named.get(tag) ?? 0;
      if (now > 0 === now + by > 0) continue;
      for (const id of this.#tagged.get(tag) ?? []) moved.add(id);
    }
    return moved;
  }

  /** Makes one thing anew; answers what it gave and what it gives. */
  refresh(id: string, around: Surroundings): Remade {
    const before = this.#given.get(id) ?? nothingGiven;
    this.#take(id, before);
    const after = this.#make(id, around);
    if (after === nothingGiven) this.#given.delete(id);
    else this.#given.set(id, after);
    for (const entry of after.everyone) this.#sum = addDigests(this.#sum, entry.digest);
    for (const [peerId, entries] of after.peers) put2(this.#perPeer, peerId, id, entries);
    for (const { peerId, addresses } of after.carried) put2(this.#carried, peerId, id, addresses);
    return { before, after };
  }

  #take(id: string, given: Given): void {
    for (const entry of given.everyone) this.#sum = subtractDigests(this.#sum, entry.digest);
    for (const peerId of given.peers.keys()) remove2(this.#perPeer, peerId, id);
    for (const { peerId } of given.carried) remove2(this.#carried, peerId, id);
    for (const part of this.#dependsOn.get(id) ?? []) {
      const dependents = this.#dependents.get(part);
      dependents?.delete(id);
      if (dependents?.size === 0) this.#dependents.delete(part);
    }
    this.#dependsOn.delete(id);
  }

  #make(id: string, around: Surroundings): Given {
    if (id.startsWith(membershipHead)) return this.#makeMembership(id, around);
    const item = this.#items.get(id);
    if (item === undefined) return nothingGiven;
    const parts = new Set<string>();
    const noted = <T>(part: string, value: T): T => {
      parts.add(part);
      return value;
    };
    const lookup: Lookup = {
      network: around.network,
      peer: (peerId) => noted(peerId, around.peer(peerId)),
      item: (itemId) => noted(itemId, this.#items.get(itemId)),
      get transit() {
        return noted(allTransit, around.transit);
      },
      hubs: () => noted(allHubs, around.hubs()),
    };
    const views = viewsOf(item, lookup);
    this.#dependsOn.set(id, parts);
    for (const part of parts) {
      const dependents = this.#dependents.get(part) ?? new Set();
      this.#dependents.set(part, dependents.add(id));
    }
    const peers = new Map<string, readonly CompiledEntry[]>();
    for (const [peerId, values] of views.peers) peers.set(peerId, compiled(values));
    return { everyone: compiled(views.everyone), peers, carried: carriedBy(item) };
  }

  #makeMembership(id: string, around: Surroundings): Given {
    const memberId = id.slice(membershipHead.length);
    const peer = around.peer(memberId);
    const device = this.#items.get(memberId);
    let member: { tags: readonly string[]; addresses: readonly string[] } | undefined;
    if (peer !== undefined) member = { tags: peer.tags, addresses: hostAddressesOf(peer) };
    else if (device?.type === 'user_device') member = device;
    if (member === undefined) return nothingGiven;
    const entries = memberEntries(around.network, member, (tag) => this.#named.has(tag));
    return entries.length === 0
      ? nothingGiven
      : { everyone: compiled(entries), peers: new Map(), carried: [] };
  }

  #count(rule: Extract<Item, { type: 'firewall_rule' }>, by: 1 | -1): void {
    for (const tag of tagsNamed(rule)) {
      const count = (this.#named.get(tag) ?? 0) + by;
      if (count === 0) this.#named.delete(tag);
      else this.#named.set(tag, count);
    }
  }

  #tag(id: string, tags: { readonly before: readonly string[]; readonly after: readonly string[] }): void {
    for (const tag of tags.before) {
      const members = this.#tagged.get(tag);
      members?.delete(id);
      if (members?.size === 0) this.#tagged.delete(tag);
    }
    for (const tag of tags.after) this.#tagged.set(tag, (this.#tagged.get(tag) ?? new Set()).add(id));
  }
}

const membershipHead = 'membership/';

/** The name under which the groups of a peer or a device are kept among the items. */
export function membership(id: string): string {
  return `${membershipHead}${id}`;
}

function compiled(values: readonly ConstructorParameters<typeof CompiledEntry>[0][]): CompiledEntry[] {
  return values.map((value) => new CompiledEntry(value));
}

function put2<V>(map: Map<string, Map<string, V>>, first: string, second: string, value: V): void {
  const inner = map.get(first) ?? new Map<string, V>();
  map.set(first, inner.set(second, value));
}

function remove2<V>(map: Map<string, Map<string, V>>, first: string, second: string): void {
  const inner = map.get(first);
  inner?.delete(second);
  if (inner?.size === 0) map.delete(first);
}
