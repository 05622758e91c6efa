// Findings as rows: which of those that an audit found are new, and which of those that were open are over.
import { findingsPerAccountMax } from '@powernode/core/limits/coordination';
import { type Selectable, sql } from 'kysely';
import type { ActionContext } from '../../actions/context.ts';
import type { Database } from '../../store/tables.ts';
import type { Found } from './found.ts';

export type FindingRow = Selectable<Database['findings']>;

/** What became otherwise since the audit before. */
export interface FindingTurns {
  readonly began: readonly FindingRow[];
  readonly recovered: readonly FindingRow[];
}

/** `found`: everything that is wrong in the account now. */
export async function writeFindings(context: ActionContext, found: readonly Found[]): Promise<FindingTurns> {
  const open = await openRows(context);
  const present = new Set(found.map(keyOf));
  const isOver = [...open].filter(([key]) => !present.has(key)).map(([, row]) => row.id);
  const recovered = await recover(context, isOver);
  const began = await begin(
    context,
    found.filter((one) => !open.has(keyOf(one))),
  );
  for (const one of found) {
    const row = open.get(keyOf(one));
    if (row !== undefined) await renew(context, row, one);
  }
  if (recovered.length > 0) await forgetOldest(context);
  return { began, recovered };
}

/** Nobody looks any more, so that nobody knows whether they still hold. */
export async function forgetOpenFindings({ trx, accountId }: ActionContext): Promise<void> {
  await trx
    .deleteFrom('findings')
    .where('account_id', '=', accountId)
    .where('recovered_at', 'is', null)
    .execute();
}

function keyOf({ networkId, mark }: Pick<Found, 'networkId' | 'mark'>): string {
  return `${networkId} ${mark}`;
}

async function openRows({ trx, accountId }: ActionContext): Promise<Map<string, FindingRow>> {
  const rows = await trx
    .selectFrom('findings')
    .selectAll()
    .where('account_id', '=', accountId)
    .where('recovered_at', 'is', null)
    .orderBy('id')
    .execute();
  return new Map(rows.map((row) => [keyOf({ networkId: row.network_id, mark: row.mark }), row]));
}

async function recover({ trx, now }: ActionContext, ids: readonly string[]): Promise<FindingRow[]> {
  if (ids.length === 0) return [];
  return trx
    .updateTable('findings')
    .set((eb) => ({ recovered_at: now, updated_at: now, revision: eb('revision', '+', 1) }))
    .where('id', 'in', ids)
    .where('recovered_at', 'is', null)
    .returningAll()
    .execute();
}

/** Another process that took itself for the leader may have been faster: what is open is there once. */
async function begin(context: ActionContext, found: readonly Found[]): Promise<FindingRow[]> {
  if (found.length === 0) return [];
  const { trx, accountId, now, services } = context;
  return trx
    .insertInto('findings')
    .values(
      found.map(({ networkId, kind, severity, mark, object, cause, detail }) => ({
        ...{
          id: services.newId(),
          account_id: accountId,
          network_id: networkId,
          kind,
          severity,
          mark,
          detail,
        },
        object: JSON.stringify(object),
        cause: cause === null ? null : JSON.stringify(cause),
        began_at: now,
        updated_at: now,
        recovered_at: null,
      })),
    )
    .onConflict((conflict) =>
      conflict.columns(['network_id', 'mark']).where('recovered_at', 'is', null).doNothing(),
    )
    .returningAll()
    .execute();
}

/** The same as before with another cause, or under another name, is no other finding. */
async function renew({ trx, now }: ActionContext, row: FindingRow, found: Found): Promise<void> {
  const shown = ({
    severity,
    object,
    cause,
    detail,
  }: Pick<Found, 'severity' | 'object' | 'cause' | 'detail'>) =>
    JSON.stringify([severity, object.name, cause?.id, cause?.seq, cause?.name, detail]);
  if (shown(row) === shown(found)) return;
  await trx
    .updateTable('findings')
    .set({
      severity: found.severity,
      object: JSON.stringify(found.object),
      cause: found.cause === null ? null : JSON.stringify(found.cause),
      detail: found.detail,
      updated_at: now,
      revision: row.revision + 1,
    })
    .where('id', '=', row.id)
    .execute();
}

/** Of those that are over the newest stay. */
async function forgetOldest({ trx, accountId }: ActionContext): Promise<void> {
  await sql`
    delete from findings where id in (
      select id from findings where account_id = ${accountId} and recovered_at is not null
      order by recovered_at desc, id desc offset ${findingsPerAccountMax})
  `.execute(trx);
}
