// Ends what is open when the right to it is lost: a token that was revoked or has expired, an operator or a maker of its
// token that was disabled, a role that was lowered. What every open stream stands on is looked up in the database several
// times a second, and at once when this process hears of a change; so it does not matter which process made it.
import { rightsLookMs } from '@powernode/core/limits/requests';
import type { Logger } from 'pino';
import type { Caller } from '../actions/invoke-types.ts';
import { type JobFigures, JobRunner } from '../coordination/jobs.ts';
import type { EventBus } from '../events/event-bus.ts';
import type { Store } from '../store/open-store.ts';
import { inPlatform } from '../store/tenancy.ts';
import { systemClock } from '../trust/clock.ts';
import { statesOfTokens, type TokenState } from './callers.ts';
import { rankOf } from './rights.ts';

export interface StreamRightsParts {
  readonly store: Pick<Store, 'db'>;
  readonly bus: Pick<EventBus, 'subscribe'>;
  readonly now: () => Date;
  readonly log: Pick<Logger, 'warn'>;
}

export interface StreamRights {
  /** Calls `end` once, within a second of the loss of any right that the caller had; answers how to stop watching. */
  watch(caller: Caller, end: () => void): () => void;
  /** Of its periodic job in this process. */
  jobs(): readonly JobFigures[];
  close(): void;
}

interface Watched {
  readonly caller: Caller;
  readonly end: () => void;
}

export function createStreamRights(parts: StreamRightsParts): StreamRights {
  return new RunningStreamRights(parts);
}

const jobName = 'stream_rights';

class RunningStreamRights implements StreamRights {
  readonly #parts: StreamRightsParts;
  readonly #watched = new Set<Watched>();
  readonly #jobs: JobRunner;
  readonly #unsubscribe: () => void;

  constructor(parts: StreamRightsParts) {
    this.#parts = parts;
    this.#jobs = new JobRunner({ clock: systemClock, log: parts.log, random: Math.random, leader: null });
    this.#jobs.add({
      name: jobName,
      intervalMs: rightsLookMs,
      runsOn: 'every_process',
      run: () => this.#look(),
    });
    this.#unsubscribe = parts.bus.subscribe((message) => {
      if (message.kind !== 'event') return;
      const { kind } = message.event;
      if (kind.startsWith('system.operator.') || kind.startsWith('system.api_token.'))
        this.#jobs.wake(jobName);
    });
  }

  watch(caller: Caller, end: () => void): () => void {
    const watched = { caller, end };
    this.#watched.add(watched);
    return () => void this.#watched.delete(watched);
  }

  jobs(): readonly JobFigures[] {
    return this.#jobs.figures();
  }

  close(): void {
    void this.#jobs.stop();
    this.#unsubscribe();
    this.#watched.clear();
  }

  /** Nothing can be taken away while the database is not there; the next look is soon. */
  async #look(): Promise<void> {
    if (this.#watched.size === 0) return;
    this.#endExpired();
    const seen = [...this.#watched];
    const states = await this.#statesOf(seen);
    for (const one of seen) {
      const state = states.get(one.caller.tokenId);
      if (state === undefined || hasLost(one.caller, state)) this.#end(one);
    }
  }

  /** Time passes without a database, too. */
  #endExpired(): void {
    const now = this.#parts.now();
    for (const one of [...this.#watched]) {
      const { expiresAt } = one.caller.token;
      if (expiresAt !== null && expiresAt <= now) this.#end(one);
    }
  }

  #end(one: Watched): void {
    if (!this.#watched.delete(one)) return;
    try {
      one.end();
    } catch (error) {
      // One that cannot be ended must not keep the others open.
      this.#parts.log.warn({ err: error }, 'a stream whose right is lost could not be ended');
    }
  }

  async #statesOf(watched: readonly Watched[]): Promise<ReadonlyMap<string, TokenState>> {
    const tokenIds = [...new Set(watched.map(({ caller }) => caller.tokenId))];
    if (tokenIds.length === 0) return new Map();
    return inPlatform(this.#parts.store, (trx) => statesOfTokens(trx, tokenIds, this.#parts.now()));
  }
}

function hasLost(had: Caller, state: TokenState): boolean {
  if (state.kind === 'bad') return true;
  const { caller } = state;
  return rankOf(caller) < rankOf(had) || [...had.permissions].some((one) => !caller.permissions.has(one));
}

/** An answer that goes on ends when `watch` says so; any other answer is left as it is. */
export function endWithRight(response: Response, watch: (end: () => void) => () => void): Response {
  const { body } = response;
  if (body === null || !isStream(response)) return response;
  const reader = body.getReader();
  let release = () => {};
  let isOver = false;
  const guarded = new ReadableStream<Uint8Array>({
    start(controller) {
      release = watch(() => {
        isOver = true;
        void reader.cancel().catch(() => undefined);
        controller.close();
      });
    },
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (isOver) return;
        if (!done) return controller.enqueue(value);
      } catch (error) {
        // It is over by itself; whoever reads it is told of that.
        release();
        if (isOver) return;
        throw error;
      }
      release();
      controller.close();
    },
    async cancel(reason) {
      release();
      await reader.cancel(reason);
    },
  });
  return new Response(guarded, response);
}

function isStream(response: Response): boolean {
  return response.headers.get('content-type')?.startsWith('text/event-stream') === true;
}
