// Which of the platform's processes answers holders of virtual IPs and decides about them: one at a time. With a
// database that only this process can use, it is this one; else the one whose name was written there lately. A process
// that could not say so for a while stops by its own clock, sooner than another one may take its place.
import { ProductError } from '@powernode/core/errors';
import { leaderBeatMs, leaderExpiryMs, leaderStaleMs } from '@powernode/core/limits';
import { sql } from 'kysely';
import type { Logger } from 'pino';
import type { Trx } from '../../actions/context.ts';
import type { Store } from '../../store/open-store.ts';
import { inPlatform } from '../../store/tenancy.ts';
import type { Clock } from '../../trust/clock.ts';

export interface Leadership {
  /** Other processes may be at the same database. */
  readonly isShared: boolean;
  /** Whether it is this process, at this very moment. */
  leads(): boolean;
  /** Calls whenever it may have begun or ceased. */
  start(changed: () => void): void;
  /** Inside a transaction that only the leader may commit: it stays the leader until then, or this throws. */
  confirm(trx: Trx): Promise<void>;
  close(): Promise<void>;
}

/** No other process can be at the database. */
export function soleLeadership(): Leadership {
  let leads = false;
  return {
    isShared: false,
    leads: () => leads,
    start: (changed) => {
      leads = true;
      changed();
    },
    confirm: async () => undefined,
    close: async () => {
      leads = false;
    },
  };
}

export interface SharedLeadershipParts {
  readonly store: Pick<Store, 'db'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Milliseconds of a clock that never jumps. */
  readonly steady: () => number;
  readonly processId: string;
}

const settingName = 'leader';

export function sharedLeadership(parts: SharedLeadershipParts): Leadership {
  return new SharedLeadership(parts);
}

class SharedLeadership implements Leadership {
  readonly isShared = true;
  readonly #parts: SharedLeadershipParts;
  #untilMs = Number.NEGATIVE_INFINITY;
  #closed = false;
  #beating: Promise<void> = Promise.resolve();

  constructor(parts: SharedLeadershipParts) {
    this.#parts = parts;
  }

  leads(): boolean {
    return !this.#closed && this.#parts.steady() < this.#untilMs;
  }

  start(changed: () => void): void {
    this.#beating = this.#beat(changed);
  }

  async confirm(trx: Trx): Promise<void> {
    await sql`select set_config('powernode.scope', 'platform', true)`.execute(trx);
    const row = await trx
      .selectFrom('platform_settings')
      .select('value')
      .where('name', '=', settingName)
      .forShare()
      .executeTakeFirst();
    await sql`select set_config('powernode.scope', '', true)`.execute(trx);
    if ((row?.value as { process?: unknown } | undefined)?.process === this.#parts.processId) return;
    this.#untilMs = Number.NEGATIVE_INFINITY;
    throw new ProductError('conflict', 'Another process of the platform decides about virtual IPs now.');
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#beating.catch(() => undefined);
    const { store, processId, log } = this.#parts;
    await inPlatform(store, (trx) =>
      trx
        .deleteFrom('platform_settings')
        .where('name', '=', settingName)
        .where(sql<boolean>`value ->> 'process' = ${processId}`)
        .execute(),
    ).catch((error: unknown) => log.warn({ err: error }, 'another process has to wait before it can lead'));
  }

  async #beat(changed: () => void): Promise<void> {
    const { clock, log, steady } = this.#parts;
    const askedMs = steady();
    try {
      const isLeader = await this.#claim();
      // Counted from before the statement: the database may have noted it at any time since.
      if (isLeader) this.#untilMs = askedMs + leaderStaleMs;
    } catch (error) {
      log.warn({ err: error }, 'whether this process leads is not known');
    }
    if (this.#closed) return;
    changed();
    clock.after(leaderBeatMs, () => {
      if (!this.#closed) this.#beating = this.#beat(changed);
    });
  }

  #claim(): Promise<boolean> {
    const { store, processId } = this.#parts;
    const value = JSON.stringify({ process: processId });
    return inPlatform(store, async (trx) => {
      const { rows: others } = await sql`
        select 1 from platform_settings
        where name = ${settingName} and value ->> 'process' <> ${processId}
          and updated_at >= clock_timestamp() - ${leaderExpiryMs} * interval '1 millisecond'
      `.execute(trx);
      if (others.length > 0) return false;
      const { rows } = await sql`
        insert into platform_settings as s (name, value, updated_at)
        values (${settingName}, ${value}, clock_timestamp())
        on conflict (name) do update set value = excluded.value, updated_at = clock_timestamp()
        where s.value ->> 'process' = ${processId}
           or s.updated_at < clock_timestamp() - ${leaderExpiryMs} * interval '1 millisecond'
        returning s.name
      `.execute(trx);
      return rows.length > 0;
    });
  }
}
