// What processes have used so far: processor time and resident memory, from /proc; and what all other programs of
// the machine used meanwhile, because a benchmark on a shared machine says little without it.
import { readdirSync, readFileSync } from 'node:fs';

/** Milliseconds by thread. */
type Threads = ReadonlyMap<string, number>;

/** The processor time of some processes from here on. Nanoseconds inside: the usual counters tick every 10 ms. */
export class ProcessorMeter {
  readonly #pids: () => readonly number[];
  #before: Threads;

  /** With `pids` that are found again at each reading, those that begin later count too. */
  constructor(pids: () => readonly number[]) {
    this.#pids = pids;
    this.#before = this.#read();
  }

  /** Since the last reading, or since the beginning. */
  readMs(): number {
    const now = this.#read();
    let used = 0;
    for (const [thread, ms] of now) used += ms - (this.#before.get(thread) ?? 0);
    this.#before = now;
    return used;
  }

  #read(): Threads {
    return new Map(this.#pids().flatMap(threadsOf));
  }
}

/** Since its start, of its threads that have not ended. */
export function processorMsOf(pid: number): number {
  return threadsOf(pid).reduce((sum, [, ms]) => sum + ms, 0);
}

function threadsOf(pid: number): [string, number][] {
  return listed(`/proc/${pid}/task`).flatMap((thread): [string, number][] => {
    const text = textOf(`/proc/${pid}/task/${thread}/schedstat`);
    return text === null ? [] : [[`${pid}/${thread}`, Number(text.split(' ')[0]) / 1e6]];
  });
}

/** All processes below one: those of the embedded database are below the platform. */
export function descendantsOf(pid: number): number[] {
  const text = textOf(`/proc/${pid}/task/${pid}/children`)?.trim() ?? '';
  const children = text === '' ? [] : text.split(' ').map(Number);
  return children.flatMap((child) => [child, ...descendantsOf(child)]);
}

export function residentBytesOf(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kilobytes) * 1024;
}

/** What share of the machine all programs but the benchmark's own had since the last reading. */
export class OthersMeter {
  readonly #ownMs: () => number;
  #before = machineTicks();

  /** `ownMs`: what the benchmark's own processes used since it was last called. */
  constructor(ownMs: () => number) {
    this.#ownMs = ownMs;
    ownMs();
  }

  readShare(): number {
    const now = machineTicks();
    const [busy, all] = [now.busy - this.#before.busy, now.all - this.#before.all];
    this.#before = now;
    const own = this.#ownMs() / tickMs;
    return all === 0 ? 0 : Math.min(1, Math.max(0, (busy - own) / all));
  }
}

/**
 * Of this process, all below it, and all that were below it and have ended, since it was last called. In ticks, so
 * for long times only.
 */
export function familyMeter(): () => number {
  let before = 0;
  return () => {
    const now = [process.pid, ...descendantsOf(process.pid)].reduce((sum, pid) => sum + familyMsOf(pid), 0);
    const used = now - before;
    before = now;
    return used;
  };
}

/** Its own time and that of its children that have ended (proc(5), stat: utime, stime, cutime, cstime). */
function familyMsOf(pid: number): number {
  const fields = textOf(`/proc/${pid}/stat`)?.split(') ')[1]?.split(' ') ?? [];
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks) * tickMs, 0);
}

/** Of the children of a process that have ended, since its start. */
export function endedChildrenMsOf(pid: number): number {
  const fields = textOf(`/proc/${pid}/stat`)?.split(') ')[1]?.split(' ') ?? [];
  return fields.slice(13, 15).reduce((sum, ticks) => sum + Number(ticks) * tickMs, 0);
}

/** What the kernel shows everywhere, whatever its own clock. */
const tickMs = 10;

/** Of all processors together. What a hypervisor took away counts as busy. */
function machineTicks(): { readonly busy: number; readonly all: number } {
  const words =
    (textOf('/proc/stat') ?? '').split('\n')[0]?.trim().split(/\s+/).slice(1, 9).map(Number) ?? [];
  const all = words.reduce((sum, ticks) => sum + ticks, 0);
  const [idle = 0, waiting = 0] = words.slice(3, 5);
  return { busy: all - idle - waiting, all };
}

/** Null: the process has ended meanwhile. */
function textOf(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

function listed(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
