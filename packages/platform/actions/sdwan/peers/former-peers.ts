// Peers that left their network. A machine that comes back within the quarantine of its addresses is the same peer: to
// the rules, mappings and devices that name it, to virtual IPs, and to whoever wrote its id down.
import { addressQuarantineMs } from '@powernode/core/limits/overlay';
import type { Selectable } from 'kysely';
import type { Database, FormerCandidacy } from '../../../store/tables.ts';
import type { ActionContext } from '../../context.ts';
import type { PeerRow } from '../rows.ts';
import type { EndpointInput } from './endpoints.ts';

export type FormerPeer = Selectable<Database['former_peers']>;

export async function rememberPeer(
  context: ActionContext,
  peer: PeerRow,
  virtualIps: readonly FormerCandidacy[],
): Promise<void> {
  const columns = {
    peer_id: peer.id,
    revision: peer.revision,
    tags: JSON.stringify(peer.tags),
    publicly_reachable: peer.publicly_reachable,
    endpoint_addresses: JSON.stringify(peer.endpoint_addresses),
    listen_port: peer.listen_port_declared ? peer.listen_port : null,
    virtual_ips: JSON.stringify(virtualIps),
    detached_at: context.now,
  };
  const { account_id, network_id, instance_id } = peer;
  await context.trx
    .insertInto('former_peers')
    .values({ account_id, network_id, instance_id, ...columns })
    .onConflict((conflict) => conflict.columns(['network_id', 'instance_id']).doUpdateSet(columns))
    .execute();
}

/** What the machine was in the network; null: nothing, or too long ago. It is told once. */
export async function recallPeer(
  context: ActionContext,
  place: { readonly networkId: string; readonly instanceId: string },
): Promise<FormerPeer | null> {
  await context.trx
    .deleteFrom('former_peers')
    .where('network_id', '=', place.networkId)
    .where('detached_at', '<', new Date(context.now.getTime() - addressQuarantineMs))
    .execute();
  const row = await context.trx
    .deleteFrom('former_peers')
    .where('network_id', '=', place.networkId)
    .where('instance_id', '=', place.instanceId)
    .returningAll()
    .executeTakeFirst();
  return row ?? null;
}

/** What is not asked for is as it was. */
export function asBefore(input: EndpointInput, former: FormerPeer | null): EndpointInput {
  if (former === null) return input;
  const { publicly_reachable: reachable, endpoint_address: one, endpoint_addresses: several } = input;
  const isGiven = one !== undefined || several !== undefined;
  return {
    publicly_reachable: reachable === undefined ? (former.publicly_reachable ?? undefined) : reachable,
    ...(isGiven ? { endpoint_address: one, endpoint_addresses: several } : {}),
    ...(isGiven || former.endpoint_addresses.length === 0
      ? {}
      : { endpoint_addresses: former.endpoint_addresses }),
    listen_port: input.listen_port === undefined ? (former.listen_port ?? undefined) : input.listen_port,
  };
}
