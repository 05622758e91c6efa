// What nodes have observed of peers: read from the rows that delivery writes.
import { sql } from 'kysely';
import type { ActionContext } from '../context.ts';
import type { PeerRow } from './rows.ts';

export interface PeerObservation {
  readonly lastHandshakeAt: Date | null;
  readonly rxBytes: number | null;
  readonly txBytes: number | null;
}

const nothing: PeerObservation = { lastHandshakeAt: null, rxBytes: null, txBytes: null };

interface Summed {
  key: string;
  last: Date | null;
  rx: number | null;
  tx: number | null;
}

/**
 * Per peer: the newest handshake that it or anyone else has seen with it, and the traffic that it has counted
 * itself on the interfaces of the network.
 */
export async function observationsOf(
  context: ActionContext,
  peers: readonly PeerRow[],
): Promise<(peer: PeerRow) => PeerObservation> {
  if (peers.length === 0) return () => nothing;
  const own = await sql<Summed>`
    select p.id::text as key, max(o.last_handshake_at) as last,
           sum(o.rx_bytes)::bigint as rx, sum(o.tx_bytes)::bigint as tx
    from peers p
    join networks n on n.id = p.network_id
    join tunnel_observations o on o.instance_id = p.instance_id
      and (o.interface = 'wg-' || n.handle or o.interface like 'wg-' || n.handle || '-%')
    where p.id = any(${peers.map((peer) => peer.id)}::uuid[]) and p.account_id = ${context.accountId}
    group by p.id
  `.execute(context.trx);
  const seen = await sql<Summed>`
    select public_key as key, max(last_handshake_at) as last, null::bigint as rx, null::bigint as tx
    from tunnel_observations
    where account_id = ${context.accountId} and public_key = any(${peers.map((peer) => peer.public_key)}::text[])
    group by public_key
  `.execute(context.trx);
  const ownOf = new Map(own.rows.map((row) => [row.key, row]));
  const seenOf = new Map(seen.rows.map((row) => [row.key, row]));
  return (peer) => {
    const mine = ownOf.get(peer.id);
    const others = seenOf.get(peer.public_key);
    return {
      lastHandshakeAt: later(mine?.last ?? null, others?.last ?? null),
      rxBytes: mine?.rx ?? null,
      txBytes: mine?.tx ?? null,
    };
  };
}

/** What machines, or one of them, have seen on the interfaces of a network. */
export async function forgetTunnels(
  context: ActionContext,
  of: { readonly handle: string; readonly instanceId?: string },
): Promise<void> {
  const { handle, instanceId } = of;
  let query = context.trx
    .deleteFrom('tunnel_observations')
    .where('account_id', '=', context.accountId)
    .where((eb) => eb.or([eb('interface', '=', `wg-${handle}`), eb('interface', 'like', `wg-${handle}-%`)]));
  if (instanceId !== undefined) query = query.where('instance_id', '=', instanceId);
  await query.execute();
}

function later(a: Date | null, b: Date | null): Date | null {
  if (a === null || b === null) return a ?? b;
  return a > b ? a : b;
}
