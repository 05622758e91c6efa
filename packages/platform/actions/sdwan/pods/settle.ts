// Gives peers their slices of the network's prefix of pods, under the account's lock.
import { podSliceRestMs, subnetsPerNetworkMax } from '@powernode/core/limits/overlay';
import { formatPrefix, parsePrefix } from '@powernode/core/net/prefix';
import type { ActionContext } from '../../context.ts';
import { peerName } from '../peers/peer-names.ts';
import { showPeer } from '../peers/present-peer.ts';
import { writePeer } from '../peers/write-peer.ts';
import type { NetworkRow, PeerRow } from '../rows.ts';
import { NetworkSlices } from './slices.ts';
import { type SliceTurn, sliceTurn } from './turn.ts';

/** A peer in a network that has slices. */
export interface Place {
  readonly slices: NetworkSlices;
  readonly peer: PeerRow;
}

export async function turnOf(context: ActionContext, { slices, peer }: Place): Promise<SliceTurn> {
  const { pod_slices: texts } = await context.trx
    .selectFrom('instances')
    .select('pod_slices')
    .where('id', '=', peer.instance_id)
    .executeTakeFirstOrThrow();
  const said = texts.flatMap((text) => parsePrefix(text) ?? []);
  return sliceTurn(slices, { id: peer.id, said }, (peerId) => peerName(context, peerId));
}

/** Whether nothing is other than the turn would make it. */
export function isSettled({ peer }: Pick<Place, 'peer'>, turn: SliceTurn): boolean {
  if (turn.kind === 'refuse') return !turn.givesUp && turn.why === peer.pod_subnet_refused;
  return turn.kind === 'keep' && peer.pod_subnet_refused === null;
}

/** How long it is until the peer's slice follows its machine again, in milliseconds. Each time reaches all members. */
export function restMsOf(context: ActionContext, { peer }: Pick<Place, 'peer'>, turn: SliceTurn): number {
  const { pod_subnet_followed_at: last } = peer;
  if (last === null || turn.kind === 'assign') return 0;
  return Math.max(last.getTime() + podSliceRestMs - context.now.getTime(), 0);
}

type Outcome = 'nothing' | 'given' | 'freed';

/** Does what the turn says with slices; `freed`: another peer may have one now that it could not have. */
async function carryOut(context: ActionContext, { slices, peer }: Place, turn: SliceTurn): Promise<Outcome> {
  const own = slices.of(peer.id);
  switch (turn.kind) {
    case 'keep':
      return 'nothing';
    case 'assign':
      return (await assign(context, { slices, peer })) ? 'given' : 'nothing';
    case 'confirm':
      if (own !== undefined) await slices.writeSource(own, 'observed');
      return 'given';
    case 'move':
      if (own !== undefined) await slices.withdraw(own);
      await slices.give(peer, { text: formatPrefix(turn.prefix), source: 'observed' });
      return own === undefined ? 'given' : 'freed';
    case 'refuse':
      if (own === undefined || !turn.givesUp) return 'nothing';
      await slices.withdraw(own);
      return 'freed';
  }
}

/** false: there is none, so the peer has none. */
async function assign(context: ActionContext, { slices, peer }: Place): Promise<boolean> {
  const chosen = slices.isFull ? null : slices.choose(peer.id);
  if (chosen !== null) {
    await slices.give(peer, { text: formatPrefix(chosen.prefix), source: chosen.source });
    return true;
  }
  const why = slices.isFull
    ? `the network has ${subnetsPerNetworkMax} prefixes behind peers, which is the limit`
    : `all of ${slices.network.pod_subnet_prefix} is given`;
  context.note('no_pod_subnet', `A peer gets no slice for pods: ${why}.`);
  return false;
}

export interface Applied {
  /** As it is by then. */
  readonly peer: PeerRow;
  /** null: nothing is other than before. */
  readonly event: { readonly kind: string; readonly detail?: string } | null;
  /** Another peer may have a slice now that it could not have. */
  readonly isFreed: boolean;
}

interface Following {
  readonly turn: SliceTurn;
  /** It follows a word of its machine. */
  readonly followed: boolean;
}

/** Does what the turn says, with the refusal that the peer shows. */
export async function applyTurn(
  context: ActionContext,
  place: Place,
  { turn, followed }: Following,
): Promise<Applied> {
  const { peer: before } = place;
  const outcome = await carryOut(context, place, turn);
  const refused = turn.kind === 'refuse' ? turn.why : null;
  const isNew = refused !== before.pod_subnet_refused;
  if (outcome === 'nothing' && !isNew) return { peer: before, event: null, isFreed: false };
  const peer =
    isNew || followed
      ? await writePeer(context, before, {
          ...(isNew ? refusalColumns(context, refused) : {}),
          ...(followed ? { pod_subnet_followed_at: context.now } : {}),
        })
      : before;
  const event =
    refused !== null && isNew
      ? { kind: 'sdwan.peer.pod_subnet_refused', detail: refused }
      : { kind: 'sdwan.peer.pod_subnet_changed' };
  return { peer, event, isFreed: outcome === 'freed' };
}

/** The same with its event. Answers `isFreed`. */
export async function settle(context: ActionContext, place: Place, following: Following): Promise<boolean> {
  const before = await showPeer(context, place.peer);
  const { peer, event, isFreed } = await applyTurn(context, place, following);
  if (event !== null) {
    const { kind, ...more } = event;
    const severity = more.detail === undefined ? 'info' : 'warning';
    context.event(kind, { before, after: await showPeer(context, peer), ...more }, severity);
  }
  return isFreed;
}

export function refusalColumns({ now }: Pick<ActionContext, 'now'>, refused: string | null) {
  return { pod_subnet_refused: refused, pod_subnet_refused_at: refused === null ? null : now };
}

/** Peers that did not get what their machines say may get it now that something is free. */
export async function settleRefused(context: ActionContext, network: NetworkRow): Promise<void> {
  const slices = await NetworkSlices.of(context, network);
  if (slices === null) return;
  for (let isFreed = true; isFreed; ) {
    isFreed = false;
    const waiting = await context.trx
      .selectFrom('peers')
      .selectAll()
      .where('account_id', '=', context.accountId)
      .where('network_id', '=', network.id)
      .where('pod_subnet_refused', 'is not', null)
      .orderBy('id')
      .execute();
    for (const peer of waiting) {
      const turn = await turnOf(context, { slices, peer });
      if (isSettled({ peer }, turn)) continue;
      if (await settle(context, { slices, peer }, { turn, followed: false })) isFreed = true;
    }
  }
}
