// What a change did to the networks in memory, typed, with the state before and after it. Whatever is kept of networks
// and peers beside the fleet follows these, after the fleet has taken the change, and asks nothing about the past.
import type { Item, NetworkModel, PeerModel } from './model.ts';
import type { NetworkIndex } from './network-index.ts';

export type NetworkDelta =
  | { readonly kind: 'network_added'; readonly network: NetworkModel }
  | { readonly kind: 'network_changed'; readonly before: NetworkModel; readonly after: NetworkModel }
  /** `last`: the network as it was, with its peers and items. */
  | { readonly kind: 'network_removed'; readonly last: NetworkIndex };

/** `network`: as it is when the delta is taken. */
export type PeerDelta =
  | { readonly kind: 'peer_added'; readonly network: NetworkModel; readonly after: PeerModel }
  | {
      readonly kind: 'peer_changed';
      readonly network: NetworkModel;
      readonly before: PeerModel;
      readonly after: PeerModel;
    }
  | { readonly kind: 'peer_removed'; readonly network: NetworkModel; readonly before: PeerModel };

export type ItemDelta =
  | { readonly kind: 'item_added'; readonly network: NetworkModel; readonly after: Item }
  | {
      readonly kind: 'item_changed';
      readonly network: NetworkModel;
      readonly before: Item;
      readonly after: Item;
    }
  | { readonly kind: 'item_removed'; readonly network: NetworkModel; readonly before: Item };

export type Delta = NetworkDelta | PeerDelta | ItemDelta;

/** Follows what the fleet becomes. */
export interface DeltaSubscriber {
  /** Called after the fleet has taken the change and it is known whom it reaches, and before any node is sent it. */
  onDelta(delta: Delta): void;
}

/** The deltas, and after a network that was removed one for each of its peers and items. */
export function* withContents(deltas: Iterable<Delta>): Generator<Delta> {
  for (const delta of deltas) {
    yield delta;
    if (delta.kind !== 'network_removed') continue;
    const { network } = delta.last;
    for (const peer of delta.last.peers()) yield { kind: 'peer_removed', network, before: peer };
    for (const item of delta.last.items()) yield { kind: 'item_removed', network, before: item };
  }
}
