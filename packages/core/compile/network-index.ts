// The fast compiler: one network held in memory, so that a change costs what it reaches and no more.
// Nodes of one peer class see a peer alike; each distinct entry is made once and shared by all of them, and sums of
// digests give every node's document hash without walking its document. The naive compiler is its reference.
import type { InstanceId, PeerId } from '../ids.ts';
import { bgpEntries } from './bgp-entries.ts';
import { ClassEntries, type ClassEntriesInput, sumDigests } from './class-entries.ts';
import { addDigests } from './digest.ts';
import {
  isTransit,
  ownEntries,
  type PeerClass,
  peerClassOf,
  relayKey,
  type TransitHub,
  transitHubs,
} from './entries.ts';
import { type Impact, ImpactCollector } from './impact.ts';
import { advertisedBy, memberOf } from './items/index.ts';
import type { Item, ItemId, MemberId, NetworkModel, PeerModel } from './model.ts';
import { NetworkItems, type NetworkLookup } from './network-items.ts';
import { type ObjectChange, subjectOf } from './object-change.ts';
import { CompiledEntry } from './patch.ts';

export type PeerChange = ObjectChange<PeerModel>;
export type ItemChange = ObjectChange<Item>;

/** What a change may touch: found before it, and compared after it. */
interface Touched {
  /** What nodes have by their peer class alone may differ. */
  readonly network?: boolean;
  /** Peers whose looks may differ. */
  readonly classEntries?: Iterable<PeerId>;
  /** Peers whose own part may differ. */
  readonly own?: Iterable<PeerId>;
  readonly items?: Iterable<ItemId>;
  /** Peers and devices whose groups may differ. */
  readonly memberships?: Iterable<MemberId>;
  /** Instances of which everything may differ: they get that difference, and nothing shared. */
  readonly whole?: ReadonlySet<InstanceId>;
}

const none: ReadonlySet<InstanceId> = new Set();

export class NetworkIndex {
  #network: NetworkModel;
  readonly #peers = new Map<PeerId, PeerModel>();
  readonly #byInstance = new Map<InstanceId, PeerModel>();
  readonly #hubs = new Map<PeerId, PeerModel>();
  #transit: readonly TransitHub[] = [];
  readonly #items = new NetworkItems();
  readonly #classEntries = new ClassEntries();
  readonly #lookup: NetworkLookup & ClassEntriesInput;

  constructor(network: NetworkModel, peers: Iterable<PeerModel> = [], items: Iterable<Item> = []) {
    const present = { network: () => this.#network, transit: () => this.#transit };
    this.#lookup = {
      get network() {
        return present.network();
      },
      get transit() {
        return present.transit();
      },
      advertised: this.#items.advertised,
      peer: (id) => this.#peers.get(id),
      hubs: () => [...this.#hubs.values()],
    };
    this.#network = network;
    for (const peer of peers) this.#remember(peer);
    this.#transit = transitHubs(this.#hubs.values());
    for (const item of items) this.#items.put(item.id, item);
    for (const { id } of this.#items.items()) this.#items.refreshItem(id, this.#lookup);
    for (const id of this.#members()) this.#items.refreshMembership(id, this.#lookup);
    this.#classEntries.refreshNetwork(this.#lookup);
    for (const id of this.#peers.keys()) this.#classEntries.refreshPeer(id, this.#lookup);
  }

  get network(): NetworkModel {
    return this.#network;
  }
  get size(): number {
    return this.#peers.size;
  }
  get transit(): readonly TransitHub[] {
    return this.#transit;
  }

  peer(id: PeerId): PeerModel | undefined {
    return this.#peers.get(id);
  }
  peerOfInstance(instanceId: InstanceId): PeerModel | undefined {
    return this.#byInstance.get(instanceId);
  }
  peers(): IterableIterator<PeerModel> {
    return this.#peers.values();
  }
  hubs(): readonly PeerModel[] {
    return [...this.#hubs.values()];
  }
  item(id: ItemId): Item | undefined {
    return this.#items.item(id);
  }
  items(): IterableIterator<Item> {
    return this.#items.items();
  }
  /** Addresses (with their length) that lead to a peer beside its own. */
  advertised(peerId: PeerId): readonly string[] {
    return this.#items.advertised(peerId);
  }

  /** The entries of one node in this network; none when it is not a member. */
  compile(instanceId: InstanceId): CompiledEntry[] {
    const self = this.#byInstance.get(instanceId);
    if (self === undefined) return [];
    return this.#own(self).concat(
      this.#classEntries.from(this.#peerClass(self), self.id),
      this.#items.shared(),
      this.#items.ofPeer(self.id),
    );
  }

  /**
   * Whether the document of a node has a tunnel under that key: to another peer, or (null) to a device. Nothing is
   * compiled for it, because one frame of a node may name thousands of tunnels.
   */
  hasTunnel(instanceId: InstanceId, key: string, to: PeerId | null): boolean {
    const self = this.#byInstance.get(instanceId);
    if (self === undefined || to === self.id) return false;
    const named = (entries: readonly CompiledEntry[]) => entries.some((entry) => entry.key === key);
    if (to === null) return named(this.#items.ofPeer(self.id));
    if (named(this.#classEntries.of(this.#peerClass(self), to))) return true;
    if (!isTransit(self)) return false;
    return this.#transit.some((hub) => hub.id === to && relayKey(this.#network, hub) === key);
  }

  /** The digest of `compile(instanceId)`, in time that does not grow with the network. */
  digest(instanceId: InstanceId): bigint {
    const self = this.#byInstance.get(instanceId);
    if (self === undefined) return 0n;
    const others = this.#classEntries.digestFrom(this.#peerClass(self), self.id);
    const own = sumDigests([...this.#own(self), ...this.#items.ofPeer(self.id)]);
    return addDigests(addDigests(others, this.#items.sharedDigest), own);
  }

  /** Changes one peer (attach, change, detach) and says what that does to whom. */
  change(change: PeerChange): Impact {
    const { before, after } = change;
    const { id, instanceId } = subjectOf(change);
    const isHub = before?.hubSlot != null || after?.hubSlot != null;
    const transit = (before !== null && isTransit(before)) || (after !== null && isTransit(after));
    const own = new Set([id]);
    if (transit) {
      for (const hub of this.#transit) own.add(hub.id);
      if (!keepsSpokeRoutes(before, after)) for (const spoke of this.#spokes()) own.add(spoke.id);
    }
    const items = this.#items.dependentsOf({ peers: [id], hubs: isHub, transit });
    const stays = before !== null && after !== null && this.#peerClass(before) === this.#peerClass(after);
    const whole = new Set(stays ? [] : [instanceId]);
    return this.#compare(
      { network: transit, classEntries: [id], own, items, memberships: [id], whole },
      () => {
        if (before !== null) this.#forget(before);
        if (after !== null) this.#remember(after);
        if (isHub) this.#transit = transitHubs(this.#hubs.values());
      },
    );
  }

  /** Changes one item and says what that does to whom. */
  changeItem(change: ItemChange): Impact {
    const { before, after } = change;
    const { id } = subjectOf(change);
    const items = this.#items.dependentsOf({ items: [id] }).add(id);
    const memberships = this.#items.changedMemberships({ before, after });
    const looks = new Set<PeerId>();
    for (const item of [before, after]) {
      if (item === null) continue;
      if (memberOf(item) !== null) memberships.add(id);
      for (const { peerId } of advertisedBy(item)) looks.add(peerId);
    }
    // Relays between hubs carry addresses too.
    const own = this.#transit.some((hub) => looks.has(hub.id)) ? this.#transit.map((hub) => hub.id) : [];
    return this.#compare({ classEntries: looks, own, items, memberships }, () => this.#items.put(id, after));
  }

  /** Changes the network itself; every node may get something. */
  changeNetwork(network: NetworkModel): Impact {
    const before = this.#network;
    if (keepsTunnels(before, network)) {
      return this.#compare({ network: true, own: [...this.#peers.keys()] }, () => {
        this.#network = network;
      });
    }
    const all = {
      network: true,
      classEntries: [...this.#peers.keys()],
      items: Array.from(this.#items.items(), ({ id }) => id),
      memberships: [...this.#members()],
      whole: new Set(this.#byInstance.keys()),
    };
    return this.#compare(all, () => {
      this.#network = network;
      for (const peer of this.#peers.values()) {
        this.#classEntries.leave(before, peer);
        this.#classEntries.join(network, peer);
      }
    });
  }

  /** Makes the change and compares all that it may touch. */
  #compare(touched: Touched, change: () => void): Impact {
    const {
      network = false,
      classEntries: looks = [],
      own = [],
      items = [],
      memberships = [],
      whole = none,
    } = touched;
    const collector = new ImpactCollector({
      whole,
      peer: this.#lookup.peer,
      all: () => this.#byInstance.keys(),
      members: (peerClass) => this.#classEntries.members(peerClass),
      peerClass: (peer) => this.#peerClass(peer),
    });
    const wholeBefore = new Map([...whole].map((id) => [id, this.compile(id)]));
    const ownBefore = this.#ownOf(own, whole);
    change();
    const given = Array.from(items, (id) => this.#items.refreshItem(id, this.#lookup));
    for (const id of memberships) given.push(this.#items.refreshMembership(id, this.#lookup));
    const seen = {
      network: network ? this.#classEntries.refreshNetwork(this.#lookup) : null,
      peers: new Map(Array.from(looks, (id) => [id, this.#classEntries.refreshPeer(id, this.#lookup)])),
    };
    for (const [instanceId, after] of this.#ownOf(own, whole)) {
      collector.single(instanceId, { before: ownBefore.get(instanceId) ?? [], after });
    }
    collector.classEntries(seen);
    collector.items(given);
    for (const [id, before] of wholeBefore) collector.single(id, { before, after: this.compile(id) });
    return collector.impact;
  }

  #ownOf(peerIds: Iterable<PeerId>, except: ReadonlySet<InstanceId>): Map<InstanceId, CompiledEntry[]> {
    const own = new Map<InstanceId, CompiledEntry[]>();
    for (const id of peerIds) {
      const peer = this.#peers.get(id);
      if (peer !== undefined && !except.has(peer.instanceId)) own.set(peer.instanceId, this.#own(peer));
    }
    return own;
  }

  #peerClass(peer: PeerModel): PeerClass {
    return peerClassOf(this.#network, peer);
  }

  *#spokes(): Generator<PeerModel> {
    for (const peer of this.#peers.values()) if (peer.hubSlot === null) yield peer;
  }

  /** Whoever may be in groups. */
  *#members(): Generator<MemberId> {
    yield* this.#peers.keys();
    for (const item of this.#items.items()) if (memberOf(item) !== null) yield item.id;
  }

  #remember(peer: PeerModel): void {
    this.#peers.set(peer.id, peer);
    this.#byInstance.set(peer.instanceId, peer);
    this.#classEntries.join(this.#network, peer);
    this.#items.tagPeer(peer.id, { before: [], after: peer.tags });
    if (peer.hubSlot !== null) this.#hubs.set(peer.id, peer);
  }

  #forget(peer: PeerModel): void {
    this.#peers.delete(peer.id);
    this.#byInstance.delete(peer.instanceId);
    this.#classEntries.leave(this.#network, peer);
    this.#items.tagPeer(peer.id, { before: peer.tags, after: [] });
    this.#hubs.delete(peer.id);
  }

  #own(self: PeerModel): CompiledEntry[] {
    const values = [...ownEntries(this.#network, self, this.#lookup), ...bgpEntries(this.#network, self)];
    return values.map((value) => new CompiledEntry(value));
  }
}

/** Whether the way of the spokes to their hubs, which goes by all transit hubs, stays as it is. */
function keepsSpokeRoutes(before: PeerModel | null, after: PeerModel | null): boolean {
  if (before === null || after === null || !isTransit(before) || !isTransit(after)) return false;
  return (
    before.hubSlot === after.hubSlot &&
    before.draining === after.draining &&
    (before.ipv4Address === null) === (after.ipv4Address === null)
  );
}

/** Whether nothing of the network changes but what each node keeps to itself. */
function keepsTunnels(before: NetworkModel, after: NetworkModel): boolean {
  return (
    before.handle === after.handle &&
    before.prefix === after.prefix &&
    before.ipv4Prefix === after.ipv4Prefix &&
    before.topologyStrategy === after.topologyStrategy &&
    before.asNumber === after.asNumber
  );
}
