// An action tried out behind a savepoint: what it would answer, and its plan. Nothing of it stays.
import { type ActionKey, definitionOf } from '@powernode/core/actions/catalogue';
import type { Plan } from '@powernode/core/intent/autonomy';
import { sql } from 'kysely';
import { ActionContext, parameterOf } from '../context.ts';
import type { Caller } from '../invoke-types.ts';
import type { AnyHandler } from './any-handler.ts';
import { fieldsOfAnswer } from './plan-fields.ts';
import { hostnamesOf } from './plan-names.ts';
import { shownNotes } from './plan-notes.ts';
import { unlessUnchanged } from './unchanged.ts';

type Members = Readonly<Record<string, unknown>>;

export interface Trial {
  readonly body: Record<string, unknown>;
  readonly plan: Plan;
  readonly changesNothing: boolean;
  readonly forPerson: boolean;
}

interface Tried {
  readonly action: ActionKey;
  /** Whose rights count. */
  readonly caller: Caller;
  /** Parsed. */
  readonly input: Record<string, unknown>;
  readonly handler: AnyHandler;
}

/** Throws what the action throws; the savepoint is left to the caller then. */
export async function trialOf(context: ActionContext, tried: Tried): Promise<Trial> {
  const trial = new ActionContext({
    trx: context.trx,
    caller: tried.caller,
    action: definitionOf(tried.action).name,
    accountId: context.accountId,
    services: context.services,
    correlationId: context.correlationId,
    dryRun: true,
    overMcp: context.overMcp,
  });
  await sql`savepoint trial`.execute(context.trx);
  const revision = await revisionOfSubject(trial, tried);
  const body = await unlessUnchanged(trial, () => tried.handler(trial, tried.input));
  const plan = await planOf(trial, { body, revision });
  await sql`rollback to savepoint trial`.execute(context.trx);
  return { body, plan, changesNothing: !isTouched(trial), forPerson: trial.forPerson };
}

export function isTouched(context: ActionContext): boolean {
  return context.events.length > 0 || context.changes.length > 0;
}

async function planOf(
  context: ActionContext,
  of: { readonly body: Members; readonly revision: number | null },
): Promise<Plan> {
  const names = await hostnamesOf(context);
  const changed = context.services.deliverer.plan(context.changes, names);
  const plan = {
    ...(of.revision === null ? {} : { revision: of.revision }),
    ...(await fieldsOfAnswer(context, of.body)),
    ...changed,
    nodes: [...context.planNodes, ...changed.nodes],
    node_count: context.planNodes.length + changed.node_count,
  };
  return context.notes.length === 0 ? plan : { ...plan, notes: [...shownNotes(context.notes)] };
}

/** Of the object that the action is about; null when it is about none that is there, or has no revision to be held to. */
async function revisionOfSubject(
  context: ActionContext,
  { action, input }: Pick<Tried, 'action' | 'input'>,
): Promise<number | null> {
  const { subject, revised } = definitionOf(action);
  const noun = context.services.nouns.find((one) => parameterOf(one) === subject);
  const id = subject === null ? undefined : input[subject];
  if (!revised || noun === undefined || typeof id !== 'string') return null;
  const { rows } = await sql<{ readonly revision: string }>`
    select revision::text as revision from ${sql.table(noun.table)} where id = ${id}::uuid
  `.execute(context.trx);
  const [row] = rows;
  return row === undefined ? null : Number(row.revision);
}
