// One of the lab's small programs, running inside a host: started, listened to, and asked for its report at the end.
// It ends with its host, and with whoever started it.
import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { ProductError } from '@powernode/core/errors';
import { labStepMs } from '@powernode/core/limits/lab';
import type { LabPlan } from '../plan/plan.ts';
import { requireNode } from '../stage/fabric.ts';
import { inside } from '../stage/holder.ts';
import { signal } from '../stage/process.ts';
import { inNetwork, run, toolPath } from '../stage/run.ts';
import {
  type Answer,
  type AskOptions,
  type AskReport,
  askReport,
  programLine,
  type ServeOptions,
  type StreamOptions,
  type StreamReport,
  streamReport,
} from './messages.ts';

interface Where {
  readonly plan: LabPlan;
  readonly host: string;
}

/** A service inside a host; it says which host it is. */
export interface Service {
  readonly end: () => Promise<void>;
}

export interface RunningStream {
  /** How many lines have come back, as it was told lately. */
  readonly echoed: () => number;
  /** Ends it; what came back until now. */
  readonly stop: () => Promise<StreamReport>;
}

export interface Questions {
  /** What was answered until now, in the order of arrival. */
  readonly answers: readonly Answer[];
  readonly stop: () => Promise<AskReport>;
}

/** Lets programs of the host listen at addresses that it does not have yet, or not at present. */
export async function bindAnywhere({ plan, host }: Where): Promise<void> {
  const early = 'echo 1 > /proc/sys/net/ipv6/ip_nonlocal_bind; echo 1 > /proc/sys/net/ipv4/ip_nonlocal_bind';
  await run(inNetwork(requireNode(plan, host).pid, { program: 'sh', args: ['-ec', early] }));
}

/** Starts it; returns when it listens. */
export async function serve(where: Where, options: Omit<ServeOptions, 'name'>): Promise<Service> {
  const program = new Program(where, { file: 'serve-main.ts', options: { name: where.host, ...options } });
  await program.ready;
  return { end: async () => void (await program.end()) };
}

/** Starts it; returns when the first line has come back. */
export async function startStream(where: Where, options: StreamOptions): Promise<RunningStream> {
  const program = new Program(where, { file: 'stream-main.ts', options });
  await program.ready;
  return { echoed: () => program.echoed, stop: async () => streamReport.parse(await program.report()) };
}

/** Starts asking; whether anything answers is for the caller to see. */
export async function startAsking(where: Where, options: AskOptions): Promise<Questions> {
  const program = new Program(where, { file: 'ask-main.ts', options });
  await program.ready;
  return { answers: program.answers, stop: async () => askReport.parse(await program.report()) };
}

class Program {
  readonly ready: Promise<void>;
  readonly answers: Answer[] = [];
  echoed = 0;
  readonly #child: ChildProcess;
  readonly #closed: Promise<void>;
  readonly #what: string;
  #report: unknown = null;
  #complaints = '';

  constructor(where: Where, what: { readonly file: string; readonly options: object }) {
    const file = path.join(import.meta.dirname, what.file);
    const command = inside(requireNode(where.plan, where.host), {
      program: process.execPath,
      args: ['--disable-warning=ExperimentalWarning', file, JSON.stringify(what.options)],
    });
    this.#child = spawn(command.program, [...command.args], {
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, PATH: toolPath },
    });
    this.#child.stdin?.on('error', () => undefined);
    const { promise: closed, resolve: close } = Promise.withResolvers<void>();
    this.#child.on('close', () => close());
    this.#closed = closed;
    this.#what = `${what.file} in ${where.host}`;
    this.ready = this.#readiness();
    // Whoever does not wait for it hears of a failure when it asks for the report.
    this.ready.catch(() => undefined);
  }

  #readiness(): Promise<void> {
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.#complaints = (this.#complaints + chunk.toString()).slice(-2000);
    });
    return new Promise((resolve, reject) => {
      const fail = (why: string) =>
        reject(new ProductError('command_failed', `${this.#what} ${why}: ${this.#complaints.trim()}`));
      const late = setTimeout(() => {
        fail('is not ready');
        this.#kill();
      }, labStepMs);
      this.#child.on('error', (error) => fail(error.message));
      this.#child.on('close', () => {
        clearTimeout(late);
        fail('ended');
      });
      if (this.#child.stdout === null) return;
      createInterface({ input: this.#child.stdout }).on('line', (text) => {
        const line = programLine.parse(JSON.parse(text));
        if ('answer' in line) this.answers.push(line.answer);
        else if ('echoed' in line) this.echoed = line.echoed;
        else if ('report' in line) this.#report = line.report;
        else {
          clearTimeout(late);
          resolve();
        }
      });
    });
  }

  /** Its report, or an error with what it complained of when it ended without one. */
  async report(): Promise<unknown> {
    const report = await this.end();
    if (report !== null) return report;
    throw new ProductError(
      'command_failed',
      `${this.#what} ended without a report: ${this.#complaints.trim()}`,
    );
  }

  /** Its report; null when it was ended with its host. */
  async end(): Promise<unknown> {
    this.#child.stdin?.end();
    const late = setTimeout(() => this.#kill(), labStepMs);
    await this.#closed;
    clearTimeout(late);
    return this.#report;
  }

  /** The group, because nsenter, the parent, passes nothing on. */
  #kill(): void {
    if (this.#child.pid !== undefined) signal(-this.#child.pid, 'SIGKILL');
  }
}
