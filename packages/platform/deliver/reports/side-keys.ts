// Whose WireGuard keys there are beside those of peers' tunnels to hubs: of spokes' leaf interfaces, and of devices.
// In memory, so that what nodes report of them is known for what it is. Keeps no clock.
import type { Change, FleetIndex } from '@powernode/core/compile/fleet-index';
import type { NetworkIndex } from '@powernode/core/compile/network-index';

export interface SideKey {
  readonly networkId: string;
  /** The peer whose leaf interface it is; null: a device. */
  readonly peerId: string | null;
}

export class SideKeys {
  readonly #byKey = new Map<string, SideKey>();

  /** At a start. */
  load(index: NetworkIndex): void {
    for (const peer of index.peers()) this.#set(peer.directKey, index.network.id, peer.id);
    for (const item of index.items()) {
      if (item.type === 'user_device') this.#set(item.publicKey, index.network.id, null);
    }
  }

  /** To be told of a change before the fleet takes it. */
  changing(change: Change, fleet: FleetIndex): void {
    switch (change.kind) {
      case 'network_created':
      case 'network_updated':
        return;
      case 'network_deleted': {
        const index = fleet.network(change.networkId);
        for (const peer of index?.peers() ?? []) this.#byKey.delete(peer.directKey ?? '');
        for (const item of index?.items() ?? []) {
          if (item.type === 'user_device') this.#byKey.delete(item.publicKey);
        }
        return;
      }
      case 'peer_changed': {
        const before = fleet.network(change.networkId)?.peer((change.after ?? change.before)?.id ?? '');
        this.#byKey.delete(before?.directKey ?? '');
        if (change.after !== null) this.#set(change.after.directKey, change.networkId, change.after.id);
        return;
      }
      case 'item_changed': {
        const before = fleet.network(change.networkId)?.item((change.after ?? change.before)?.id ?? '');
        if (before?.type === 'user_device') this.#byKey.delete(before.publicKey);
        if (change.after?.type === 'user_device') this.#set(change.after.publicKey, change.networkId, null);
      }
    }
  }

  of(publicKey: string): SideKey | undefined {
    return this.#byKey.get(publicKey);
  }

  #set(publicKey: string | null, networkId: string, peerId: string | null): void {
    if (publicKey !== null) this.#byKey.set(publicKey, { networkId, peerId });
  }
}
