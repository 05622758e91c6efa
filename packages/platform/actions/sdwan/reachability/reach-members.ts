// The members of a network as its warnings look at them: with what is known of their machines, and who has met whom.
import { tunnelEndpoints } from '@powernode/core/compile/entries';
import { topologyNodesMax } from '@powernode/core/limits/requests';
import type { ActionContext } from '../../context.ts';
import { tunnelsModel } from '../networks/model.ts';
import { peerModel } from '../peers/model.ts';
import type { NetworkRow, PeerRow } from '../rows.ts';
import {
  type HaveMet,
  type Member,
  type MemberDevice,
  reachWarnings,
  type Warning,
} from './reach-warnings.ts';

/** What is wrong between the members of a network. Of very large ones the hubs and the first spokes are looked at. */
export async function warningsBetween(context: ActionContext, network: NetworkRow): Promise<Warning[]> {
  const peers = await context.trx
    .selectFrom('peers')
    .selectAll()
    .where('account_id', '=', context.accountId)
    .where('network_id', '=', network.id)
    .orderBy('hub_slot')
    .orderBy('id')
    .limit(topologyNodesMax)
    .execute();
  if (peers.length === 0) return [];
  const machines = await context.trx
    .selectFrom('instances')
    .select(['id', 'hostname', 'observed_address', 'addresses', 'families'])
    .where('account_id', '=', context.accountId)
    .where(
      'id',
      'in',
      peers.map((peer) => peer.instance_id),
    )
    .execute();
  const machineOf = new Map(machines.map((machine) => [machine.id, machine]));
  const devices = await devicesByHub(context, network);
  const model = tunnelsModel(network);
  const members = peers.flatMap((peer): Member[] => {
    const machine = machineOf.get(peer.instance_id);
    if (machine === undefined) return [];
    return [
      {
        peerId: peer.id,
        hostname: machine.hostname,
        hubSlot: peer.hub_slot,
        endpoints: tunnelEndpoints(model, peerModel(peer)),
        listenPort: peer.listen_port,
        observedAddress: machine.observed_address,
        listed: machine.addresses,
        families: machine.families,
        devices: devices.get(peer.id) ?? [],
      },
    ];
  });
  const haveMet = await meetings(context, peers);
  return reachWarnings(members, { haveMet, fullMesh: network.topology_strategy === 'full_mesh' });
}

/** Devices of the network that are not revoked, by their hub; of many the first. */
async function devicesByHub(
  context: ActionContext,
  network: NetworkRow,
): Promise<ReadonlyMap<string, readonly MemberDevice[]>> {
  const rows = await context.trx
    .selectFrom('user_devices as d')
    .innerJoin('peers as h', 'h.id', 'd.hub_peer_id')
    .leftJoin('tunnel_observations as o', (join) =>
      join
        .onRef('o.instance_id', '=', 'h.instance_id')
        .onRef('o.public_key', '=', 'd.public_key')
        .on('o.last_handshake_at', 'is not', null),
    )
    .select(['d.hub_peer_id', 'd.name', 'o.endpoint'])
    .where('d.account_id', '=', context.accountId)
    .where('d.network_id', '=', network.id)
    .where('d.revoked_at', 'is', null)
    .orderBy('d.id')
    .limit(topologyNodesMax)
    .execute();
  const byHub = Map.groupBy(rows, (row) => row.hub_peer_id);
  return new Map(
    Array.from(byHub, ([id, of]) => [id, of.map(({ name, endpoint }) => ({ name, seenAt: endpoint }))]),
  );
}

/** Adds to the plan what concerns one peer, and what it makes of others. */
export async function noteReach(
  context: ActionContext,
  of: { readonly network: NetworkRow; readonly peerId: string },
): Promise<void> {
  if (!context.dryRun) return;
  for (const { code, detail } of await warningsBetween(context, of.network)) context.note(code, detail);
}

/** Pairs of peers of which one or the other has seen a handshake. */
async function meetings(context: ActionContext, peers: readonly PeerRow[]): Promise<HaveMet> {
  const byKey = new Map(
    peers.flatMap(({ id, public_key: key, direct_key: direct }) =>
      direct === null ? [[key, id] as const] : [[key, id] as const, [direct, id] as const],
    ),
  );
  const rows = await context.trx
    .selectFrom('tunnel_observations')
    .select(['instance_id', 'public_key'])
    .where('account_id', '=', context.accountId)
    .where((eb) => eb('instance_id', '=', eb.fn.any(eb.val(peers.map((peer) => peer.instance_id)))))
    .where((eb) => eb('public_key', '=', eb.fn.any(eb.val([...byKey.keys()]))))
    .where('last_handshake_at', 'is not', null)
    .execute();
  const byInstance = new Map(peers.map((peer) => [peer.instance_id, peer.id]));
  const met = new Set(
    rows.flatMap((row) => {
      const [a, b] = [byInstance.get(row.instance_id), byKey.get(row.public_key)];
      return a === undefined || b === undefined ? [] : [`${a} ${b}`, `${b} ${a}`];
    }),
  );
  return (a, b) => met.has(`${a} ${b}`);
}
