// Finds the reports of machines that a change of the fleet makes outdated. Machines report changes only, so a report on a
// hub, or a hub's on an address, would count as long as the stream lasts, although the two share no tunnel any more.

import type { Delta } from '@powernode/core/compile/deltas';
import { isTransit } from '@powernode/core/compile/entries';
import type { FleetIndex } from '@powernode/core/compile/fleet-index';
import type { PeerModel } from '@powernode/core/compile/model';
import type { NetworkIndex } from '@powernode/core/compile/network-index';
import type { InstanceId } from '@powernode/core/ids';
import type { Outdated } from './evidence.ts';

export interface OutdatedOf extends Outdated {
  readonly instanceId: InstanceId;
}

/** To be called after the change was applied to the fleet. A machine may be named more than once. */
export function* outdatedReports(delta: Delta, fleet: FleetIndex): Generator<OutdatedOf> {
  if (delta.kind === 'network_removed') yield* ofNetwork(delta.last);
  if (delta.kind !== 'peer_changed' && delta.kind !== 'peer_removed') return;
  const { before } = delta;
  const after = delta.kind === 'peer_changed' ? delta.after : null;
  const network = fleet.network(before.networkId);
  // The peer was deleted with its network, whose own delta covers it.
  if (network === undefined) return;
  const others = network.transit.filter(({ id }) => id !== before.id);
  const hubs = isTransit(before) ? [...others, before] : others;
  if (after === null) {
    yield { instanceId: before.instanceId, heard: [], tunnels: hubs.map(({ id }) => id) };
  }
  if (after?.hostAddress !== before.hostAddress) {
    for (const { instanceId } of hubs) yield { instanceId, heard: [before.hostAddress], tunnels: [] };
  }
  if (isTransit(before) && (after === null || !isTransit(after))) yield* ofHub(network, before);
}

/** The reports of a hub, and those on it. */
function* ofHub(network: NetworkIndex, hub: PeerModel): Generator<OutdatedOf> {
  const peers = [...network.peers()];
  yield { instanceId: hub.instanceId, heard: peers.map(({ hostAddress }) => hostAddress), tunnels: [] };
  for (const { instanceId } of peers) yield { instanceId, heard: [], tunnels: [hub.id] };
}

function* ofNetwork(network: NetworkIndex): Generator<OutdatedOf> {
  const peers = [...network.peers()];
  const addresses = peers.map(({ hostAddress }) => hostAddress);
  const hubIds = network.transit.map(({ id }) => id);
  for (const { instanceId } of network.transit) yield { instanceId, heard: addresses, tunnels: [] };
  for (const { instanceId } of peers) yield { instanceId, heard: [], tunnels: hubIds };
}
