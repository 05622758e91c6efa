// What a move of a virtual IP writes into its row, as values. Pure: the database's writer (moves.ts) and the simulation
// of fail-over use it alike.
import type { Terms } from '@powernode/core/virtual-ips/terms';
import { storedTerms, type VirtualIpMove } from '../../../store/virtual-ip-columns.ts';
import type { VirtualIpRow } from './model.ts';

export interface Away {
  readonly successor: string | null;
  readonly reason: VirtualIpMove['reason'];
  readonly detail: string;
  /** All that the holder may be acting on. */
  readonly terms: readonly Terms[];
  /** Its instance was terminated by an operator. */
  readonly terminated?: boolean;
  /** The health check of the one that it is taken from fails. */
  readonly holderFails?: boolean;
}

export interface Given {
  readonly to: string;
  readonly reason: VirtualIpMove['reason'];
  readonly detail: string;
}

/** Who writes it, when, and with which of the account's changes. */
export interface Writing {
  readonly actor: string;
  readonly now: Date;
  readonly sequence: number;
}

export type MoveColumns = Partial<
  Pick<
    VirtualIpRow,
    | 'current_holder_peer_id'
    | 'releasing_peer_id'
    | 'release_sequence'
    | 'successor_peer_id'
    | 'epoch'
    | 'state'
    | 'state_detail'
    | 'last_transition_at'
    | 'transition'
    | 'failed_checks'
  >
>;

/** Takes the address from its holder. */
export function awayColumns(
  before: VirtualIpRow,
  away: Away,
  at: Writing & { readonly holder: string; readonly holderInstanceId: string | null },
): MoveColumns & { readonly transition: VirtualIpMove } {
  return {
    current_holder_peer_id: null,
    epoch: before.epoch + 1,
    releasing_peer_id: at.holder,
    release_sequence: at.sequence,
    successor_peer_id: away.successor,
    transition: {
      reason: away.reason,
      detail: away.detail,
      actor: at.actor,
      decided_at: at.now.toISOString(),
      from_peer_id: at.holder,
      from_instance_id: at.holderInstanceId,
      from_terminated: away.terminated ?? false,
      terms: away.terms.map(storedTerms),
      given_sequence: null,
    },
    failed_checks: failedChecksAfter(before.failed_checks, away, at),
    state: 'failing_over',
    state_detail: away.detail,
  };
}

/**
 * A person who moves it from a holder that is well begins anew: whatever failed before may be repaired. Moved from one
 * whose check fails, which also is what an approved request does, it is remembered as a failure like any other.
 */
function failedChecksAfter(
  before: VirtualIpRow['failed_checks'],
  { reason, holderFails = false }: Away,
  { holder, now }: { readonly holder: string; readonly now: Date },
): VirtualIpRow['failed_checks'] {
  if (reason === 'by_hand' && !holderFails) return [];
  if (reason !== 'check_failed' && reason !== 'by_hand') return before;
  return [
    ...before.filter((one) => one.peer_id !== holder),
    { peer_id: holder, recovered: false, at: now.toISOString() },
  ];
}

/** The check of the holder succeeds: other candidates may get the address again when it fails. */
export function healthyColumns({ failed_checks: before }: VirtualIpRow, holder: string): MoveColumns {
  const others = before.filter((one) => one.peer_id !== holder);
  return { failed_checks: others.map((one) => ({ ...one, recovered: true })) };
}

/** Gives the address to a peer. A move that was begun by taking it away keeps its reason. */
export function givenColumns(
  before: VirtualIpRow,
  given: Given,
  at: Writing,
): MoveColumns & { readonly transition: VirtualIpMove } {
  const holder = before.current_holder_peer_id;
  const begun = holder === null ? before.transition : null;
  const transition: VirtualIpMove = {
    reason: begun?.reason ?? given.reason,
    detail: begun?.detail ?? given.detail,
    actor: begun?.actor ?? at.actor,
    decided_at: begun?.decided_at ?? at.now.toISOString(),
    from_peer_id: begun?.from_peer_id ?? holder,
    from_instance_id: begun?.from_instance_id ?? null,
    from_terminated: begun?.from_terminated ?? false,
    terms: [],
    given_sequence: at.sequence,
  };
  return {
    current_holder_peer_id: given.to,
    epoch: before.epoch + 1,
    releasing_peer_id: null,
    release_sequence: null,
    successor_peer_id: null,
    transition,
    state: 'failing_over',
    state_detail: transition.detail,
    last_transition_at: at.now,
  };
}

/** No peer holds the address, and none can. */
export function unassignedColumns(detail: string, now: Date): MoveColumns {
  return {
    releasing_peer_id: null,
    release_sequence: null,
    successor_peer_id: null,
    transition: null,
    state: 'unassigned',
    state_detail: detail,
    last_transition_at: now,
  };
}

/** The new holder has applied it. */
export function finishedColumns(): MoveColumns & { readonly state: 'active' } {
  return { transition: null, state: 'active', state_detail: null };
}
