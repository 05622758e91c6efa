// Asks a service on this machine once, by TCP or HTTP. What it says is an outsider's: a few bytes are read, of which the
// status of HTTP (RFC 9112 §4) is all that is used.
import net from 'node:net';
import {
  healthCheckAnswerBytesMax,
  healthCheckStarvedMs,
  healthCheckTimeoutMaxMs,
} from '@powernode/core/limits/anycast';
import type { HealthCheckEntry } from '@powernode/core/wire/anycast-entries';
import type { Clock } from '../ports/clock.ts';
import type { Outcome } from './verdict.ts';

export type Question = Pick<HealthCheckEntry, 'address' | 'protocol' | 'port' | 'path' | 'interval_ms'>;

/** Without an outcome: the agent was not run meanwhile, so nothing follows. */
export type Answer = { readonly outcome: Outcome } | { readonly outcome?: never };

/** Resolves within the interval of the question; `cancel` ends it without an answer. */
export type Ask = (question: Question, done: (answer: Answer) => void) => () => void;

export function askService(clock: Clock): Ask {
  return (question, done) => {
    const asking = new Asking(clock, question, done);
    return () => asking.end();
  };
}

class Asking {
  readonly #question: Question;
  readonly #done: (answer: Answer) => void;
  readonly #socket: net.Socket;
  readonly #cancel: () => void;
  #text = '';
  #isOver = false;

  constructor(clock: Clock, question: Question, done: (answer: Answer) => void) {
    this.#question = question;
    this.#done = done;
    const { address, port, interval_ms: interval } = question;
    const timeoutMs = Math.min(interval, healthCheckTimeoutMaxMs);
    const deadlineMs = clock.monotonicMs() + timeoutMs;
    this.#cancel = clock.after(timeoutMs, () => {
      const isStarved = clock.monotonicMs() - deadlineMs > healthCheckStarvedMs;
      // What has arrived meanwhile is read first.
      setImmediate(() => this.#settle(isStarved ? {} : { outcome: `no answer within ${timeoutMs} ms` }));
    });
    // From the address itself: else another holder would be asked while this machine does not have it.
    this.#socket = net.connect({ host: address, port, localAddress: address });
    this.#socket.setNoDelay(true);
    this.#socket.on('connect', () => this.#connected());
    this.#socket.on('data', (bytes: Buffer) => this.#read(bytes));
    this.#socket.on('end', () => this.#settle({ outcome: 'the connection was closed without an answer' }));
    this.#socket.on('error', (error: NodeJS.ErrnoException) => this.#settle({ outcome: reasonOf(error) }));
  }

  end(): void {
    this.#isOver = true;
    this.#cancel();
    // A reset, and no connection that waits for its end for a minute.
    this.#socket.resetAndDestroy();
  }

  #connected(): void {
    const { protocol, address, port, path = '/' } = this.#question;
    if (protocol === 'tcp') return this.#settle({ outcome: null });
    const host = net.isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`;
    this.#socket.write(
      `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: powernode-health-check\r\nAccept: */*\r\nConnection: close\r\n\r\n`,
    );
  }

  #read(bytes: Buffer): void {
    this.#text += bytes.subarray(0, healthCheckAnswerBytesMax).toString('latin1');
    const outcome = outcomeOfHttp(this.#text);
    if (outcome !== undefined) this.#settle({ outcome });
  }

  #settle(answer: Answer): void {
    if (this.#isOver) return;
    this.end();
    this.#done(answer);
  }
}

/** undefined: more of it is needed. */
export function outcomeOfHttp(text: string): Outcome | undefined {
  const status = /^HTTP\/1\.[01] ([1-5]\d\d)[ \r\n]/.exec(text)?.[1];
  if (status === undefined) {
    const isOver = text.includes('\n') || text.length >= healthCheckAnswerBytesMax;
    return isOver || !'HTTP/1.'.startsWith(text.slice(0, 7)) ? 'the answer is not HTTP' : undefined;
  }
  return status >= '200' && status < '400' ? null : `HTTP status ${status}`;
}

function reasonOf({ code }: NodeJS.ErrnoException): string {
  switch (code) {
    case 'ECONNREFUSED':
      return 'the connection was refused';
    case 'ECONNRESET':
    case 'EPIPE':
      return 'the connection was reset';
    case 'EADDRNOTAVAIL':
      return 'this instance does not have the address';
    case 'ETIMEDOUT':
      return 'no answer';
    default:
      return `the connection failed (${code ?? 'no code'})`;
  }
}
