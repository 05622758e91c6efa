// FRR's daemons of this machine: one zebra, one bfdd, and one bgpd for each network, in sessions of their own, so that
// they go on when the agent ends. They are found again by looking. A host's own FRR is never touched.
import { createConnection } from 'node:net';
import { ProductError } from '@powernode/core/errors';
import {
  frrAgainFirstMs,
  frrAgainMaxMs,
  frrEndMs,
  frrLookMs,
  frrPollMs,
  frrStartMs,
  frrSteadyMs,
} from '@powernode/core/limits/agent';
import { type Clock, pause } from '../../ports/clock.ts';
import type { Run } from '../../ports/run.ts';
import { commandOf, type DaemonSpec, keyOf, nameOf, specsOf, type WantedNetwork } from './daemon-specs.ts';
import type { FrrPlaces } from './places.ts';
import type { FrrProcess, FrrProcesses } from './processes.ts';
import type { FrrPrograms } from './programs.ts';

export interface FrrDaemonsParts {
  readonly run: Run;
  readonly clock: Clock;
  readonly processes: FrrProcesses;
  readonly places: FrrPlaces;
  readonly programs: Pick<FrrPrograms, 'folder' | 'uid' | 'gid'>;
  /** A daemon answers, and has no configuration yet. Not called for those that were found running. */
  readonly started: (spec: DaemonSpec) => void;
  /** A daemon ended unasked, or could not be started; it is started again. */
  readonly failed: (spec: DaemonSpec, why: string) => void;
  /** Daemons of FRR that are somebody else's came or went. Called while some of the agent's are wanted. */
  readonly othersChanged: () => void;
}

interface Known {
  readonly spec: DaemonSpec;
  /** null: it does not run. */
  pid: number | null;
  startedAtMs: number;
  /** Until it is started again, when it dies next. */
  againMs: number;
  dueAtMs: number;
}

export class FrrDaemons {
  readonly #parts: FrrDaemonsParts;
  readonly #known = new Map<string, Known>();
  #last: Promise<unknown> = Promise.resolve();
  #cancel: (() => void) | null = null;
  /** Those of others that the last look found. */
  #others = '';
  #stopped = false;

  constructor(parts: FrrDaemonsParts) {
    this.#parts = parts;
  }

  /** What runs is made what is wanted: none for no network. Fails when a daemon cannot be started; it is retried. */
  keep(networks: readonly WantedNetwork[]): Promise<void> {
    return this.#serially(async () => {
      const specs = specsOf(networks);
      await this.#stopOthers(specs);
      const failures: ProductError[] = [];
      for (const spec of specs) {
        const known = this.#known.get(keyOf(spec)) ?? this.#remember(spec, null);
        const failure = await this.#startIfDue(known);
        if (failure !== null) failures.push(failure);
      }
      this.#others = this.#othersNow();
      this.#lookLater();
      const [first] = failures;
      if (first !== undefined) throw first;
    });
  }

  /** Daemons of this agent that run now, by looking. */
  running(): FrrProcess[] {
    return this.#parts.processes.list().filter((found) => this.#isOurs(found));
  }

  /** Daemons of FRR in the same network namespace that are somebody else's. */
  foreign(): FrrProcess[] {
    return this.#parts.processes.list().filter((found) => !this.#isOurs(found));
  }

  /** The agent ends: the daemons go on. */
  leave(): void {
    this.#stopped = true;
    this.#cancel?.();
  }

  /** Ends all of them, those of an earlier agent too, and leaves nothing behind. */
  removeAll(): Promise<void> {
    return this.#serially(async () => {
      this.#known.clear();
      this.#lookLater();
      await this.#end(this.running());
      this.#parts.places.removeAll();
    });
  }

  #serially<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => undefined);
    return result;
  }

  #isOurs({ args }: FrrProcess): boolean {
    const at = args.indexOf('--vty_socket');
    return at >= 0 && (args[at + 1] ?? '').startsWith(`${this.#parts.places.root}/`);
  }

  /** Takes over what runs as wanted, and ends all else of this agent. */
  async #stopOthers(specs: readonly DaemonSpec[]): Promise<void> {
    const { places } = this.#parts;
    const wanted = new Map(specs.map((spec) => [keyOf(spec), spec]));
    const taken = new Map<string, FrrProcess>();
    const surplus: FrrProcess[] = [];
    for (const found of this.running()) {
      const spec = specs.find((one) => isRunningAs(found, commandOf(one, places)));
      if (spec === undefined || taken.has(keyOf(spec))) surplus.push(found);
      else taken.set(keyOf(spec), found);
    }
    // Forgotten first: what ends because it is asked to has not failed.
    const gone = [...this.#known].filter(([key]) => !wanted.has(key));
    for (const [key] of gone) this.#known.delete(key);
    await this.#end(surplus);
    const names = new Set(specs.map(nameOf));
    for (const [, { spec }] of gone) if (!names.has(nameOf(spec))) places.remove(spec.daemon, spec.network);
    if (specs.length === 0) places.removeAll();
    for (const [key, { pid }] of taken) {
      const known = this.#known.get(key);
      const spec = wanted.get(key);
      if (known !== undefined) known.pid = pid;
      else if (spec !== undefined) this.#remember(spec, pid);
    }
  }

  #remember(spec: DaemonSpec, pid: number | null): Known {
    const known = {
      spec,
      pid,
      startedAtMs: this.#parts.clock.monotonicMs(),
      againMs: frrAgainFirstMs,
      dueAtMs: 0,
    };
    this.#known.set(keyOf(spec), known);
    return known;
  }

  /** Returns why it could not be started. It is tried again. */
  async #startIfDue(known: Known): Promise<ProductError | null> {
    const { clock, places } = this.#parts;
    if (known.pid !== null || known.dueAtMs > clock.monotonicMs()) return null;
    try {
      // What is there already keeps a second one from starting.
      await this.#end(this.running().filter((one) => isSamePlace(one, known.spec, places)));
      await this.#start(known);
      return null;
    } catch (error) {
      if (!(error instanceof ProductError)) throw error;
      if (known.pid !== null) this.#ended(known, known.pid, error.detail);
      known.dueAtMs = Math.max(known.dueAtMs, clock.monotonicMs() + frrAgainFirstMs);
      return error;
    }
  }

  async #start(known: Known): Promise<void> {
    const { run, clock, places, programs } = this.#parts;
    const { spec } = known;
    places.prepare(spec.daemon, spec.network, programs);
    const { program, args, priority } = commandOf(spec, places);
    const command = [`${programs.folder}/${program}`, ...args];
    const started = await run.detach({ program: 'nice', args: ['-n', String(priority), ...command] }, {});
    known.pid = started.pid;
    known.startedAtMs = clock.monotonicMs();
    const life: { over: string | null } = { over: null };
    void started.ended.then((why) => {
      life.over = why;
      this.#ended(known, started.pid, why);
    });
    while (!(await accepts(places.vtyOf(spec.daemon, spec.network)))) {
      const lasted = clock.monotonicMs() - known.startedAtMs;
      if (life.over !== null || lasted > frrStartMs) {
        const why =
          life.over === null ? `no answer within ${frrStartMs} ms` : `it ended at once: ${life.over}`;
        throw new ProductError('command_failed', `${nameOf(spec)} could not be started: ${why}`);
      }
      await pause(clock, frrPollMs);
    }
    if (this.#known.get(keyOf(spec)) === known) this.#parts.started(spec);
  }

  /** A daemon is not there any more: it is started again after a pause, longer each time that it lived briefly. */
  #ended(known: Known, pid: number, why: string): void {
    if (this.#known.get(keyOf(known.spec)) !== known || known.pid !== pid) return;
    const nowMs = this.#parts.clock.monotonicMs();
    if (nowMs - known.startedAtMs > frrSteadyMs) known.againMs = frrAgainFirstMs;
    known.pid = null;
    known.dueAtMs = nowMs + known.againMs;
    known.againMs = Math.min(known.againMs * 2, frrAgainMaxMs);
    if (this.#stopped) return;
    this.#parts.failed(known.spec, why);
    this.#lookLater();
  }

  #lookLater(): void {
    this.#cancel?.();
    this.#cancel = null;
    if (this.#stopped || this.#known.size === 0) return;
    const { clock } = this.#parts;
    const nowMs = clock.monotonicMs();
    const dead = [...this.#known.values()].filter(({ pid }) => pid === null);
    const waitMs = Math.min(frrLookMs, ...dead.map(({ dueAtMs }) => Math.max(0, dueAtMs - nowMs)));
    this.#cancel = clock.after(waitMs, () => void this.#serially(() => this.#look()));
  }

  async #look(): Promise<void> {
    const { processes } = this.#parts;
    for (const known of this.#known.values()) {
      if (this.#stopped) return;
      if (known.pid !== null) {
        const found = processes.get(known.pid);
        if (found === null || !this.#isOurs(found)) this.#gone(known);
      }
      await this.#startIfDue(known);
    }
    const others = this.#othersNow();
    if (others !== this.#others) this.#parts.othersChanged();
    this.#others = others;
    this.#lookLater();
  }

  #othersNow(): string {
    return this.foreign()
      .map(({ pid, daemon }) => `${daemon} ${pid}`)
      .sort()
      .join(', ');
  }

  /** A process that the kernel has started `nice` for is not FRR's yet. */
  #gone(known: Known): void {
    const youth = this.#parts.clock.monotonicMs() - known.startedAtMs;
    if (known.pid !== null && youth > frrStartMs / 10) this.#ended(known, known.pid, 'it is gone');
  }

  /** Asks them to end, and kills those that do not. */
  async #end(some: readonly FrrProcess[]): Promise<void> {
    const { clock, processes } = this.#parts;
    const isLeft = ({ pid }: FrrProcess) => {
      const now = processes.get(pid);
      return now !== null && this.#isOurs(now);
    };
    let left = some.filter(isLeft);
    for (const { pid } of left) processes.signal(pid, 'SIGTERM');
    const askedAtMs = clock.monotonicMs();
    let isKilled = false;
    while ((left = left.filter(isLeft)).length > 0) {
      const lasted = clock.monotonicMs() - askedAtMs;
      if (lasted > frrEndMs && !isKilled) {
        for (const { pid } of left) processes.signal(pid, 'SIGKILL');
        isKilled = true;
      }
      if (lasted > 2 * frrEndMs) {
        throw new ProductError('command_failed', `FRR's process ${left[0]?.pid} cannot be ended.`);
      }
      await pause(clock, frrPollMs);
    }
  }
}

function isRunningAs({ daemon, args }: FrrProcess, command: ReturnType<typeof commandOf>): boolean {
  return daemon === command.program && args.join('\0') === command.args.join('\0');
}

function isSamePlace({ args }: FrrProcess, { daemon, network }: DaemonSpec, places: FrrPlaces): boolean {
  return args[args.indexOf('--vty_socket') + 1] === places.folderOf(daemon, network);
}

/** Whether somebody listens there: the file alone may be of one that was killed. */
function accepts(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ path: socketPath });
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}
