// The prober as the rest of the agent uses it: starts its thread, starts it again when it ends, and passes messages.
import { getAsset, isSea } from 'node:sea';
import { Worker } from 'node:worker_threads';
import { proberAnswerMs, proberRestartMs } from '@powernode/core/limits/probe';
import { nothingToProbe, type ProberConfig } from './config.ts';
import type { LeaseRenewal } from './leases.ts';
import type { FromProber, ProberNews, ToProber } from './messages.ts';
import type { PathSizeResult } from './path-size.ts';
import type { TargetReport } from './targets.ts';
import type { WatchChange } from './watches.ts';

export interface ProberEvents {
  news(news: ProberNews): void;
  /** The largest packet that passes a tunnel. */
  pathSize(tunnel: string, size: PathSizeResult): void;
  /** To be asked of the platform now, or not at all. */
  leaseRenewal(renewal: LeaseRenewal): void;
  trouble(detail: string): void;
  /** Everything that it had said is to be forgotten. */
  restarted(why: string): void;
}

export interface Prober {
  configure(config: ProberConfig): void;
  /** The platform's answer to `lease_renew`. */
  leaseAck(answer: LeaseRenewal): void;
  /** A function to be called when the platform has taken note of these. */
  confirmation(watched: readonly WatchChange[]): () => void;
  /** Addresses that this node holds and that are not to be sent to it now; the whole list. */
  withhold(addresses: readonly string[]): void;
  /** Around each write of the table of rules, in which leases are kept. */
  rulesLoading(): void;
  rulesLoaded(): void;
  report(): Promise<readonly TargetReport[]>;
  stop(): Promise<void>;
}

export type StartProber = (events: ProberEvents) => Prober;

/** Its heap holds a few hundred paths, or 25,000 sources of probes. */
const resourceLimits = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 64, stackSizeMb: 1 };

/** The name under which build.ts puts the thread's code into the one-file agent. */
export const workerAsset = 'prober.cjs';

export const startProber: StartProber = (events) => new ThreadProber(events);

class ThreadProber implements Prober {
  readonly #events: ProberEvents;
  /** null: there was nothing to do yet, or it has ended. */
  #worker: Worker | null = null;
  #config: ProberConfig = nothingToProbe;
  #withheld: readonly string[] = [];
  #isStopped = false;
  #restart: NodeJS.Timeout | undefined;
  readonly #pending = new Map<number, (targets: readonly TargetReport[]) => void>();
  #lastQuestion = 0;

  constructor(events: ProberEvents) {
    this.#events = events;
  }

  configure(config: ProberConfig): void {
    this.#config = config;
    if (this.#worker === null && this.#restart === undefined && !isNothing(config)) this.#start();
    else this.#send({ kind: 'configure', config });
  }

  leaseAck({ sequence, leases }: LeaseRenewal): void {
    this.#send({ kind: 'lease_ack', sequence, leases });
  }

  confirmation(watched: readonly WatchChange[]): () => void {
    const worker = this.#worker;
    return () => {
      // A thread that began later counts its changes anew.
      if (worker === this.#worker) this.#send({ kind: 'confirmed', watched });
    };
  }

  withhold(addresses: readonly string[]): void {
    this.#withheld = addresses;
    this.#send({ kind: 'withhold', addresses });
  }

  rulesLoading(): void {
    this.#send({ kind: 'loading' });
  }

  rulesLoaded(): void {
    this.#send({ kind: 'loaded' });
  }

  report(): Promise<readonly TargetReport[]> {
    if (this.#worker === null) return Promise.resolve([]);
    const id = ++this.#lastQuestion;
    return new Promise((resolve) => {
      const answer = (targets: readonly TargetReport[]) => {
        clearTimeout(timer);
        this.#pending.delete(id);
        resolve(targets);
      };
      const timer = setTimeout(() => answer([]), proberAnswerMs);
      this.#pending.set(id, answer);
      this.#send({ kind: 'report', id });
    });
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#restart);
    const worker = this.#worker;
    if (worker === null) return;
    const ended = new Promise((resolve) => worker.once('exit', resolve));
    this.#send({ kind: 'stop' });
    const timer = setTimeout(() => void worker.terminate(), proberAnswerMs);
    await ended;
    clearTimeout(timer);
  }

  #send(message: ToProber): void {
    this.#worker?.postMessage(message);
  }

  #start(): void {
    const worker = openWorker();
    this.#worker = worker;
    let why = '';
    worker.on('message', (message: FromProber) => this.#take(message));
    worker.on('error', (error) => {
      why = error instanceof Error ? (error.stack ?? error.message) : String(error);
    });
    worker.on('exit', (code) => this.#ended(why === '' ? `exit code ${code}` : why));
    this.#send({ kind: 'configure', config: this.#config });
    if (this.#withheld.length > 0) this.#send({ kind: 'withhold', addresses: this.#withheld });
  }

  #take(message: FromProber): void {
    switch (message.kind) {
      case 'news':
        return this.#events.news(message.news);
      case 'path_size':
        return this.#events.pathSize(message.tunnel, message.size);
      case 'lease_renewal':
        return this.#events.leaseRenewal({ sequence: message.sequence, leases: message.leases });
      case 'report':
        return this.#pending.get(message.id)?.(message.targets);
      case 'trouble':
        return this.#events.trouble(message.detail);
    }
  }

  #ended(why: string): void {
    this.#worker = null;
    if (this.#isStopped) return;
    this.#events.restarted(why);
    this.#restart = setTimeout(() => {
      this.#restart = undefined;
      this.#start();
    }, proberRestartMs);
  }
}

function isNothing(config: ProberConfig): boolean {
  return Object.values(config).every((list) => list.length === 0);
}

/** As one file the agent has no other files: the thread's code is inside. */
function openWorker(): Worker {
  if (isSea()) return new Worker(getAsset(workerAsset, 'utf8'), { eval: true, resourceLimits });
  return new Worker(new URL('./worker.ts', import.meta.url), { resourceLimits });
}
