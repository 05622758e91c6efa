// Test support: a random fleet as it is read from the database at a start.
import type { RandomFleet } from '@powernode/core/compile/random-fleet.fixture';
import type { FleetModel } from '../nodes/replay.ts';

export function modelOf(fleet: RandomFleet): FleetModel {
  const peers = Map.groupBy(fleet.peers.values(), (peer) => peer.networkId);
  const items = Map.groupBy(fleet.items.values(), (item) => item.networkId);
  return new Map(
    Array.from(fleet.networks.values(), (network) => [
      network.id,
      { network, peers: byId(peers.get(network.id) ?? []), items: byId(items.get(network.id) ?? []) },
    ]),
  );
}

function byId<T extends { readonly id: string }>(list: readonly T[]): Map<string, T> {
  return new Map(list.map((one) => [one.id, one]));
}
