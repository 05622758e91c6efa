// Periodic jobs: what the platform does again and again. Runs of one job never overlap: in one process each run begins
// after the one before has ended, and a job of the leader holds a lock of the database that no other process gets.
import { jobLeaderCheckMs } from '@powernode/core/limits/coordination';
import type { Logger } from 'pino';
import type { Clock } from '../trust/clock.ts';

export interface Job {
  /** In snake case; the label of its metrics and log lines. */
  readonly name: string;
  /** From the end of one run to the beginning of the next. */
  readonly intervalMs: number;
  /** Each pause is longer by up to this share of the interval, so that processes that began together do not stay in step. */
  readonly jitter?: number;
  /** Until the first run. Left out: as long as between two runs. */
  readonly firstMs?: number;
  readonly runsOn: 'leader' | 'every_process';
  /** `stopping` is aborted when the process ends: a long run ends at the next point at which that loses nothing. */
  readonly run: (stopping: AbortSignal) => void | Promise<void>;
}

/** What a job of the leader needs of the other processes. */
export interface LeaderPort {
  leads(): boolean;
  /** Runs the work while no other process can run one of the same name; false: another one does, and nothing was run. */
  exclusively(name: string, work: () => Promise<void>): Promise<boolean>;
}

export interface JobRunnerParts {
  readonly clock: Clock;
  readonly log: Pick<Logger, 'warn'>;
  /** From 0 to 1, for jitter. */
  readonly random: () => number;
  /** null: only jobs of every process are added. */
  readonly leader: LeaderPort | null;
}

/** Of the runs in this process. */
export interface JobFigures {
  readonly name: string;
  readonly succeeded: number;
  readonly failed: number;
  /** When the last run that succeeded ended, in ms since 1970; null: none has. */
  readonly lastSuccessMs: number | null;
}

interface Entry {
  readonly job: Job;
  callOff: () => void;
  /** The run under way. */
  running: Promise<void> | null;
  /** It was woken while it ran. */
  again: boolean;
  isFailing: boolean;
  succeeded: number;
  failed: number;
  lastSuccessMs: number | null;
}

export class JobRunner {
  readonly #parts: JobRunnerParts;
  readonly #entries = new Map<string, Entry>();
  readonly #stopping = new AbortController();

  constructor(parts: JobRunnerParts) {
    this.#parts = parts;
  }

  add(job: Job): void {
    if (this.#entries.has(job.name)) throw new Error(`there are two jobs ${job.name}`);
    if (job.runsOn === 'leader' && this.#parts.leader === null)
      throw new Error(`the job ${job.name} is for a leader, and this runner knows of none`);
    const entry: Entry = {
      job,
      callOff: () => undefined,
      running: null,
      again: false,
      isFailing: false,
      succeeded: 0,
      failed: 0,
      lastSuccessMs: null,
    };
    this.#entries.set(job.name, entry);
    this.#schedule(entry, job.firstMs ?? this.#pauseOf(job));
  }

  /** Runs the job now, or once more right after the run under way. */
  wake(name: string): void {
    const entry = this.#entries.get(name);
    if (entry === undefined) throw new Error(`there is no job ${name}`);
    if (entry.running !== null) {
      entry.again = true;
      return;
    }
    this.#schedule(entry, 0);
  }

  figures(): JobFigures[] {
    return [...this.#entries.values()].map(({ job, succeeded, failed, lastSuccessMs }) => ({
      name: job.name,
      succeeded,
      failed,
      lastSuccessMs,
    }));
  }

  /** No run begins any more; waits for those under way. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    const entries = [...this.#entries.values()];
    for (const { callOff } of entries) callOff();
    await Promise.all(entries.flatMap(({ running }) => running ?? []));
  }

  #pauseOf({ intervalMs, jitter = 0 }: Job): number {
    return intervalMs * (1 + jitter * this.#parts.random());
  }

  #schedule(entry: Entry, delayMs: number): void {
    entry.callOff();
    if (this.#stopping.signal.aborted) return;
    entry.callOff = this.#parts.clock.after(delayMs, () => {
      if (this.#stopping.signal.aborted) return;
      entry.running = this.#round(entry).then((pauseMs) => {
        entry.running = null;
        const isAgain = entry.again;
        entry.again = false;
        this.#schedule(entry, isAgain ? 0 : pauseMs);
      });
    });
  }

  /** Answers in how long the next round is due. Never throws. */
  async #round(entry: Entry): Promise<number> {
    const { job } = entry;
    try {
      if (!(await this.#run(job))) return Math.min(job.intervalMs, jobLeaderCheckMs);
      entry.succeeded++;
      entry.lastSuccessMs = this.#parts.clock.now();
      entry.isFailing = false;
    } catch (error) {
      entry.failed++;
      // The first of several failures says it; the metrics count the others.
      if (!entry.isFailing) this.#parts.log.warn({ err: error, job: job.name }, 'a periodic job failed');
      entry.isFailing = true;
    }
    return this.#pauseOf(job);
  }

  /** False: it was not this process's turn. A process that becomes the leader runs at once what was due meanwhile. */
  async #run({ name, runsOn, run }: Job): Promise<boolean> {
    const { leader } = this.#parts;
    if (runsOn === 'every_process' || leader === null) {
      await run(this.#stopping.signal);
      return true;
    }
    return leader.leads() && (await leader.exclusively(name, async () => run(this.#stopping.signal)));
  }
}
