// From rows to what the compiler reads. Whoever writes a change and whoever loads rows at a start use these, so
// that both mean the same.
import type { NetworkModel, PeerModel } from '@powernode/core/compile/model';
import type { Selectable } from 'kysely';
import type { Database } from '../store/tables.ts';

export type NetworkColumns = Pick<
  Selectable<Database['networks']>,
  | 'id'
  | 'account_id'
  | 'handle'
  | 'prefix'
  | 'ipv4_prefix'
  | 'mtu'
  | 'topology_strategy'
  | 'firewall_default_policy'
  | 'rematch_connections'
>;
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
>;

export const networkColumns = [
  'id',
  'account_id',
  'handle',
  'prefix',
  'ipv4_prefix',
  'mtu',
  'topology_strategy',
  'firewall_default_policy',
  'rematch_connections',
] as const;
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
] as const;

export function networkModel(row: NetworkColumns): NetworkModel {
  return {
    id: row.id,
    accountId: row.account_id,
    handle: row.handle,
    prefix: row.prefix,
    ipv4Prefix: row.ipv4_prefix,
    mtu: row.mtu,
    topologyStrategy: row.topology_strategy,
    firewallDefaultPolicy: row.firewall_default_policy,
    rematchConnections: row.rematch_connections,
  };
}

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
  };
}
