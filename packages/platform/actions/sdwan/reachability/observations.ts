// What nodes have observed of peers: read from the rows that delivery writes.
import { sql } from 'kysely';
import { plannedOnce } from '../../../store/planned-once.ts';
import { sumOf } from '../../../store/sums.ts';
import type { ActionContext } from '../../context.ts';
import type { PeerRow } from '../rows.ts';
import { type Contradiction, callersUnanswered, contradiction, countedHandshake } from './handshakes.ts';

export interface PeerObservation {
  readonly lastHandshakeAt: Date | null;
  readonly contradiction: Contradiction | null;
  /** Members that call it where they are told, without an answer. */
  readonly callersUnanswered: readonly string[];
  readonly rxBytes: number | null;
  readonly txBytes: number | null;
}

const nothing: PeerObservation = {
  lastHandshakeAt: null,
  contradiction: null,
  callersUnanswered: [],
  rxBytes: null,
  txBytes: null,
};

/**
 * Per peer: the newest handshake that counts (handshakes.ts), and the traffic that its machine has counted itself on the
 * interfaces of the network.
 */
export async function observationsOf(
  context: ActionContext,
  peers: readonly PeerRow[],
): Promise<(peer: PeerRow) => PeerObservation> {
  if (peers.length === 0) return () => nothing;
  const { rows } = await sql<PeerObservation & { readonly id: string }>`
    ${plannedOnce('peer_observations')}
    select peers.id, ${countedHandshake} as "lastHandshakeAt", ${contradiction} as contradiction,
           ${callersUnanswered} as "callersUnanswered",
           traffic.rx as "rxBytes", traffic.tx as "txBytes"
    from peers
    join networks n on n.id = peers.network_id
    left join lateral (
      select ${sumOf('o.rx_bytes')} as rx, ${sumOf('o.tx_bytes')} as tx from tunnel_observations o
      where o.instance_id = peers.instance_id
        and (o.interface = 'wg-' || n.handle or o.interface like 'wg-' || n.handle || '-%')
    ) traffic on true
    where peers.id = any(${peers.map((peer) => peer.id)}::uuid[]) and peers.account_id = ${context.accountId}
  `.execute(context.trx);
  const found = new Map(rows.map((row) => [row.id, row]));
  return (peer) => found.get(peer.id) ?? nothing;
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
