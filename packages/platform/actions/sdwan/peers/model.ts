// Peers as rows, and what the compiler reads of them. Whoever writes a change and whoever loads rows at a start use
// these, so that both mean the same.
import type { PeerModel } from '@powernode/core/compile/model';
import type { Selectable, Transaction } from 'kysely';
import type { Database } from '../../../store/tables.ts';

export type PeerColumns = Pick<
  Selectable<Database['peers']>,
  | 'id'
  | 'network_id'
  | 'instance_id'
  | 'host_address'
  | 'ipv4_address'
  | 'public_key'
  | 'direct_key'
  | 'direct_endpoint'
  | 'hub_slot'
  | 'endpoint'
  | 'fallback_endpoints'
  | 'listen_port'
  | 'tags'
  | 'draining'
  | 'routing_daemon_missing'
>;

export const peerColumns = [
  'id',
  'network_id',
  'instance_id',
  'host_address',
  'ipv4_address',
  'public_key',
  'direct_key',
  'direct_endpoint',
  'hub_slot',
  'endpoint',
  'fallback_endpoints',
  'listen_port',
  'tags',
  'draining',
  'routing_daemon_missing',
] as const;

export function peerModel(row: PeerColumns): PeerModel {
  return {
    id: row.id,
    networkId: row.network_id,
    instanceId: row.instance_id,
    hostAddress: row.host_address,
    ipv4Address: row.ipv4_address,
    publicKey: row.public_key,
    directKey: row.direct_key,
    directEndpoint: row.direct_endpoint,
    hubSlot: row.hub_slot,
    endpoint: row.endpoint,
    ...(row.fallback_endpoints.length === 0 ? {} : { fallbackEndpoints: row.fallback_endpoints }),
    listenPort: row.listen_port,
    tags: row.tags.toSorted(),
    draining: row.draining,
    ...(row.routing_daemon_missing ? { routingDaemonMissing: true } : {}),
  };
}

/** Of all networks that the transaction sees. */
export async function loadPeers(trx: Transaction<Database>): Promise<PeerModel[]> {
  const rows = await trx.selectFrom('peers').select(peerColumns).orderBy('id').execute();
  return rows.map(peerModel);
}
