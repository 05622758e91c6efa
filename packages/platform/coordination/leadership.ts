// Which of the platform's processes does what only one may do, such as deciding about virtual IPs: one at a time. With
// a database that only this process can use, it is this one; else the one whose name was written there lately. A
// process that could not renew its claim for a while stops by its own clock, sooner than another one may take over.
import { leaderBeatMs, leaderStaleMs } from '@powernode/core/limits/failover';
import type { Logger } from 'pino';
import type { Clock } from '../trust/clock.ts';

export interface Leadership {
  /** Other processes may be at the same database. */
  readonly isShared: boolean;
  /** Whether it is this process, at this very moment. */
  leads(): boolean;
  /** Calls whenever it may have begun or ceased. */
  start(changed: () => void): void;
  close(): Promise<void>;
}

/** Where processes claim leadership: one row that names the leader. */
export interface LeadershipRows {
  /** Claims or renews; false: another process holds it. */
  claim(processId: string): Promise<boolean>;
  release(processId: string): Promise<void>;
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
    close: async () => {
      leads = false;
    },
  };
}

export interface SharedLeadershipParts {
  readonly rows: LeadershipRows;
  readonly clock: Clock;
  readonly log: Pick<Logger, 'warn'>;
  readonly processId: string;
}

export class SharedLeadership implements Leadership {
  readonly isShared = true;
  readonly #parts: SharedLeadershipParts;
  #untilMs = Number.NEGATIVE_INFINITY;
  #closed = false;
  #beating: Promise<void> = Promise.resolve();

  constructor(parts: SharedLeadershipParts) {
    this.#parts = parts;
  }

  leads(): boolean {
    return !this.#closed && this.#parts.clock.steady() < this.#untilMs;
  }

  start(changed: () => void): void {
    this.#beating = this.#beat(changed);
  }

  /** The database names another process. */
  lost(): void {
    this.#untilMs = Number.NEGATIVE_INFINITY;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#beating.catch(() => undefined);
    const { rows, processId, log } = this.#parts;
    await rows
      .release(processId)
      .catch((error: unknown) => log.warn({ err: error }, 'another process has to wait before it can lead'));
  }

  async #beat(changed: () => void): Promise<void> {
    const { clock, log, rows, processId } = this.#parts;
    const askedMs = clock.steady();
    try {
      const isLeader = await rows.claim(processId);
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
}
