// Writes of the state directory that must not stand in the machine's way: what cannot be stored now (a disk that is
// full) is tried again until it is, and is reported as a problem meanwhile.
import { ProductError } from '@powernode/core/errors';
import { agentStateRetryMs } from '@powernode/core/limits/agent';
import type { Logger } from 'pino';
import type { Clock } from '../ports/clock.ts';

export interface UnstoredParts {
  readonly clock: Clock;
  readonly log: Pick<Logger, 'info' | 'error'>;
  readonly problems: {
    /** What is wrong with the state directory now; an empty list: nothing. */
    set(
      source: 'state',
      found: readonly { readonly code: 'state_not_stored'; readonly detail: string }[],
    ): void;
  };
}

interface Waiting {
  readonly write: () => void;
  readonly error: ProductError;
}

export class UnstoredState {
  readonly #parts: UnstoredParts;
  readonly #waiting = new Map<string, Waiting>();
  #cancel: (() => void) | null = null;

  constructor(parts: UnstoredParts) {
    this.#parts = parts;
  }

  /**
   * Runs `write`, and again later if it fails with a ProductError. `what` names it for people; of two writes of the
   * same the newer is tried, and while one waits the disk is not asked again before its time.
   */
  attempt(what: string, write: () => void): void {
    const waiting = this.#waiting.get(what);
    if (waiting !== undefined) {
      this.#waiting.set(what, { ...waiting, write });
      return;
    }
    if (this.#try(what, write)) return;
    this.#changed();
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
  }

  /** false: it waits. */
  #try(what: string, write: () => void): boolean {
    try {
      write();
      this.#waiting.delete(what);
      return true;
    } catch (error) {
      if (!(error instanceof ProductError)) throw error;
      this.#waiting.set(what, { write, error });
      return false;
    }
  }

  #changed(): void {
    this.#report();
    if (this.#waiting.size === 0 || this.#cancel !== null) return;
    this.#cancel = this.#parts.clock.after(agentStateRetryMs, () => {
      this.#cancel = null;
      for (const [what, { write }] of [...this.#waiting]) this.#try(what, write);
      this.#changed();
    });
  }

  #report(): void {
    const { log, problems } = this.#parts;
    const what = [...this.#waiting.keys()].join(', ');
    const [first] = this.#waiting.values();
    if (first === undefined) {
      log.info('the state directory takes everything again');
      return problems.set('state', []);
    }
    log.error({ err: first.error, what }, 'the state directory could not be written');
    const detail = `${first.error.detail} Not stored: ${what}; a restart would begin without. It is retried.`;
    problems.set('state', [{ code: 'state_not_stored', detail }]);
  }
}
