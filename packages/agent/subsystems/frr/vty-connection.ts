// One connection to the vty socket of a daemon of FRR. A command is its text and a zero byte; the answer is text, three
// zero bytes and a code: 0 done, others as in FRR's command.h (1 warning, 2 unknown, 4 incomplete, 13 refused).
import { createConnection, type Socket } from 'node:net';
import { ProductError } from '@powernode/core/errors';
import { frrAnswerBytesMax, frrCommandMs } from '@powernode/core/limits/agent';
import type { Clock } from '../../ports/clock.ts';

export interface VtyAnswer {
  readonly text: string;
  readonly code: number;
}

/** unreachable: nobody listens; lost: the daemon ended the connection; too_large, slow: limits of the agent. */
export type VtyTrouble = 'unreachable' | 'lost' | 'slow' | 'too_large' | 'refused' | 'unreadable' | 'busy';

export class VtyFailure extends ProductError {
  readonly trouble: VtyTrouble;

  constructor(trouble: VtyTrouble, detail: string) {
    super('command_failed', detail);
    this.trouble = trouble;
  }
}

interface Waiting {
  readonly answered: (answer: VtyAnswer) => void;
  readonly failed: (error: VtyFailure) => void;
  readonly cancelTimeout: () => void;
}

/** Text, then three zero bytes and the code. */
const tailBytes = 4;

export class VtyConnection {
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #daemon: string;
  #waiting: Waiting | null = null;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #over: VtyFailure | null = null;
  #answers = 0;

  private constructor(socket: Socket, clock: Clock, daemon: string) {
    this.#socket = socket;
    this.#clock = clock;
    this.#daemon = daemon;
    socket.on('data', (chunk) => this.#take(chunk));
    socket.on('error', (error) => this.#end(new VtyFailure('lost', `${daemon}: ${error.message}`)));
    socket.on('close', () => this.#end(new VtyFailure('lost', `${daemon} ended the connection`)));
  }

  /** `daemon`: its name, for people. */
  static open(path: string, clock: Clock, daemon: string): Promise<VtyConnection> {
    return new Promise((resolve, reject) => {
      const socket = createConnection({ path });
      const cancel = clock.after(frrCommandMs, () => {
        socket.destroy();
        reject(new VtyFailure('unreachable', `${daemon} accepts no connection within ${frrCommandMs} ms`));
      });
      const failed = (error: Error & { readonly code?: string }) => {
        cancel();
        reject(new VtyFailure('unreachable', `${daemon} does not run (${error.code ?? error.message})`));
      };
      socket.once('error', failed);
      socket.once('connect', () => {
        cancel();
        socket.off('error', failed);
        // An idle connection keeps no process up.
        socket.unref();
        resolve(new VtyConnection(socket, clock, daemon));
      });
    });
  }

  get isOver(): boolean {
    return this.#over !== null;
  }

  /** How many commands were answered. */
  get answers(): number {
    return this.#answers;
  }

  /** One at a time: the caller waits for the answer. */
  ask(command: string): Promise<VtyAnswer> {
    if (this.#over !== null) return Promise.reject(this.#over);
    if (this.#waiting !== null) throw new Error('a vty takes one command at a time');
    return new Promise((answered, failed) => {
      const cancelTimeout = this.#clock.after(frrCommandMs, () => {
        this.#end(
          new VtyFailure('slow', `${this.#daemon} did not answer '${command}' in ${frrCommandMs} ms`),
        );
      });
      this.#waiting = { answered, failed, cancelTimeout };
      this.#socket.ref();
      this.#socket.write(`${command}\0`);
    });
  }

  close(): void {
    this.#end(new VtyFailure('lost', `the connection to ${this.#daemon} was closed`));
  }

  #take(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes > frrAnswerBytesMax) {
      const detail = `${this.#daemon} answered with more than ${frrAnswerBytesMax} bytes`;
      return this.#end(new VtyFailure('too_large', detail));
    }
    if (this.#bytes < tailBytes) return;
    if (chunk.length < tailBytes) this.#chunks = [Buffer.concat(this.#chunks)];
    const last = this.#chunks.at(-1) ?? chunk;
    const at = last.length - tailBytes;
    if (last[at] !== 0 || last[at + 1] !== 0 || last[at + 2] !== 0) return;
    const all = Buffer.concat(this.#chunks);
    const answer = {
      text: all.toString('utf8', 0, all.length - tailBytes),
      code: all.at(-1) ?? 0,
    };
    this.#chunks = [];
    this.#bytes = 0;
    this.#answers++;
    const waiting = this.#settle();
    if (waiting === null) {
      this.#end(new VtyFailure('lost', `${this.#daemon} answered what nobody asked`));
    } else waiting.answered(answer);
  }

  #settle(): Waiting | null {
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.cancelTimeout();
    this.#socket.unref();
    return waiting;
  }

  /** After a failure nothing more is asked here: answers could no longer be told apart. */
  #end(why: VtyFailure): void {
    this.#over ??= why;
    this.#socket.destroy();
    this.#settle()?.failed(why);
  }
}
