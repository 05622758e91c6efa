// The fail-over state of one virtual IP: its stored row, facts about its candidates, the reports of hubs on them, and
// the write or proof in progress. Immutable values; step.ts has their transitions.
import type { PeerId } from '../ids.ts';
import type { PolicyMode } from '../intent/autonomy.ts';
import type { HolderHealth } from '../intent/virtual-ip.ts';
import type { LeaseTerms, Terms } from './terms.ts';

export type Reason =
  | 'created'
  | 'holder_dead'
  | 'check_failed'
  | 'by_hand'
  | 'preempted'
  | 'holder_changed'
  | 'holder_gone'
  | 'drained';

export type Phase = 'pending' | 'active' | 'failing_over' | 'unassigned' | 'error';

/** The reason of a move in progress. */
export interface Move {
  readonly reason: Reason;
  readonly detail: string;
  readonly fromPeerId: PeerId | null;
  /** The account's change that granted the address to the holder; null: not granted yet. */
  readonly grantSequence: number | null;
}

/** As stored, with times on the steady clock of this process. */
export interface Row {
  readonly anycast: boolean;
  /** Candidates that are peers of the network, in order. */
  readonly candidates: readonly PeerId[];
  readonly preempt: boolean;
  readonly holdDownMs: number;
  readonly holder: PeerId | null;
  readonly epoch: number;
  /** The peer that has to release the address before it is granted again, and the account's change that revoked it. */
  readonly releasing: { readonly peerId: PeerId; readonly sequence: number; readonly sinceMs: number } | null;
  readonly successor: PeerId | null;
  readonly move: Move | null;
  readonly lastMovedMs: number | null;
  /** Whether its holder asks the service at it. */
  readonly checked: boolean;
  readonly failedChecks: readonly FailedCheck[];
  readonly phase: Phase;
  readonly detail: string | null;
}

/** A peer that the address was taken from because its health check failed. */
export interface FailedCheck {
  readonly peerId: PeerId;
  /** The check of a later holder has succeeded since then. */
  readonly recovered: boolean;
  /** When it was taken from the peer. */
  readonly atMs: number;
}

/** What the health check of a holder found, as its agent reports it. */
export interface CheckReport {
  readonly health: HolderHealth;
  readonly lastError: string | null;
}

/** Facts about a peer that may hold the address, or has to release it. */
export interface PeerFacts {
  readonly hostname: string;
  readonly connected: boolean;
  /** The newest revision that its agent has acknowledged, after it was read back; -1: none. */
  readonly applied: number;
  readonly inSync: boolean;
  readonly draining: boolean;
  /** terminated: an operator has terminated its instance. */
  readonly presence: 'attached' | 'detached' | 'terminated';
}

/** A hub's newest report on a peer. A hub without a stream, or that has not reported yet, has none. */
export interface HubReport {
  readonly reachable: boolean;
  readonly sinceMs: number;
  /** When the stream of the report was opened. */
  readonly streamOpenedMs: number;
}

/** Hubs are asked to confirm their reports: that the holder was unreachable for all of them at the moment `atMs`. */
export interface ExpiryProof {
  readonly number: number;
  readonly atMs: number;
  readonly confirmed: readonly PeerId[];
}

export type WriteKind =
  | 'revoke'
  | 'grant'
  | 'unassign'
  | 'complete'
  | 'note_healthy'
  | 'set_phase'
  | 'request_approval'
  | 'withdraw_approval';

export interface Approval {
  readonly status: 'pending' | 'answered';
  readonly target: PeerId;
}

/** Health of the holder (health.ts). failing: it is connected, and its health check fails. */
export type Verdict = 'healthy' | 'down' | 'failing' | 'unknown';

export interface ObservedHealth {
  readonly verdict: Verdict;
  readonly sinceMs: number;
  /** Since when all hubs that report have lost it (Health.lost); null: they have not. */
  readonly lostSinceMs: number | null;
}

export interface State {
  readonly row: Row;
  /** The policy for a holder that is down. */
  readonly mode: PolicyMode;
  /** Since when this process leads: it acknowledges renewals and decides; null: another process leads. */
  readonly leadingSinceMs: number | null;
  readonly peers: ReadonlyMap<PeerId, PeerFacts>;
  /** Names of hubs, for people. */
  readonly names: ReadonlyMap<PeerId, string>;
  /** The lease terms that each candidate would have. */
  readonly terms: ReadonlyMap<PeerId, LeaseTerms | null>;
  /** All terms that the leaseholder may be acting on. */
  readonly oldTerms: readonly Terms[];
  /** By peer and hub. */
  readonly reports: ReadonlyMap<PeerId, ReadonlyMap<PeerId, HubReport>>;
  /** What the health check of the leaseholder found; null: nothing yet. */
  readonly check: CheckReport | null;
  /** When the platform last acknowledged a renewal of the holder, or might have; null: never under this epoch. */
  readonly lastRenewedMs: number | null;
  /** No renewal of the holder is acknowledged any more, because the address is about to be revoked. */
  readonly fenced: boolean;
  readonly proof: ExpiryProof | null;
  readonly proofCount: number;
  /** The previous leaseholder certainly does not answer for the address, and cannot begin to. */
  readonly isReleaseProven: boolean;
  /** The write in progress; nothing is decided until it is done. */
  readonly writing: WriteKind | null;
  /** After a write that failed, nothing is decided before this. */
  readonly retryAtMs: number;
  readonly approval: Approval | null;
  /** Of the holder; null: not evaluated yet. */
  readonly health: ObservedHealth | null;
  /** Since when each candidate of a higher priority than the holder has been healthy. */
  readonly healthySinceMs: ReadonlyMap<PeerId, number>;
}

export type Event =
  | { readonly kind: 'row'; readonly row: Row }
  /** Sent only after all rows were read that an earlier leader may have written. */
  | { readonly kind: 'leadership'; readonly leading: boolean }
  | { readonly kind: 'mode'; readonly mode: PolicyMode }
  | { readonly kind: 'peers'; readonly peers: ReadonlyMap<PeerId, PeerFacts> }
  | {
      readonly kind: 'terms';
      readonly terms: State['terms'];
      readonly oldTerms: readonly Terms[];
      readonly names: State['names'];
    }
  /** null: the hub has no report any more. */
  | {
      readonly kind: 'report';
      readonly hub: PeerId;
      readonly peerId: PeerId;
      readonly report: HubReport | null;
    }
  /** null: the peer has no such check any more. */
  | { readonly kind: 'check'; readonly peerId: PeerId; readonly check: CheckReport | null }
  | { readonly kind: 'renew'; readonly peerId: PeerId; readonly epoch: number }
  /** A hub confirms its report, asked after the moment of that proof. */
  | { readonly kind: 'confirmed'; readonly hub: PeerId; readonly number: number }
  | { readonly kind: 'approval'; readonly approval: Approval | null }
  /** The write was committed; or it was not, and the row was read again. */
  | { readonly kind: 'written'; readonly what: WriteKind; readonly done: boolean }
  | { readonly kind: 'tick' };

export type Effect =
  /** The renewal of the holder is acknowledged now. */
  | { readonly kind: 'acknowledge'; readonly peerId: PeerId; readonly epoch: number }
  | {
      readonly kind: 'confirm_expiry';
      readonly number: number;
      readonly peerId: PeerId;
      readonly hubs: readonly PeerId[];
    }
  /** Revokes the address of the holder; it is granted to the successor once the release is proven. */
  | {
      readonly kind: 'revoke';
      readonly successor: PeerId | null;
      readonly reason: Reason;
      readonly detail: string;
    }
  /** Grants the address, which has no holder now, or whose holder is proven not to answer. */
  | { readonly kind: 'grant'; readonly to: PeerId; readonly reason: Reason; readonly detail: string }
  /** No peer has to release the address any more, and no candidate can hold it. */
  | { readonly kind: 'unassign'; readonly detail: string }
  /** The holder has applied its grant: the move is complete. */
  | { readonly kind: 'complete' }
  /** The check of the holder succeeds: earlier failures of candidates are no obstacle to another move. */
  | { readonly kind: 'note_healthy'; readonly peerId: PeerId }
  | { readonly kind: 'set_phase'; readonly phase: Phase; readonly detail: string | null }
  | {
      readonly kind: 'request_approval';
      readonly target: PeerId;
      readonly reason: Reason;
      readonly detail: string;
    }
  | { readonly kind: 'withdraw_approval'; readonly why: string }
  | { readonly kind: 'wake'; readonly atMs: number };

export interface Step {
  readonly state: State;
  readonly effects: readonly Effect[];
}

export function newState(row: Row, mode: PolicyMode): State {
  return {
    row,
    mode,
    leadingSinceMs: null,
    peers: new Map(),
    names: new Map(),
    terms: new Map(),
    oldTerms: [],
    reports: new Map(),
    check: null,
    lastRenewedMs: null,
    fenced: false,
    proof: null,
    proofCount: 0,
    isReleaseProven: false,
    writing: null,
    retryAtMs: 0,
    approval: null,
    health: null,
    healthySinceMs: new Map(),
  };
}
