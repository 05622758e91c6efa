// A request that waits with the revision of an object (`if_revision`) can only fail once the object has moved on: it is
// closed then, with the answer that its approval would have got, so that nobody decides about what was.
import { actionKeys, definitionOf } from '@powernode/core/actions/catalogue';
import { ProductError, problemOf } from '@powernode/core/errors';
import { sql } from 'kysely';
import { plannedOnce } from '../../store/planned-once.ts';
import { type ActionContext, type Noun, parameterOf, type Trx } from '../context.ts';
import { failRequests } from './approvals.ts';

/** By the parameter that names their objects, the actions that are about them. */
const actionsOf = Map.groupBy(
  actionKeys.map(definitionOf).filter(({ subject }) => subject !== null),
  ({ subject }) => subject,
);

/** Those that some action with `if_revision` is about, with the names of all actions that are about them. */
export function revisedNouns(nouns: readonly Noun[]): { readonly noun: Noun; readonly actions: string[] }[] {
  return nouns.flatMap((noun) => {
    const actions = actionsOf.get(parameterOf(noun)) ?? [];
    return actions.some(({ revised }) => revised) ? [{ noun, actions: actions.map(({ name }) => name) }] : [];
  });
}

export interface Closed {
  readonly accountId: string;
  readonly correlationId: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** To be called once all that the transaction changes is written. */
export async function closeOutdatedRequests(context: ActionContext): Promise<void> {
  if (context.events.length === 0 && context.changes.length === 0) return;
  const { accountId, now, services } = context;
  for (const { payload } of await closeOutdated(context.trx, { accountId, now, nouns: services.nouns })) {
    context.event(outdatedEvent, payload, 'warning');
  }
}

export const outdatedEvent = 'system.approval.failed';

interface Look {
  /** Left out: all accounts that the transaction sees. */
  readonly accountId?: string;
  readonly now: Date;
  readonly nouns: readonly Noun[];
}

interface Outdated {
  readonly id: string;
  readonly asked: string;
  /** null: it is gone. */
  readonly revision: string | null;
}

/**
 * A request that somebody decides about at this moment is left to that decision, which finds the object as it is.
 */
export async function closeOutdated(trx: Trx, of: Look): Promise<Closed[]> {
  const found = await outdatedRequests(trx, of);
  return found.length === 0 ? [] : close(trx, { found, now: of.now });
}

/** One look at what waits, and one at each table for all that is about objects of it. */
async function outdatedRequests(trx: Trx, { accountId, now, nouns }: Look): Promise<readonly Outdated[]> {
  const ofAccount = accountId === undefined ? sql`` : sql`and account_id = ${accountId}`;
  const looks = revisedNouns(nouns).map(({ noun, actions }) => {
    const parameter = parameterOf(noun);
    return sql`
      select waiting.id, waiting.asked, object.revision::text as revision
      from waiting left join ${sql.table(noun.table)} object on object.id = (waiting.input ->> ${sql.lit(parameter)})::uuid
      where waiting.action = any(${actions}) and jsonb_typeof(waiting.input -> ${sql.lit(parameter)}) = 'string'
        and (object.id is null or object.revision::text <> waiting.asked)
    `;
  });
  const { rows } = await sql<Outdated>`
    ${plannedOnce(accountId === undefined ? 'outdated_requests' : 'outdated_requests_of_account')}
    with waiting as materialized (
      select id, action, input, input ->> 'if_revision' as asked from approvals
      where status = 'pending' and expires_at > ${now} ${ofAccount}
        and jsonb_typeof(input -> 'if_revision') = 'number'
    )
    ${sql.join(looks, sql` union all `)}
  `.execute(trx);
  return rows;
}

/** What its approval would be answered with. */
function whyOutdated({ asked, revision }: Outdated): ProductError {
  if (revision === null) {
    return new ProductError('not_found', 'Its object was deleted. There is nothing left to decide.');
  }
  return new ProductError(
    'revision_conflict',
    `Its object now has revision ${revision} by now, not ${asked}. Read it again and submit a new request.`,
    { members: { current_revision: Number(revision) } },
  );
}

async function close(
  trx: Trx,
  of: { readonly found: readonly Outdated[]; readonly now: Date },
): Promise<Closed[]> {
  const ids = of.found.map(({ id }) => id);
  const held = await trx
    .selectFrom('approvals')
    .select('id')
    .where('id', 'in', ids)
    .where('status', '=', 'pending')
    .orderBy('id')
    .forUpdate()
    .skipLocked()
    .execute();
  if (held.length === 0) return [];
  const mine = new Set(held.map(({ id }) => id));
  const reasons = of.found
    .filter(({ id }) => mine.has(id))
    .map((one) => {
      const why = whyOutdated(one);
      return { id: one.id, reason: why.detail, error: problemOf(why) };
    });
  await failRequests(trx, reasons, of.now);
  const closed = await trx
    .selectFrom('approvals')
    .selectAll()
    .where('id', 'in', [...mine])
    .orderBy('id')
    .execute();
  return closed.map((row) => ({
    accountId: row.account_id,
    correlationId: row.correlation_id,
    payload: {
      approval_id: row.id,
      action: row.action,
      summary: row.summary,
      reason: row.reason,
      outdated: true,
      requested_by: { id: row.requested_by, name: row.requested_by_name },
    },
  }));
}
