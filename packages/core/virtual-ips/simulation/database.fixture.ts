// Test support: what is stored of the address in the simulation, and what each change made of each candidate's
// document. Transactions are done at one moment, or not at all; who asked for one may never hear of it.
import { leaderExpiryMs } from '../../limits.ts';
import type { Phase, Reason } from '../state.ts';
import { type LeaseTerms, sameTerms, type Terms } from '../terms.ts';
import type { Document } from './frames.fixture.ts';
import { Member, type World } from './world.fixture.ts';

export interface StoredRow {
  readonly candidates: readonly string[];
  readonly preempt: boolean;
  readonly holder: string | null;
  readonly epoch: number;
  readonly releasing: {
    readonly peer: string;
    readonly sequence: number;
    readonly at: number;
    readonly terms: readonly Terms[];
  } | null;
  readonly successor: string | null;
  readonly move: {
    readonly reason: Reason;
    readonly from: string | null;
    readonly given: number | null;
  } | null;
  readonly movedAt: number | null;
  readonly phase: Phase;
  readonly detail: string | null;
}

/** All that a process reads at once. */
export interface Snapshot {
  readonly sequence: number;
  readonly row: StoredRow;
  readonly witnesses: readonly string[];
  readonly documents: ReadonlyMap<string, readonly Document[]>;
  readonly applied: ReadonlyMap<string, number>;
}

export class Database extends Member {
  row: StoredRow;
  sequence = 0;
  witnesses: readonly string[];
  leader: { readonly name: string; readonly at: number } | null = null;
  readonly applied = new Map<string, number>();
  moves = 0;
  readonly #documents = new Map<string, Document[]>();

  constructor(
    world: World,
    parts: { readonly candidates: readonly string[]; readonly witnesses: readonly string[] },
  ) {
    super(world, 'db');
    this.witnesses = parts.witnesses;
    this.row = {
      candidates: parts.candidates,
      preempt: world.chance(0.3),
      holder: parts.candidates[0] ?? null,
      epoch: 1,
      releasing: null,
      successor: null,
      move: { reason: 'created', from: null, given: 1 },
      movedAt: null,
      phase: 'pending',
      detail: null,
    };
    for (const name of parts.candidates) this.#documents.set(name, []);
    this.commit(this.row);
  }

  snapshot(): Snapshot {
    const { sequence, row, witnesses } = this;
    const documents = new Map([...this.#documents].map(([name, list]) => [name, [...list]]));
    return { sequence, row, witnesses, documents, applied: new Map(this.applied) };
  }

  /** Documents follow. */
  commit(row: StoredRow, witnesses: readonly string[] = this.witnesses): void {
    if (row.epoch !== this.row.epoch) this.moves++;
    this.sequence++;
    this.row = row;
    this.witnesses = witnesses;
    for (const [name, list] of this.#documents) {
      const entry = row.holder === name ? { epoch: row.epoch, terms: termsFor(row, witnesses) } : null;
      const last = list.at(-1)?.entry ?? null;
      if (isSame(last, entry) && list.length > 0) continue;
      list.push({ revision: this.sequence, entry });
    }
  }

  /** Said without a change of what anybody should be. */
  say(row: StoredRow): void {
    this.row = row;
  }

  /** Whether the process leads now. */
  lead(name: string): boolean {
    const { leader } = this;
    if (leader !== null && leader.name !== name && this.clock - leader.at < leaderExpiryMs) return false;
    this.leader = { name, at: this.clock };
    return true;
  }
}

export function termsFor(
  row: Pick<StoredRow, 'candidates'>,
  witnesses: readonly string[],
): LeaseTerms | null {
  if (row.candidates.length < 2 || witnesses.length === 0) return null;
  return { witnesses, enough: Math.ceil((witnesses.length + 1) / 2) };
}

function isSame(a: Document['entry'], b: Document['entry']): boolean {
  if (a === null || b === null) return a === b;
  return a.epoch === b.epoch && sameTerms(a.terms, b.terms);
}
