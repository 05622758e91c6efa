// Port mappings as the outside sees them: where each leads now, and whether it does.
import type { PortMapping } from '@powernode/core/intent/port-mapping';
import { familyOf } from '@powernode/core/net/address';
import { sql } from 'kysely';
import { stored } from '../../accounts/present.ts';
import type { ActionContext } from '../../context.ts';
import { candidateIds } from '../virtual-ips/model.ts';
import { addressNoteOf } from './external-port.ts';
import type { PortMappingRow } from './model.ts';

export async function showPortMapping(context: ActionContext, row: PortMappingRow): Promise<PortMapping> {
  const [mapping] = await showPortMappings(context, [row]);
  if (mapping === undefined) throw new Error('a port mapping that was just read is not shown');
  return mapping;
}

export async function showPortMappings(
  context: ActionContext,
  rows: readonly PortMappingRow[],
): Promise<PortMapping[]> {
  const peers = await peersOf(context, rows);
  const virtualIps = await virtualIpsOf(context, rows);
  return rows.map((row) => {
    const hub = peers.get(row.hub_peer_id);
    const target = targetOf(row, { peers, virtualIps });
    return { ...columnsOf(row), hub_hostname: hub?.hostname ?? '', ...stateOf(row, { hub, target }) };
  });
}

type Peer = Awaited<ReturnType<typeof peersOf>> extends Map<string, infer P> ? P : never;
type VirtualIp = Awaited<ReturnType<typeof virtualIpsOf>> extends Map<string, infer V> ? V : never;

interface Target {
  readonly address: string | null;
  readonly isOnHub: boolean;
}

function columnsOf(row: PortMappingRow) {
  return {
    ...stored(row),
    network_id: row.network_id,
    hub_peer_id: row.hub_peer_id,
    external_address: row.external_address,
    external_port: row.external_port,
    protocol: row.protocol,
    internal_peer_id: row.internal_peer_id,
    internal_virtual_ip_id: row.internal_virtual_ip_id,
    internal_port: row.internal_port,
    source_cidrs: row.source_cidrs,
    rate_limit: row.rate_limit,
    max_connections: row.max_connections,
  };
}

/** The same decision as `statusIs`. */
function stateOf(
  row: PortMappingRow,
  at: { readonly hub: Peer | undefined; readonly target: Target },
): Pick<PortMapping, 'status' | 'status_detail' | 'internal_address' | 'keeps_client_address'> {
  const { hub, target } = at;
  const shown = { internal_address: target.address, keeps_client_address: target.isOnHub };
  if (hub === undefined || hub.hub_slot === null) {
    const detail =
      hub === undefined
        ? 'Its hub has left the network. Give it an external_address of another hub, or delete it.'
        : `"${hub.hostname}" is no longer a hub. Declare it publicly reachable, give the mapping an external_address of another hub, or delete it.`;
    return { ...shown, status: 'hub_missing', status_detail: detail };
  }
  if (target.address === null) {
    const what = row.internal_peer_id === null ? 'virtual IP' : 'peer';
    const detail = `The ${what} that it targets was deleted. Give it another target, or delete it.`;
    return { ...shown, status: 'target_missing', status_detail: detail };
  }
  const place = { peer: hub, hostname: hub.hostname, own: hub.addresses, outer: [] };
  return { ...shown, status: 'active', status_detail: addressNoteOf(place, row.external_address) };
}

/** The target on the hub itself sees the client; on its way through the overlay a packet comes from the hub. */
function targetOf(
  row: PortMappingRow,
  known: { readonly peers: ReadonlyMap<string, Peer>; readonly virtualIps: ReadonlyMap<string, VirtualIp> },
): Target {
  const isIpv6 = familyOf(row.external_address) === 6;
  if (row.internal_peer_id !== null) {
    const peer = known.peers.get(row.internal_peer_id);
    const address = isIpv6 ? peer?.host_address : peer?.ipv4_address;
    return { address: address ?? null, isOnHub: peer !== undefined && peer.id === row.hub_peer_id };
  }
  const virtualIp = known.virtualIps.get(row.internal_virtual_ip_id ?? '');
  if (virtualIp === undefined) return { address: null, isOnHub: false };
  const holders = virtualIp.anycast ? candidateIds(virtualIp) : [virtualIp.current_holder_peer_id];
  const address = isIpv6 ? virtualIp.address : virtualIp.ipv4_address;
  return { address, isOnHub: holders.includes(row.hub_peer_id) };
}

async function peersOf(context: ActionContext, rows: readonly PortMappingRow[]) {
  const ids = new Set(rows.flatMap((row) => [row.hub_peer_id, row.internal_peer_id ?? []].flat()));
  if (ids.size === 0) return new Map<string, never>();
  const peers = await context.trx
    .selectFrom('peers')
    .innerJoin('instances', 'instances.id', 'peers.instance_id')
    .selectAll('peers')
    .select(['instances.hostname', 'instances.addresses'])
    .where('peers.account_id', '=', context.accountId)
    .where('peers.id', 'in', [...ids])
    .execute();
  return new Map(peers.map((peer) => [peer.id, peer]));
}

async function virtualIpsOf(context: ActionContext, rows: readonly PortMappingRow[]) {
  const ids = new Set(rows.flatMap((row) => row.internal_virtual_ip_id ?? []));
  if (ids.size === 0) return new Map<string, never>();
  const virtualIps = await context.trx
    .selectFrom('virtual_ips')
    .selectAll()
    .where('account_id', '=', context.accountId)
    .where('id', 'in', [...ids])
    .execute();
  return new Map(virtualIps.map((virtualIp) => [virtualIp.id, virtualIp]));
}

/** The same decision as `stateOf`, in SQL. */
export function statusIs(status: PortMapping['status']) {
  const hub = sql<boolean>`exists (
    select from peers h where h.id = port_mappings.hub_peer_id and h.hub_slot is not null)`;
  const isIpv6 = sql`port_mappings.external_address like '%:%'`;
  const target = sql<boolean>`exists (
    select from peers p where p.id = port_mappings.internal_peer_id
      and (${isIpv6} or p.ipv4_address is not null)
    union all
    select from virtual_ips v where v.id = port_mappings.internal_virtual_ip_id
      and (${isIpv6} or v.ipv4_address is not null))`;
  switch (status) {
    case 'hub_missing':
      return sql<boolean>`not ${hub}`;
    case 'target_missing':
      return sql<boolean>`${hub} and not ${target}`;
    case 'active':
      return sql<boolean>`${hub} and ${target}`;
  }
}
