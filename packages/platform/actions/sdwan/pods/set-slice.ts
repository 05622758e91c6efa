// The slice of a peer as an operator gives it, at attach and later, and what becomes of it when the peer goes.
import { contains, formatPrefix, parsePrefix } from '@powernode/core/net/prefix';
import type { ActionContext } from '../../context.ts';
import { peerName } from '../peers/peer-names.ts';
import { type NetworkRow, networkRow, type PeerRow, peerRow } from '../rows.ts';
import { refusal } from './refusal.ts';
import { applyTurn, isSettled, type Place, refusalColumns, settle, settleRefused, turnOf } from './settle.ts';
import { NetworkSlices } from './slices.ts';

interface Wanted {
  readonly network: NetworkRow;
  readonly peer: PeerRow;
  readonly wanted: string | null | undefined;
}

/** Of a peer that was just inserted. Answers it as it is by then. */
export async function attachSlice(
  context: ActionContext,
  { network, peer, wanted }: Wanted,
): Promise<PeerRow> {
  const slices = await NetworkSlices.of(context, network);
  if (typeof wanted === 'string') {
    const fitting = await fittingSlices(context, { slices, peer, text: wanted });
    await fitting.give(peer, { text: wanted, source: 'set' });
  }
  return slices === null ? peer : settled(context, { slices, peer });
}

/** undefined: it stays. null: what its machine says, else what it has. Answers the peer as it is by then. */
export async function setSlice(context: ActionContext, { network, peer, wanted }: Wanted): Promise<PeerRow> {
  if (wanted === undefined) return peer;
  const slices = await NetworkSlices.of(context, network);
  const own = slices?.of(peer.id);
  if (wanted === null) {
    if (own !== undefined) await slices?.writeSource(own, 'assigned');
  } else {
    const fitting = await fittingSlices(context, { slices, peer, text: wanted });
    if (own?.row.prefix === wanted) await fitting.writeSource(own, 'set');
    else {
      if (own !== undefined) await fitting.withdraw(own);
      await fitting.give(peer, { text: wanted, source: 'set' });
    }
  }
  if (slices === null) return peer;
  const after = await settled(context, { slices, peer });
  await settleRefused(context, network);
  return after;
}

/** The event of the action tells of it; a refusal has one of its own. */
async function settled(context: ActionContext, place: Place): Promise<PeerRow> {
  const turn = await turnOf(context, place);
  if (turn.kind === 'refuse' && !isSettled(place, turn)) {
    await settle(context, place, { turn, followed: false });
    return peerRow(context, place.peer.id);
  }
  return (await applyTurn(context, place, { turn, followed: false })).peer;
}

/** The peer leaves its network: its slice is free, and rests as its address does. */
export async function releaseSlice(context: ActionContext, peer: PeerRow): Promise<void> {
  const network = await networkRow(context, peer.network_id);
  const slices = await NetworkSlices.of(context, network);
  const own = slices?.of(peer.id);
  if (slices === null || own === undefined) return;
  await slices.withdraw(own);
  const columns = refusalColumns(context, null);
  await context.trx.updateTable('peers').set(columns).where('id', '=', peer.id).execute();
  await settleRefused(context, network);
}

/** Refuses a slice that is not the network's to give, or another peer's. */
async function fittingSlices(
  context: ActionContext,
  of: { readonly slices: NetworkSlices | null; readonly peer: PeerRow; readonly text: string },
): Promise<NetworkSlices> {
  const { slices, peer, text } = of;
  const path = 'pod_subnet';
  if (slices === null) {
    const message = 'the network has no pod_subnet_prefix to have a slice of';
    throw refusal('conflict', { path, code: 'no_pod_prefix', message }, 'Set that first.');
  }
  const slice = parsePrefix(text);
  if (slice === null) throw new Error(`the slice "${text}" cannot be read`);
  if (!contains(slices.podPrefix, slice)) {
    const message = `${text} is not inside of ${formatPrefix(slices.podPrefix)}, the pod_subnet_prefix of the network`;
    throw refusal(
      'validation_failed',
      { path, code: 'outside_pod_prefix', message },
      'Choose a part of that.',
    );
  }
  const other = slices.inTheWayOf(slice, peer.id);
  if (other !== undefined) {
    const message = `${text} overlaps ${other.row.prefix}, the slice of "${await peerName(context, other.peerId)}"`;
    const advice = 'Choose another part, or give that peer another one first.';
    throw refusal('conflict', { path, code: 'overlap', message }, advice);
  }
  const isFull = slices.isFull && slices.of(peer.id) === undefined;
  if (!isFull) return slices;
  const message = 'the network has as many prefixes behind peers as it may';
  throw refusal('conflict', { path, code: 'limit_reached', message }, 'Withdraw LANs that are not used.');
}
