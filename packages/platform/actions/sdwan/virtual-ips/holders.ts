// The holders of a virtual IP, with the health of their service as they have reported it.
import type { VirtualIpHolder } from '@powernode/core/intent/virtual-ip';
import type { ActionContext } from '../../context.ts';
import { peerNames } from '../peers/peer-names.ts';
import { candidateIds, type VirtualIpRow } from './model.ts';

/** Of an anycast address all, in the operator's order; otherwise the peer that holds it now. */
export async function holdersOf(context: ActionContext, row: VirtualIpRow): Promise<VirtualIpHolder[]> {
  const ids = row.anycast ? candidateIds(row) : [row.current_holder_peer_id].flatMap((id) => id ?? []);
  const names = await peerNames(context, ids);
  // What was said under a check that there is no more says nothing now.
  const reports =
    row.health_check === null
      ? []
      : await context.trx
          .selectFrom('virtual_ip_health')
          .select(['peer_id', 'health', 'since', 'last_error'])
          .where('account_id', '=', context.accountId)
          .where('virtual_ip_id', '=', row.id)
          .execute();
  const byPeer = new Map(reports.map((report) => [report.peer_id, report]));
  return ids.flatMap((peerId) => {
    const hostname = names.get(peerId);
    // It has left the network.
    if (hostname === undefined) return [];
    const report = byPeer.get(peerId);
    return {
      peer_id: peerId,
      hostname,
      health: report?.health ?? 'unknown',
      since: report === undefined ? null : report.since.toISOString(),
      last_error: report?.last_error ?? null,
    };
  });
}

/** A holder of an anycast address that is left out, because its health check fails. */
export interface FailingHolder {
  readonly virtualIpId: string;
  /** The IPv6 address. */
  readonly address: string;
  readonly peerId: string;
  readonly since: Date;
  readonly reason: string;
}

/** Of all virtual IPs of a network. */
export async function failingHolders(context: ActionContext, networkId: string): Promise<FailingHolder[]> {
  const rows = await context.trx
    .selectFrom('virtual_ip_health')
    .innerJoin('virtual_ips', 'virtual_ips.id', 'virtual_ip_health.virtual_ip_id')
    .select(['virtual_ip_id', 'virtual_ips.address', 'peer_id', 'since', 'last_error'])
    .where('virtual_ip_health.account_id', '=', context.accountId)
    .where('virtual_ips.network_id', '=', networkId)
    .where('virtual_ips.anycast', '=', true)
    .where('virtual_ips.health_check', 'is not', null)
    .where('virtual_ip_health.health', '=', 'failing')
    .execute();
  return rows.map((row) => ({
    virtualIpId: row.virtual_ip_id,
    address: row.address,
    peerId: row.peer_id,
    since: row.since,
    reason: row.last_error ?? 'no reason is known',
  }));
}
