// Leadership over the database: who leads is one row of `platform_settings`, and a transaction that only the leader may
// commit holds that row until it does.
import { ProductError } from '@powernode/core/errors';
import { leaderExpiryMs } from '@powernode/core/limits/failover';
import { sql, type Transaction } from 'kysely';
import type { Logger } from 'pino';
import type { Store } from '../store/open-store.ts';
import type { Database } from '../store/tables.ts';
import { inPlatform } from '../store/tenancy.ts';
import type { Clock } from '../trust/clock.ts';
import { type Leadership, type LeadershipRows, SharedLeadership, soleLeadership } from './leadership.ts';

export interface StoredLeadership extends Leadership {
  /** Inside a transaction that only the leader may commit: it stays the leader until then, or this throws. */
  confirm(trx: Transaction<Database>): Promise<void>;
}

/** Of a database that no other process uses. */
export function onlyProcess(): StoredLeadership {
  return { ...soleLeadership(), confirm: async () => undefined };
}

export interface StoredLeadershipParts {
  readonly store: Pick<Store, 'db'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly processId: string;
}

export function storedLeadership({ store, ...parts }: StoredLeadershipParts): StoredLeadership {
  const { processId } = parts;
  const shared = new SharedLeadership({ ...parts, rows: storedLeadershipRows(store) });
  return {
    isShared: true,
    leads: () => shared.leads(),
    start: (changed) => shared.start(changed),
    close: () => shared.close(),
    confirm: async (trx) => {
      if ((await leaderIn(trx)) === processId) return;
      shared.lost();
      throw new ProductError('conflict', 'Another process of the platform decides about virtual IPs now.');
    },
  };
}

/** `isShared`: other processes may be at the same database. */
export function openLeadership(
  parts: StoredLeadershipParts & { readonly isShared: boolean },
): StoredLeadership {
  return parts.isShared ? storedLeadership(parts) : onlyProcess();
}

const settingName = 'leader';

/** The one that leads cannot change before the transaction ends. */
async function leaderIn(trx: Transaction<Database>): Promise<unknown> {
  await sql`select set_config('powernode.scope', 'platform', true)`.execute(trx);
  const row = await trx
    .selectFrom('platform_settings')
    .select('value')
    .where('name', '=', settingName)
    .forShare()
    .executeTakeFirst();
  await sql`select set_config('powernode.scope', '', true)`.execute(trx);
  return (row?.value as { process?: unknown } | undefined)?.process;
}

export function storedLeadershipRows(store: Pick<Store, 'db'>): LeadershipRows {
  return {
    claim: (processId) =>
      inPlatform(store, async (trx) => {
        const { rows: others } = await sql`
          select 1 from platform_settings
          where name = ${settingName} and value ->> 'process' <> ${processId}
            and updated_at >= clock_timestamp() - ${leaderExpiryMs} * interval '1 millisecond'
        `.execute(trx);
        if (others.length > 0) return false;
        const { rows } = await sql`
          insert into platform_settings as s (name, value, updated_at)
          values (${settingName}, ${JSON.stringify({ process: processId })}, clock_timestamp())
          on conflict (name) do update set value = excluded.value, updated_at = clock_timestamp()
          where s.value ->> 'process' = ${processId}
             or s.updated_at < clock_timestamp() - ${leaderExpiryMs} * interval '1 millisecond'
          returning s.name
        `.execute(trx);
        return rows.length > 0;
      }),
    release: (processId) =>
      inPlatform(store, async (trx) => {
        await trx
          .deleteFrom('platform_settings')
          .where('name', '=', settingName)
          .where(sql<boolean>`value ->> 'process' = ${processId}`)
          .execute();
      }),
  };
}
