// One virtual IP as the platform follows it: what is stored of it, what is known of its candidates, what hubs say of
// them, and what is under way. Immutable values; how they change: step.ts.
import type { PolicyMode } from '../intent/autonomy.ts';
import type { LeaseTerms, Terms } from './terms.ts';

export type Reason =
  | 'created'
  | 'holder_dead'
  | 'by_hand'
  | 'preempted'
  | 'holder_changed'
  | 'holder_gone'
  | 'drained';

export type Phase = 'pending' | 'active' | 'failing_over' | 'unassigned' | 'error';

/** Why it moves, while it does. */
export interface Move {
  readonly reason: Reason;
  readonly detail: string;
  readonly fromPeerId: string | null;
  /** The account's change that gave it to the holder; null: nobody has been given it yet. */
  readonly givenSequence: number | null;
}

/** As stored, with times on the clock of whoever follows it. */
export interface Row {
  readonly anycast: boolean;
  /** Candidates that are peers of the network, in order. */
  readonly candidates: readonly string[];
  readonly preempt: boolean;
  readonly holdDownMs: number;
  readonly holder: string | null;
  readonly epoch: number;
  /** Who has to have given it up before anybody else gets it, and the account's change that took it away. */
  readonly releasing: { readonly peerId: string; readonly sequence: number; readonly sinceMs: number } | null;
  readonly successor: string | null;
  readonly move: Move | null;
  readonly lastMovedMs: number | null;
  readonly phase: Phase;
  readonly detail: string | null;
}

/** What is known of a peer that may hold the address, or has to give it up. */
export interface PeerFacts {
  readonly hostname: string;
  readonly connected: boolean;
  /** The newest revision that its machine was read back to equal; -1: none. */
  readonly applied: number;
  readonly inSync: boolean;
  readonly draining: boolean;
  /** terminated: an operator has said that its machine is no more. */
  readonly presence: 'here' | 'detached' | 'terminated';
}

/** A hub's newest word on a peer. Hubs that have no stream, or have not spoken yet, have none. */
export interface Word {
  readonly alive: boolean;
  readonly sinceMs: number;
  /** When the stream began on which it was said. */
  readonly openedMs: number;
}

/** Hubs are asked whether they stand by their word: that the holder is dead, all at the moment `atMs`. */
export interface Proof {
  readonly number: number;
  readonly atMs: number;
  readonly confirmed: readonly string[];
}

export type Written = 'release' | 'give' | 'clear' | 'finish' | 'say' | 'ask' | 'withdraw';

export interface Approval {
  readonly status: 'pending' | 'answered';
  readonly target: string;
}

/** Whether the holder is well (health.ts). */
export type Verdict = 'well' | 'down' | 'unsure';

export interface NotedHealth {
  readonly verdict: Verdict;
  readonly sinceMs: number;
  /** Since when all hubs that speak have lost it (Health.lost); null: they have not. */
  readonly lostSinceMs: number | null;
}

export interface State {
  readonly row: Row;
  /** What happens when the holder is dead. */
  readonly mode: PolicyMode;
  /** Since when this process answers holders and decides; null: another one does. */
  readonly leadingMs: number | null;
  readonly peers: ReadonlyMap<string, PeerFacts>;
  /** Names of hubs, for people. */
  readonly names: ReadonlyMap<string, string>;
  /** On what each candidate's lease would rest. */
  readonly terms: ReadonlyMap<string, LeaseTerms | null>;
  /** All that the holder, or who has to give it up, may be acting on. */
  readonly oldTerms: readonly Terms[];
  /** By peer and hub. */
  readonly words: ReadonlyMap<string, ReadonlyMap<string, Word>>;
  /** When the platform last answered the holder, or might have; null: it never did under this epoch. */
  readonly heldMs: number | null;
  /** The holder is not answered any more, because the address is about to be taken from it. */
  readonly frozen: boolean;
  readonly proof: Proof | null;
  readonly proofs: number;
  /** It is certain that whoever had the address does not answer for it, and cannot begin to. */
  readonly over: boolean;
  /** Being written; nothing else is decided meanwhile. */
  readonly writing: Written | null;
  /** Nothing is tried before this, after a write that failed. */
  readonly restUntilMs: number;
  readonly approval: Approval | null;
  /** Of the holder; null: not looked at yet. */
  readonly health: NotedHealth | null;
  /** Since when each candidate before the holder has had nothing against it. */
  readonly fitMs: ReadonlyMap<string, number>;
}

export type Event =
  | { readonly kind: 'row'; readonly row: Row }
  /** To be told when all rows were read that others may have written before. */
  | { readonly kind: 'lead'; readonly leading: boolean }
  | { readonly kind: 'mode'; readonly mode: PolicyMode }
  | { readonly kind: 'peers'; readonly peers: ReadonlyMap<string, PeerFacts> }
  | {
      readonly kind: 'terms';
      readonly terms: State['terms'];
      readonly oldTerms: readonly Terms[];
      readonly names: State['names'];
    }
  /** null: it has no word any more. */
  | { readonly kind: 'word'; readonly hub: string; readonly peerId: string; readonly word: Word | null }
  | { readonly kind: 'hold'; readonly peerId: string; readonly epoch: number }
  /** A hub stands by its word, asked after the moment of that proof. */
  | { readonly kind: 'confirmed'; readonly hub: string; readonly number: number }
  | { readonly kind: 'approval'; readonly approval: Approval | null }
  /** What was to be written was, or was not and the row is known again. */
  | { readonly kind: 'wrote'; readonly what: Written; readonly done: boolean }
  | { readonly kind: 'tick' };

export type Effect =
  /** The platform hears the holder: to be answered now. */
  | { readonly kind: 'answer'; readonly peerId: string; readonly epoch: number }
  | {
      readonly kind: 'prove';
      readonly number: number;
      readonly peerId: string;
      readonly hubs: readonly string[];
    }
  /** Takes the address from the holder; it is given on when that has given it up. */
  | {
      readonly kind: 'release';
      readonly successor: string | null;
      readonly reason: Reason;
      readonly detail: string;
    }
  /** Gives the address, which is nobody's now, or whose holder is proven not to answer. */
  | { readonly kind: 'give'; readonly to: string; readonly reason: Reason; readonly detail: string }
  /** Nobody has to give it up any more, and nobody can have it. */
  | { readonly kind: 'clear'; readonly detail: string }
  /** The holder has applied it: the move is done. */
  | { readonly kind: 'finish' }
  | { readonly kind: 'say'; readonly phase: Phase; readonly detail: string | null }
  | { readonly kind: 'ask'; readonly target: string; readonly reason: Reason; readonly detail: string }
  | { readonly kind: 'withdraw'; readonly why: string }
  | { readonly kind: 'wake'; readonly atMs: number };

export interface Step {
  readonly state: State;
  readonly effects: readonly Effect[];
}

export function newState(row: Row, mode: PolicyMode): State {
  return {
    row,
    mode,
    leadingMs: null,
    peers: new Map(),
    names: new Map(),
    terms: new Map(),
    oldTerms: [],
    words: new Map(),
    heldMs: null,
    frozen: false,
    proof: null,
    proofs: 0,
    over: false,
    writing: null,
    restUntilMs: 0,
    approval: null,
    health: null,
    fitMs: new Map(),
  };
}
