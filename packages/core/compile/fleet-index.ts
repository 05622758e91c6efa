// All networks of the platform in memory: which document each machine should have, and whom a change reaches.
// One machine may be in several networks; their entries have distinct keys, so its document is their union.
import { addDigests, formatDigest } from './digest.ts';
import { type Effect, nothingDone } from './effect.ts';
import type { Item, NetworkModel, PeerModel } from './model.ts';
import { type ItemChange, NetworkIndex, type PeerChange } from './network-index.ts';
import { type CompiledEntry, diffEntries, isEmptyPatch, type Patch } from './patch.ts';

/** A change to what networks should be, as data. Written with the rows it describes, in their transaction. */
export type Change =
  | { readonly kind: 'network_created'; readonly network: NetworkModel }
  | { readonly kind: 'network_updated'; readonly network: NetworkModel }
  | { readonly kind: 'network_deleted'; readonly networkId: string }
  | ({ readonly kind: 'peer_changed'; readonly networkId: string } & PeerChange)
  | ({ readonly kind: 'item_changed'; readonly networkId: string } & ItemChange);

export class FleetIndex {
  readonly #networks = new Map<string, NetworkIndex>();
  readonly #networksOf = new Map<string, Set<string>>();

  /** Loads a network with all of its peers and items at once, as at a start. */
  load(network: NetworkModel, peers: Iterable<PeerModel>, items: Iterable<Item> = []): void {
    const index = new NetworkIndex(network, peers, items);
    this.#networks.set(network.id, index);
    for (const peer of index.peers()) this.#join(peer);
  }

  network(id: string): NetworkIndex | undefined {
    return this.#networks.get(id);
  }
  networks(): IterableIterator<NetworkIndex> {
    return this.#networks.values();
  }
  networksOf(instanceId: string): NetworkIndex[] {
    return [...(this.#networksOf.get(instanceId) ?? [])].flatMap((id) => this.#networks.get(id) ?? []);
  }

  compile(instanceId: string): CompiledEntry[] {
    return this.networksOf(instanceId).flatMap((network) => network.compile(instanceId));
  }

  digest(instanceId: string): string {
    let total = 0n;
    for (const network of this.networksOf(instanceId)) total = addDigests(total, network.digest(instanceId));
    return formatDigest(total);
  }

  /** Applies a change and says whom it reaches. A change of something that is not there reaches nobody. */
  apply(change: Change): Effect {
    switch (change.kind) {
      case 'network_created':
        if (!this.#networks.has(change.network.id)) this.load(change.network, []);
        return nothingDone();
      case 'network_updated':
        return this.#networks.get(change.network.id)?.changeNetwork(change.network) ?? nothingDone();
      case 'network_deleted':
        return this.#delete(change.networkId);
      case 'peer_changed': {
        const network = this.#networks.get(change.networkId);
        if (network === undefined) return nothingDone();
        const before = network.peer((change.after ?? change.before)?.id ?? '') ?? null;
        const effect = network.change({ before, after: change.after });
        if (before !== null) this.#leave(before);
        if (change.after !== null) this.#join(change.after);
        return effect;
      }
      case 'item_changed': {
        const network = this.#networks.get(change.networkId);
        if (network === undefined) return nothingDone();
        const before = network.item((change.after ?? change.before)?.id ?? '') ?? null;
        return network.changeItem({ before, after: change.after });
      }
    }
  }

  #delete(networkId: string): Effect {
    const network = this.#networks.get(networkId);
    if (network === undefined) return nothingDone();
    const single = new Map<string, Patch>();
    for (const peer of network.peers()) {
      const patch = diffEntries(network.compile(peer.instanceId), []);
      if (!isEmptyPatch(patch)) single.set(peer.instanceId, patch);
      this.#leave(peer);
    }
    this.#networks.delete(networkId);
    return { shared: [], single };
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
