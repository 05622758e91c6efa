// Deletes what is not kept any more (rules.ts): run by the leader, in batches of which each is a transaction of its own, so
// that nobody waits for it and a kill loses nothing but the batch.
import { retentionBatchesPerRun, retentionBatchRows } from '@powernode/core/limits/coordination';
import { sql } from 'kysely';
import type { Logger } from 'pino';
import { firstIdAt } from '../../events/write-events.ts';
import type { Store } from '../../store/open-store.ts';
import { inPlatform, type Work } from '../../store/tenancy.ts';
import {
  cutoffOf,
  type LogRule,
  type RetentionSettings,
  type RowRule,
  retentionRules,
  type TableName,
} from './rules.ts';

export interface RetentionParts {
  readonly store: Pick<Store, 'db'>;
  readonly settings: RetentionSettings;
  readonly now: () => Date;
  readonly log: Pick<Logger, 'info'>;
}

export class Retention {
  readonly #parts: RetentionParts;
  readonly #deleted = new Map<string, number>();

  constructor(parts: RetentionParts) {
    this.#parts = parts;
    for (const [table, rule] of Object.entries(retentionRules))
      if (rule.kind !== 'kept') this.#deleted.set(table, 0);
  }

  /** Rows that were deleted since this process began, by table. */
  deleted(): ReadonlyMap<string, number> {
    return this.#deleted;
  }

  /** Deletes a bounded number of rows of each table; answers how many of each that had any. */
  async run(stopping: AbortSignal): Promise<ReadonlyMap<string, number>> {
    const now = this.#parts.now();
    const deleted = new Map<string, number>();
    for (const [table, rule] of Object.entries(retentionRules)) {
      if (rule.kind === 'kept') continue;
      const before = cutoffOf(rule.age, { settings: this.#parts.settings, now });
      const count = await this.#purge({ table: table as TableName, rule, before, stopping });
      if (count > 0) deleted.set(table, count);
    }
    if (deleted.size > 0)
      this.#parts.log.info({ deleted: Object.fromEntries(deleted) }, 'rows that are not kept were deleted');
    return deleted;
  }

  async #purge({ table, rule, before, stopping }: Purge): Promise<number> {
    let count = 0;
    for (let batch = 0; batch < retentionBatchesPerRun && !stopping.aborted; batch++) {
      const deleted = await inPlatform(this.#parts.store, batchOf(table, rule, before));
      count += deleted;
      this.#deleted.set(table, (this.#deleted.get(table) ?? 0) + deleted);
      if (deleted < retentionBatchRows) break;
    }
    return count;
  }
}

interface Purge {
  readonly table: TableName;
  readonly rule: RowRule | LogRule;
  readonly before: Date;
  readonly stopping: AbortSignal;
}

function batchOf(table: TableName, rule: RowRule | LogRule, before: Date): Work<number> {
  if (rule.kind === 'rows') return rowBatch(table, rule, before);
  if (table === 'events') return eventBatch(rule, before);
  if (table === 'changes') return changeBatch(rule, before);
  throw new Error(`nothing is known of the order of ${table}`);
}

/** A row that another transaction holds is left to the next run. */
function rowBatch(table: TableName, rule: RowRule, before: Date): Work<number> {
  return async (trx) => {
    const { numAffectedRows } = await sql`
      with due as materialized (
        select t.ctid from ${sql.table(table)} t where ${rule.due(before)}
        limit ${retentionBatchRows} for update of t skip locked
      )
      delete from ${sql.table(table)} t using due where t.ctid = due.ctid
    `.execute(trx);
    return Number(numAffectedRows ?? 0);
  };
}

/**
 * Each account's oldest events, and in the account up to which event they are gone: a reader that comes back from before
 * that is told. Accounts are taken in random order, so that one with very many does not keep the others waiting.
 */
function eventBatch({ keptPerAccount }: LogRule, before: Date): Work<number> {
  return async (trx) => {
    const { rows } = await sql<{ count: number }>`
      with due as materialized (
        select old.id from (select id from accounts order by random()) a
        cross join lateral (
          select e.id from events e
          where e.account_id = a.id
            and e.id < ${firstIdAt(before)}
            and e.id <= (
              select newer.id from events newer where newer.account_id = a.id
              order by newer.id desc offset ${keptPerAccount} limit 1
            )
          order by e.id limit ${retentionBatchRows}
        ) old
        limit ${retentionBatchRows}
      ),
      gone as (delete from events e using due where e.id = due.id returning e.account_id, e.id),
      newest as (select account_id, max(id::text)::uuid as id from gone group by account_id),
      noted as (
        update accounts a set events_deleted_to = greatest(a.events_deleted_to, newest.id)
        from newest where a.id = newest.account_id
      )
      select count(*)::int as count from gone
    `.execute(trx);
    return rows[0]?.count ?? 0;
  };
}

/** Their numbers have no gap, so that the lowest one that is there says up to which they are gone. */
function changeBatch({ keptPerAccount }: LogRule, before: Date): Work<number> {
  return async (trx) => {
    const { numAffectedRows } = await sql`
      with due as materialized (
        select old.account_id, old.sequence
        from (select id, change_sequence from accounts order by random()) a
        cross join lateral (
          select c.account_id, c.sequence, c.at from changes c
          where c.account_id = a.id and c.sequence <= a.change_sequence - ${keptPerAccount}
          order by c.sequence limit ${retentionBatchRows}
        ) old
        where old.at < ${before}
        limit ${retentionBatchRows}
      )
      delete from changes c using due where c.account_id = due.account_id and c.sequence = due.sequence
    `.execute(trx);
    return Number(numAffectedRows ?? 0);
  };
}
