// The vty of a daemon of FRR as the agent uses it: a connection that is kept and made again when the daemon was, one
// job at a time, refusals in FRR's own words.
import { parseJson } from '@powernode/core/json';
import { frrLineLengthMax, frrLinesMax, frrQueueMax, frrSaidMax } from '@powernode/core/limits/agent';
import type { Clock } from '../../ports/clock.ts';
import { type Reader, UnreadableAnswer } from './checks.ts';
import { type VtyAnswer, VtyConnection, VtyFailure } from './vty-connection.ts';

export interface VtyParts {
  readonly path: string;
  /** The daemon, for people: `bgpd of network …`. */
  readonly daemon: string;
  readonly clock: Clock;
}

/** A line of configuration that FRR did not take. */
export interface Refusal {
  readonly line: string;
  /** In FRR's own words. */
  readonly said: string;
}

export interface Configured {
  /** Lines that were sent, with the refused one. */
  readonly sent: number;
  /** The first line that was refused. No line is sent after it: it may belong into a section that was not entered. */
  readonly refusal: Refusal | null;
}

export class Vty {
  readonly #parts: VtyParts;
  #connection: VtyConnection | null = null;
  #generation = 0;
  #jobs = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(parts: VtyParts) {
    this.#parts = parts;
  }

  /** Rises with each connection: a daemon of another generation may have forgotten everything. */
  get generation(): number {
    return this.#generation;
  }

  get daemon(): string {
    return this.#parts.daemon;
  }

  /** What a command prints. Fails when the daemon refuses it. */
  show(command: string): Promise<string> {
    return this.#job(async (connection) => {
      const answer = await connection.ask(command);
      if (answer.code !== 0) {
        const detail = `${this.daemon} refused '${command}': ${saidBy(answer)}`;
        throw new VtyFailure('refused', detail);
      }
      return answer.text;
    });
  }

  /** The same as JSON of a known shape. */
  async showJson<T>(command: string, read: Reader<T>): Promise<T> {
    const answer = parseJson(await this.show(command));
    try {
      return read(answer);
    } catch (error) {
      if (!(error instanceof UnreadableAnswer)) throw error;
      const where = error.message.slice(0, 200);
      throw new VtyFailure(
        'unreadable',
        `The answer of ${this.daemon} to '${command}' is unreadable (${where})`,
      );
    }
  }

  /** Sends lines as they would be typed after `configure terminal`. Fails when the daemon is gone in the middle. */
  configure(lines: readonly string[]): Promise<Configured> {
    const odd = lines.length > frrLinesMax ? tooMany(lines) : oddLine(lines);
    if (odd !== null) return Promise.resolve({ sent: 0, refusal: odd });
    return this.#job(async (connection) => {
      const begun = await connection.ask('configure terminal');
      if (isRefusal(begun)) {
        throw new VtyFailure('refused', `${this.daemon} cannot be configured now: ${saidBy(begun)}`);
      }
      let sent = 0;
      let refusal: Refusal | null = null;
      for (const line of lines) {
        const answer = await connection.ask(line);
        sent++;
        if (!isRefusal(answer)) continue;
        refusal = { line: line.trim(), said: saidBy(answer) };
        break;
      }
      await connection.ask('end');
      return { sent, refusal };
    });
  }

  close(): void {
    this.#connection?.close();
    this.#connection = null;
  }

  #job<T>(work: (connection: VtyConnection) => Promise<T>): Promise<T> {
    if (this.#jobs >= frrQueueMax) {
      return Promise.reject(new VtyFailure('busy', `${this.daemon} has ${this.#jobs} commands waiting`));
    }
    this.#jobs++;
    const result = this.#last.then(() => this.#attempt(work));
    this.#last = result.then(
      () => this.#jobs--,
      () => this.#jobs--,
    );
    return result;
  }

  /** A kept connection may be to a daemon that has ended since: the first command finds out. */
  async #attempt<T>(work: (connection: VtyConnection) => Promise<T>): Promise<T> {
    const kept = this.#connection;
    const connection = await this.#connected();
    const { answers } = connection;
    try {
      return await work(connection);
    } catch (error) {
      const isStale = connection === kept && connection.answers === answers;
      if (!isStale || !(error instanceof VtyFailure) || error.trouble !== 'lost') throw error;
      return work(await this.#connected());
    }
  }

  async #connected(): Promise<VtyConnection> {
    if (this.#connection !== null && !this.#connection.isOver) return this.#connection;
    const { path, clock, daemon } = this.#parts;
    const connection = await VtyConnection.open(path, clock, daemon);
    this.#connection = connection;
    this.#generation++;
    await connection.ask('enable');
    return connection;
  }
}

/** Bad values of some commands are answered with a success code and a text that begins like all refusals. */
function isRefusal({ code, text }: VtyAnswer): boolean {
  return code !== 0 || /^\s*%/.test(text);
}

function saidBy({ text, code }: VtyAnswer): string {
  const said = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .join(' ')
    .slice(0, frrSaidMax);
  return said === '' ? `code ${code}` : said;
}

function oddLine(lines: readonly string[]): Refusal | null {
  for (const line of lines) {
    if (line.length > frrLineLengthMax) {
      const said = `The line is longer than ${frrLineLengthMax} characters.`;
      return { line: line.slice(0, frrSaidMax), said };
    }
    if (/\p{Cc}/u.test(line)) {
      return { line: line.slice(0, frrSaidMax), said: 'The line has control characters.' };
    }
  }
  return null;
}

function tooMany(lines: readonly string[]): Refusal {
  return {
    line: lines[frrLinesMax]?.trim() ?? '',
    said: `The change has more than ${frrLinesMax} lines.`,
  };
}
