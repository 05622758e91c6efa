// What a handler works with: a transaction in its account, who calls, and the collectors for changes and events.
// Handlers have no other way out: what they collect is written and told by the gate, in one transaction.
import type { ActionKey, Actions } from '@powernode/core/actions/catalogue';
import type { InputOf, OutputOf } from '@powernode/core/actions/define';
import type { Change } from '@powernode/core/compile/fleet-index';
import { ProductError } from '@powernode/core/errors';
import type { Event } from '@powernode/core/intent/fleet';
import { sql, type Transaction } from 'kysely';
import type { VirtualIpSense } from '../autonomy/virtual-ips/control.ts';
import type { Deliverer } from '../deliver/deliverer.ts';
import type { Database } from '../store/tables.ts';
import type { Caller } from './invoke-types.ts';
import { nextSequence } from './journal.ts';

/** What handlers need of the rest of the platform. */
export interface Services {
  readonly deliverer: Deliverer;
  readonly virtualIps: VirtualIpSense;
  readonly now: () => Date;
  readonly newId: () => string;
  /** A token with its digest: the token is shown once, the digest is stored. */
  readonly newApiToken: () => { readonly token: string; readonly digest: string };
  readonly newJoinToken: () => { readonly token: string; readonly digest: string };
  /** The secret part of a bootstrap URL. */
  readonly newBootstrapToken: () => { readonly token: string; readonly digest: string };
  /** Random lower-case letters and digits. */
  readonly randomName: (length: number) => string;
  /** Random 40 bits for a unique local prefix (RFC 4193 §3.2.2). */
  readonly randomPoolBits: () => bigint;
  /** Where nodes reach the platform. */
  readonly nodeUrl: () => string;
  /** Where people reach the console and its pages. */
  readonly consoleUrl: () => string;
  readonly platformVersion: string;
}

export interface EventDraft {
  readonly kind: string;
  readonly severity?: 'info' | 'warning' | 'error';
  readonly payload: Record<string, unknown>;
  readonly actor: Event['actor'];
}

export type Trx = Transaction<Database>;

/** What a transaction collects, shared by all contexts that work in it. */
interface Collected {
  sequence: number | null;
  changes: Change[];
  events: EventDraft[];
  afterCommit: (() => void)[];
  laterAnswer: LaterAnswer | null;
}

interface ContextParts {
  readonly trx: Trx;
  readonly caller: Caller;
  readonly services: Services;
  readonly correlationId: string;
  /** The action will be rolled back: no secret may be made for showing. */
  readonly dryRun: boolean;
  /** Who is behind what happens, when that is not the caller: no operator at all. */
  readonly actor?: Event['actor'];
}

/** Reads what has become of the account since the commit. */
export type ReadLater = <T>(work: (trx: Trx) => Promise<T>) => Promise<T>;

/** Parts of an answer that are only known once the change is out. */
type LaterAnswer = (read: ReadLater) => Promise<Readonly<Record<string, unknown>>>;

export class ActionContext {
  readonly trx: Trx;
  readonly caller: Caller;
  readonly accountId: string;
  readonly services: Services;
  readonly now: Date;
  readonly correlationId: string;
  readonly dryRun: boolean;
  readonly #parts: ContextParts;
  readonly #collected: Collected;

  constructor(parts: ContextParts, collected?: Collected) {
    this.#parts = parts;
    this.#collected = collected ?? newCollected();
    this.trx = parts.trx;
    this.caller = parts.caller;
    this.accountId = parts.caller.accountId;
    this.services = parts.services;
    this.correlationId = parts.correlationId;
    this.dryRun = parts.dryRun;
    this.now = parts.services.now();
  }

  /** The number of the change under way, once the lock is taken. */
  get sequence(): number | null {
    return this.#collected.sequence;
  }
  get changes(): readonly Change[] {
    return this.#collected.changes;
  }
  get events(): readonly EventDraft[] {
    return this.#collected.events;
  }
  get afterCommit(): readonly (() => void)[] {
    return this.#collected.afterCommit;
  }
  get laterAnswer(): LaterAnswer | null {
    return this.#collected.laterAnswer;
  }

  /**
   * Takes the account's lock and the number of this change. Whoever changes what networks should be calls it before
   * it reads, so that allocations never meet and numbers have no gap. Taking it twice is the same as once.
   */
  async lock(): Promise<number> {
    if (this.#collected.sequence !== null) return this.#collected.sequence;
    const sequence = await nextSequence(this.trx, this.accountId);
    this.#collected.sequence = sequence;
    return sequence;
  }

  change(change: Change): void {
    if (this.#collected.sequence === null) throw new Error('a change was made without the account lock');
    this.#collected.changes.push(change);
  }

  event(kind: string, payload: Record<string, unknown>, severity?: EventDraft['severity']): void {
    const { operatorId: id, operatorName: name } = this.caller;
    const actor = this.#parts.actor ?? { kind: 'operator' as const, id, name };
    this.#collected.events.push({ kind, payload, actor, ...(severity === undefined ? {} : { severity }) });
  }

  /** Runs after the commit: ending streams and the like. Not on a dry run. */
  whenCommitted(run: () => void): void {
    this.#collected.afterCommit.push(run);
  }

  /** Asked after the commit, and may wait a little for nodes; its members take the place of the answer's own. */
  answerAfterCommit(answer: LaterAnswer): void {
    this.#collected.laterAnswer = answer;
  }

  /** The same transaction in the name of somebody else of the account. */
  as(caller: Caller): ActionContext {
    return new ActionContext({ ...this.#parts, caller }, this.#collected);
  }

  /** Runs a part whose failure takes back only itself: its rows, and what it collected. */
  async attempt<T>(part: () => Promise<T>): Promise<T> {
    const kept = { ...this.#collected };
    const lengths = [kept.changes.length, kept.events.length, kept.afterCommit.length] as const;
    await sql`savepoint attempt`.execute(this.trx);
    try {
      const result = await part();
      await sql`release savepoint attempt`.execute(this.trx);
      return result;
    } catch (error) {
      await sql`rollback to savepoint attempt`.execute(this.trx);
      this.#collected.sequence = kept.sequence;
      this.#collected.laterAnswer = kept.laterAnswer;
      [this.#collected.changes.length, this.#collected.events.length, this.#collected.afterCommit.length] =
        lengths;
      throw error;
    }
  }

  /** For administrators of the platform, who alone hold these: from here on the transaction sees all accounts. */
  async widenToPlatform(
    permission: 'system.accounts.read' | 'system.accounts.manage' = 'system.accounts.manage',
  ): Promise<void> {
    if (!this.caller.permissions.has(permission)) {
      throw new ProductError('permission_denied', 'Only administrators of the platform may do this.');
    }
    await sql`select set_config('powernode.scope', 'platform', true)`.execute(this.trx);
  }
}

function newCollected(): Collected {
  return { sequence: null, changes: [], events: [], afterCommit: [], laterAnswer: null };
}

/** The parsed parameters that a handler sees. */
export type Input<K extends ActionKey> = InputOf<Actions[K]> & { readonly if_revision?: number | undefined };

export type Handler<K extends ActionKey> = (
  context: ActionContext,
  input: Input<K>,
) => Promise<OutputOf<Actions[K]>>;

/** Every action has exactly one handler: a missing one does not compile. */
export type Handlers = { readonly [K in ActionKey]: Handler<K> };
export type HandlersOf<Keys extends ActionKey> = { readonly [K in Keys]: Handler<K> };

/** Another account's object and an absent one give this same error. */
export function notFound(noun: string, id: string): ProductError {
  return new ProductError('not_found', `There is no ${noun} ${id}. List them to see what there is.`);
}

export function checkRevision(
  row: { readonly revision: number },
  input: { readonly if_revision?: number | undefined },
): void {
  if (input.if_revision === undefined || input.if_revision === row.revision) return;
  throw new ProductError(
    'revision_conflict',
    `It has revision ${row.revision} by now, not ${input.if_revision}. Read it again and decide anew.`,
    { members: { current_revision: row.revision } },
  );
}
