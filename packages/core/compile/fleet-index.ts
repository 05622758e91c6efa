// All networks of the platform in memory: which document each machine should have, and whom a change reaches.
// One machine may be in several networks; their entries have distinct keys, so its document is their union.
import type { InstanceId, NetworkId } from '../ids.ts';
import type { Delta } from './deltas.ts';
import { addDigests, formatDigest } from './digest.ts';
import { type Impact, noImpact } from './impact.ts';
import type { Item, NetworkModel, PeerModel } from './model.ts';
import { type ItemChange, NetworkIndex, type PeerChange } from './network-index.ts';
import { objectChange, subjectOf } from './object-change.ts';
import { type CompiledEntry, diffEntries, isEmptyPatch, type Patch } from './patch.ts';

/** A change to what networks should be, as data. Written with the rows it describes, in their transaction. */
export type Change =
  | { readonly kind: 'network_created'; readonly network: NetworkModel }
  | { readonly kind: 'network_updated'; readonly network: NetworkModel }
  | { readonly kind: 'network_deleted'; readonly networkId: NetworkId }
  | ({ readonly kind: 'peer_changed'; readonly networkId: NetworkId } & PeerChange)
  | ({ readonly kind: 'item_changed'; readonly networkId: NetworkId } & ItemChange);

/** What a change did: to the documents of nodes, and to the networks themselves. */
export interface Applied {
  readonly impact: Impact;
  /** In the order in which they are to be followed. Empty: there was nothing to change. */
  readonly deltas: readonly Delta[];
}

const nothing: Applied = { impact: noImpact(), deltas: [] };

export class FleetIndex {
  readonly #networks = new Map<NetworkId, NetworkIndex>();
  readonly #networksOf = new Map<InstanceId, Set<NetworkId>>();

  /** Loads a network with all of its peers and items at once, as at a start. */
  load(network: NetworkModel, peers: Iterable<PeerModel>, items: Iterable<Item> = []): void {
    const index = new NetworkIndex(network, peers, items);
    this.#networks.set(network.id, index);
    for (const peer of index.peers()) this.#join(peer);
  }

  network(id: NetworkId): NetworkIndex | undefined {
    return this.#networks.get(id);
  }
  networks(): IterableIterator<NetworkIndex> {
    return this.#networks.values();
  }
  networksOf(instanceId: InstanceId): NetworkIndex[] {
    return [...(this.#networksOf.get(instanceId) ?? [])].flatMap((id) => this.#networks.get(id) ?? []);
  }

  compile(instanceId: InstanceId): CompiledEntry[] {
    return this.networksOf(instanceId).flatMap((network) => network.compile(instanceId));
  }

  digest(instanceId: InstanceId): string {
    let total = 0n;
    for (const network of this.networksOf(instanceId)) total = addDigests(total, network.digest(instanceId));
    return formatDigest(total);
  }

  /** A change of something that is not there does nothing. What was before is what the fleet has, not what it says. */
  apply(change: Change): Applied {
    switch (change.kind) {
      case 'network_created':
        return this.#create(change.network);
      case 'network_updated':
        return this.#update(change.network);
      case 'network_deleted':
        return this.#delete(change.networkId);
      case 'peer_changed':
        return this.#changePeer(change.networkId, change);
      case 'item_changed':
        return this.#changeItem(change.networkId, change);
    }
  }

  #create(network: NetworkModel): Applied {
    if (this.#networks.has(network.id)) return nothing;
    this.load(network, []);
    return { impact: noImpact(), deltas: [{ kind: 'network_added', network }] };
  }

  #update(after: NetworkModel): Applied {
    const index = this.#networks.get(after.id);
    if (index === undefined) return nothing;
    const before = index.network;
    return {
      impact: index.changeNetwork(after),
      deltas: [{ kind: 'network_changed', before, after }],
    };
  }

  #delete(networkId: NetworkId): Applied {
    const last = this.#networks.get(networkId);
    if (last === undefined) return nothing;
    const single = new Map<InstanceId, Patch>();
    for (const peer of last.peers()) {
      const patch = diffEntries(last.compile(peer.instanceId), []);
      if (!isEmptyPatch(patch)) single.set(peer.instanceId, patch);
      this.#leave(peer);
    }
    this.#networks.delete(networkId);
    return { impact: { shared: [], single }, deltas: [{ kind: 'network_removed', last }] };
  }

  #changePeer(networkId: NetworkId, asked: PeerChange): Applied {
    const index = this.#networks.get(networkId);
    const change = objectChange(index?.peer(subjectOf(asked).id) ?? null, asked.after);
    if (index === undefined || change === null) return nothing;
    const impact = index.change(change);
    const { network } = index;
    const { before, after } = change;
    if (before !== null) this.#leave(before);
    if (after === null) return { impact, deltas: [{ kind: 'peer_removed', network, before }] };
    this.#join(after);
    if (before === null) return { impact, deltas: [{ kind: 'peer_added', network, after }] };
    return { impact, deltas: [{ kind: 'peer_changed', network, before, after }] };
  }

  #changeItem(networkId: NetworkId, asked: ItemChange): Applied {
    const index = this.#networks.get(networkId);
    const change = objectChange(index?.item(subjectOf(asked).id) ?? null, asked.after);
    if (index === undefined || change === null) return nothing;
    const impact = index.changeItem(change);
    const { network } = index;
    const { before, after } = change;
    if (after === null) return { impact, deltas: [{ kind: 'item_removed', network, before }] };
    if (before === null) return { impact, deltas: [{ kind: 'item_added', network, after }] };
    return { impact, deltas: [{ kind: 'item_changed', network, before, after }] };
  }

  #join(peer: PeerModel): void {
    const networks = this.#networksOf.get(peer.instanceId) ?? new Set();
    networks.add(peer.networkId);
    this.#networksOf.set(peer.instanceId, networks);
  }

  #leave(peer: PeerModel): void {
    const networks = this.#networksOf.get(peer.instanceId);
    networks?.delete(peer.networkId);
    if (networks?.size === 0) this.#networksOf.delete(peer.instanceId);
  }
}
