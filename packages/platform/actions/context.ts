// What a handler works with: a transaction in its account, who calls, and the collectors for changes and events.
// Handlers have no other way out: the gate writes what they collect, in the same transaction.
import type { ActionKey, Actions } from '@powernode/core/actions/catalogue';
import type { InputOf, OutputOf } from '@powernode/core/actions/define';
import type { Change } from '@powernode/core/compile/fleet-index';
import type { Item } from '@powernode/core/compile/model';
import { ProductError } from '@powernode/core/errors';
import type { Plan } from '@powernode/core/intent/autonomy';
import type { Event } from '@powernode/core/intent/fleet';
import { commitsWaitMs } from '@powernode/core/limits/failover';
import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { Deliverer } from '../deliver/deliverer.ts';
import type { Database } from '../store/tables.ts';
import type { Caller } from './invoke-types.ts';
import { giveBackSequence, nextSequence, type Origin } from './journal.ts';
import type { PlatformListener, VirtualIpSense } from './ports.ts';

/** What handlers need of the rest of the platform. */
export interface Services {
  readonly deliverer: Deliverer;
  readonly virtualIps: VirtualIpSense;
  /** Every noun, as it describes itself; listed in nouns.ts. */
  readonly nouns: readonly Noun[];
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
  /** The line that brings a machine into the fleet with a join token. */
  readonly installCommand: (token: string) => string;
  /** Where nodes reach the platform. */
  readonly nodeUrl: () => string;
  /** Where people reach the console and its pages. */
  readonly consoleUrl: () => string;
  /** Where the platform itself listens. */
  readonly listeners: () => readonly PlatformListener[];
  readonly platformVersion: string;
}

export interface EventDraft {
  readonly kind: string;
  readonly severity?: 'info' | 'warning' | 'error';
  readonly payload: Record<string, unknown>;
  readonly actor: Event['actor'];
}

/** A sentence for whoever reads the plan: why something becomes what it does, or what will not work. */
export interface PlanNote {
  readonly code: string;
  readonly detail: string;
}

export type Trx = Transaction<Database>;

/** What a transaction collects, shared by all contexts that work in it. */
interface Collected {
  sequence: number | null;
  changes: Change[];
  /** Of the first of the changes. */
  origin: Origin | null;
  events: EventDraft[];
  afterCommit: (() => void)[];
  laterAnswer: LaterAnswer | null;
  abreast: Promise<boolean> | null;
  notes: PlanNote[];
  outcome: Turn | null;
  planNodes: PlanNode[];
  forPerson: boolean;
}

type PlanNode = Plan['nodes'][number];

/** An object before and after. */
export interface Turn {
  readonly before: Readonly<Record<string, unknown>>;
  readonly after: Readonly<Record<string, unknown>>;
}

interface ContextParts {
  readonly trx: Trx;
  readonly caller: Caller;
  /** What runs: the name of an action, or what the platform does by itself. */
  readonly action: string;
  /** Left out: the caller's own. An administrator of the platform may act in another one. */
  readonly accountId?: string;
  /** Who decided that the caller's request is done. */
  readonly approver?: Caller;
  readonly services: Services;
  readonly correlationId: string;
  /** The action will be rolled back: no secret may be made for showing. */
  readonly dryRun: boolean;
  /** The answer goes to a model: no secret may be made for showing. */
  readonly overMcp?: boolean;
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
  /** The account that the action is about: all that it writes belongs to it, events and approvals too. */
  readonly accountId: string;
  readonly services: Services;
  readonly now: Date;
  readonly correlationId: string;
  readonly dryRun: boolean;
  readonly overMcp: boolean;
  readonly #parts: ContextParts;
  readonly #collected: Collected;

  constructor(parts: ContextParts, collected?: Collected) {
    this.#parts = parts;
    this.#collected = collected ?? newCollected();
    this.trx = parts.trx;
    this.caller = parts.caller;
    this.accountId = parts.accountId ?? parts.caller.accountId;
    this.services = parts.services;
    this.correlationId = parts.correlationId;
    this.dryRun = parts.dryRun;
    this.overMcp = parts.overMcp ?? false;
    this.now = parts.services.now();
  }

  /** It was asked for earlier, by the caller, and is done now because somebody approved it. */
  get isApproved(): boolean {
    return this.#parts.approver !== undefined;
  }

  /** Those whose rights count, the caller first: whoever approves something must have the right to do it too. */
  get authorities(): readonly Caller[] {
    const { approver } = this.#parts;
    return approver === undefined ? [this.caller] : [this.caller, approver];
  }

  /** The number of the change under way, once the lock is taken. */
  get sequence(): number | null {
    return this.#collected.sequence;
  }
  get changes(): readonly Change[] {
    return this.#collected.changes;
  }
  /** What made them, and who; null while there are none. */
  get origin(): Origin | null {
    return this.#collected.origin;
  }
  get events(): readonly EventDraft[] {
    return this.#collected.events;
  }
  get notes(): readonly PlanNote[] {
    return this.#collected.notes;
  }
  get planNodes(): readonly PlanNode[] {
    return this.#collected.planNodes;
  }
  /** Whether it turned out to be what a model has nothing done of by itself. */
  get forPerson(): boolean {
    return this.#collected.forPerson;
  }
  get outcome(): Turn | null {
    return this.#collected.outcome;
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

  /** The lock stays until the end of the transaction. */
  async giveBackNumber(): Promise<void> {
    if (this.#collected.sequence === null) return;
    await giveBackSequence(this.trx, this.accountId);
    this.#collected.sequence = null;
  }

  /**
   * Whether the fleet in memory is as everything that was committed before the change under way made it. Others of the
   * account wait for its lock meanwhile, so it is waited for once, however many objects ask.
   */
  isAbreast(): Promise<boolean> {
    this.#collected.abreast ??= this.#waitUntilAbreast();
    return this.#collected.abreast;
  }

  async #waitUntilAbreast(): Promise<boolean> {
    const before = (await this.lock()) - 1;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), commitsWaitMs);
    });
    const caughtUp = this.services.deliverer.caughtUp(this.accountId, before).then(() => true);
    try {
      return await Promise.race([caughtUp, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  change(change: Change): void {
    if (this.#collected.sequence === null) throw new Error('a change was made without the account lock');
    this.#collected.changes.push(change);
    this.#collected.origin ??= { action: this.#parts.action, actor: this.#actor() };
  }

  event(kind: string, payload: Record<string, unknown>, severity?: EventDraft['severity']): void {
    const actor = this.#actor();
    this.#collected.events.push({ kind, payload, actor, ...(severity === undefined ? {} : { severity }) });
  }

  #actor(): Event['actor'] {
    return this.#parts.actor ?? operatorActor(this.caller, this.accountId);
  }

  note(code: string, detail: string): void {
    const { notes } = this.#collected;
    if (!notes.some((note) => note.code === code && note.detail === detail)) notes.push({ code, detail });
  }

  /** What the object becomes in the end, for the plan, where the events of the first step do not tell. */
  becomes(outcome: Turn): void {
    this.#collected.outcome = outcome;
  }

  /** What the parameters alone do not tell: this call opens or cuts something after all. */
  needsPerson(): void {
    this.#collected.forPerson = true;
  }

  /** What a machine is told to do beside what follows from changes, for the plan. */
  addPlanNode(node: PlanNode): void {
    this.#collected.planNodes.push(node);
  }

  /** Runs after the commit: ending streams and the like. Not on a dry run. */
  whenCommitted(run: () => void): void {
    this.#collected.afterCommit.push(run);
  }

  /** Asked after the commit, and may wait a little for nodes; its members take the place of the answer's own. */
  answerAfterCommit(answer: LaterAnswer): void {
    this.#collected.laterAnswer = answer;
  }

  /** The same transaction for an action that was asked for earlier. */
  asAction(action: string): ActionContext {
    return new ActionContext({ ...this.#parts, action }, this.#collected);
  }

  /** The same transaction in the name of who asked for it, decided by the present caller. */
  asApproved(caller: Caller): ActionContext {
    const { accountId, caller: approver } = this;
    return new ActionContext({ ...this.#parts, accountId, caller, approver }, this.#collected);
  }

  /** Runs a part whose failure takes back only itself: its rows, and what it collected. Attempts may be nested. */
  async attempt<T>(part: () => Promise<T>): Promise<T> {
    const kept = copyOf(this.#collected);
    await sql`savepoint attempt`.execute(this.trx);
    try {
      const result = await part();
      await sql`release savepoint attempt`.execute(this.trx);
      return result;
    } catch (error) {
      await sql`rollback to savepoint attempt`.execute(this.trx);
      // It would stay, and hide the one of the same name around it.
      await sql`release savepoint attempt`.execute(this.trx);
      Object.assign(this.#collected, kept);
      throw error;
    }
  }

  /** For administrators of the platform, who alone hold these: from here on the transaction sees all accounts. */
  async widenToPlatform(
    permission: 'system.accounts.read' | 'system.accounts.manage' = 'system.accounts.manage',
  ): Promise<void> {
    if (!this.caller.permissions.has(permission)) {
      throw new ProductError('permission_denied', 'Only platform administrators can do this.');
    }
    await sql`select set_config('powernode.scope', 'platform', true)`.execute(this.trx);
  }
}

/** An operator as the actor of an event in the account: by which token, and whose that is. */
function operatorActor(caller: Caller, accountId: string): Event['actor'] {
  const { token, tokenId } = caller;
  const madeBy = token.madeBy === null ? null : { id: token.madeBy.id, name: token.madeBy.name };
  return {
    kind: 'operator',
    id: caller.operatorId,
    name: caller.operatorName,
    ...(caller.accountId === accountId ? {} : { account_id: caller.accountId }),
    token: { id: tokenId, name: token.name, created_by: madeBy },
  };
}

function newCollected(): Collected {
  return {
    sequence: null,
    changes: [],
    origin: null,
    events: [],
    afterCommit: [],
    laterAnswer: null,
    abreast: null,
    notes: [],
    outcome: null,
    planNodes: [],
    forPerson: false,
  };
}

function copyOf(collected: Collected): Collected {
  const { changes, events, afterCommit, notes, planNodes } = collected;
  return {
    ...collected,
    changes: [...changes],
    events: [...events],
    afterCommit: [...afterCommit],
    notes: [...notes],
    planNodes: [...planNodes],
  };
}

/** Tables with an id, an account and a revision in each row. */
export type NounTable = {
  [T in keyof Database]: Database[T] extends Pick<Database['networks'], 'account_id' | 'revision'> & {
    readonly id: string;
  }
    ? T
    : never;
}[keyof Database];

/** By id; an object that is gone has none. */
export type Names = ReadonlyMap<string, string>;

/** What the gate and other shared parts have to know of a noun, so that none of them knows any. */
export interface Noun {
  /** As answers and explanations call it; the parameter that names one is `<kind>_id` (contract §1). */
  readonly kind: string;
  readonly table: NounTable;
  /** What its actions do. */
  readonly handlers: Partial<Handlers>;
  /** What people call these objects. Left out: such an object shows its name in every answer. */
  readonly names?: (context: ActionContext, ids: readonly string[]) => Promise<Names>;
  /** Fields of other objects name one by its id, and plans show its name there. */
  readonly isReferredTo?: true;
  /** Events of what the changes of the transaction mean for such objects, which nobody has touched. */
  readonly consequences?: (context: ActionContext) => Promise<void>;
  /** Such objects as items of all networks that the transaction sees: for compiling what nodes have because of them. */
  readonly items?: (trx: Trx) => Promise<readonly Item[]>;
  /** Notes of what becomes of such objects when others go that they name. */
  readonly dependents?: (context: ActionContext, of: Departure) => Promise<void>;
  /** Such objects have addresses of their network: nothing else is given these. */
  readonly addresses?: AddressQuery;
  /** Such objects are in a network and go with it: how many there are, and how a note of a plan calls them. */
  readonly inNetwork?: InNetwork;
  /** An administrator of the platform may name one of any account. */
  readonly isAcrossAccounts?: true;
}

/**
 * Which of the addresses in the table `asked (address)`, all of one family, are had by such objects of the network: rows of
 * `address` and `owner`, which is what to call the object in the middle of a sentence.
 */
export type AddressQuery = (of: {
  readonly networkId: string;
  readonly family: 4 | 6;
}) => RawBuilder<unknown>;

/** An object that goes. */
export interface Departing {
  readonly id: string;
  readonly name: string;
  readonly networkId: string;
}

export interface Departure {
  readonly networks: readonly string[];
  readonly byId: ReadonlyMap<string, Departing>;
  /** Until when, as the end of a sentence; empty: for good. */
  readonly back: string;
}

export interface InNetwork {
  /** "port mapping". */
  readonly called: string;
  /** What becomes of them beside that they are gone. */
  readonly ending?: string;
  readonly count: (context: ActionContext, networkId: string) => Promise<number>;
}

export function parameterOf({ kind }: Pick<Noun, 'kind'>): string {
  return `${kind}_id`;
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
  return new ProductError('not_found', `There is no ${noun} ${id}. List the existing ones first.`);
}

export function checkRevision(
  row: { readonly revision: number },
  input: { readonly if_revision?: number | undefined },
): void {
  if (input.if_revision === undefined || input.if_revision === row.revision) return;
  throw new ProductError(
    'revision_conflict',
    `It has revision ${row.revision} by now, not ${input.if_revision}. Read it again, then retry.`,
    { members: { current_revision: row.revision } },
  );
}
