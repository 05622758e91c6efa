// From rows to what the compiler reads. Whoever writes a change and whoever loads rows at a start use these, so
// that both mean the same.
import type { NetworkModel, PeerModel } from '@powernode/core/compile/model';
import type { Selectable } from 'kysely';
import type { Database } from '../store/tables.ts';

export type NetworkColumns = Pick<
  Selectable<Database['networks']>,
  'id' | 'account_id' | 'handle' | 'prefix' | 'mtu' | 'topology_strategy'
>;
export type PeerColumns = Pick<
  Selectable<Database['peers']>,
  | 'id'
  | 'network_id'
  | 'instance_id'
  | 'host_address'
  | 'public_key'
  | 'hub_slot'
  | 'endpoint'
  | 'listen_port'
>;

export const networkColumns = ['id', 'account_id', 'handle', 'prefix', 'mtu', 'topology_strategy'] as const;
export const peerColumns = [
  'id',
  'network_id',
  'instance_id',
  'host_address',
  'public_key',
  'hub_slot',
  'endpoint',
  'listen_port',
] as const;

export function networkModel(row: NetworkColumns): NetworkModel {
  return {
    id: row.id,
    accountId: row.account_id,
    handle: row.handle,
    prefix: row.prefix,
    mtu: row.mtu,
    topologyStrategy: row.topology_strategy,
  };
}

export function peerModel(row: PeerColumns): PeerModel {
  return {
    id: row.id,
    networkId: row.network_id,
    instanceId: row.instance_id,
    hostAddress: row.host_address,
    publicKey: row.public_key,
    hubSlot: row.hub_slot,
    endpoint: row.endpoint,
    listenPort: row.listen_port,
  };
}
