// The owners of WireGuard keys other than those of peers' tunnels to hubs: direct keys (of spokes' leaf interfaces) and
// keys of devices. Kept in memory, because reports on tunnels name keys only. Reads no clock.

import type { Delta, DeltaSubscriber } from '@powernode/core/compile/deltas';
import { publicKeyOf } from '@powernode/core/compile/items/index';
import type { Item, PeerModel } from '@powernode/core/compile/model';
import type { NetworkIndex } from '@powernode/core/compile/network-index';
import type { NetworkId, PeerId, PublicKey } from '@powernode/core/ids';

export interface DirectOrDeviceKey {
  readonly networkId: NetworkId;
  /** The peer whose leaf interface it is; null: a device. */
  readonly peerId: PeerId | null;
}

export class DirectAndDeviceKeys implements DeltaSubscriber {
  readonly #byKey = new Map<PublicKey, DirectOrDeviceKey>();

  /** At a start. */
  load(index: NetworkIndex): void {
    for (const peer of index.peers()) this.#add(keyOfPeer(peer));
    for (const item of index.items()) this.#add(keyOfItem(item));
  }

  onDelta(delta: Delta): void {
    switch (delta.kind) {
      case 'peer_added':
        return this.#add(keyOfPeer(delta.after));
      case 'peer_changed':
        return this.#replace(keyOfPeer(delta.before), keyOfPeer(delta.after));
      case 'peer_removed':
        return this.#remove(keyOfPeer(delta.before));
      case 'item_added':
        return this.#add(keyOfItem(delta.after));
      case 'item_changed':
        return this.#replace(keyOfItem(delta.before), keyOfItem(delta.after));
      case 'item_removed':
        return this.#remove(keyOfItem(delta.before));
      case 'network_added':
      case 'network_changed':
      case 'network_removed':
        return;
    }
  }

  of(publicKey: PublicKey): DirectOrDeviceKey | undefined {
    return this.#byKey.get(publicKey);
  }

  #replace(before: OwnedKey | null, after: OwnedKey | null): void {
    this.#remove(before);
    this.#add(after);
  }

  #add(key: OwnedKey | null): void {
    if (key !== null) this.#byKey.set(key.publicKey, { networkId: key.networkId, peerId: key.peerId });
  }

  #remove(key: OwnedKey | null): void {
    if (key !== null) this.#byKey.delete(key.publicKey);
  }
}

interface OwnedKey extends DirectOrDeviceKey {
  readonly publicKey: PublicKey;
}

function keyOfPeer({ directKey, networkId, id }: PeerModel): OwnedKey | null {
  return directKey === null ? null : { publicKey: directKey, networkId, peerId: id };
}

function keyOfItem(item: Item): OwnedKey | null {
  const publicKey = publicKeyOf(item);
  return publicKey === null ? null : { publicKey, networkId: item.networkId, peerId: null };
}
