// The test's side of the program inside a host.
import type { ChildProcess } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Host } from '../../../packages/agent/fixtures/stage.ts';
import type { Command, Flow, Outcome, Reply, Shot } from './wire.ts';
import { within } from './within.ts';

/** Longer than the program itself waits for anything. */
const answerMs = 120_000;

const main = path.join(import.meta.dirname, 'endpoint-main.ts');

export class Endpoint {
  readonly host: Host;
  readonly #child: ChildProcess;
  readonly #waiting: PromiseWithResolvers<Reply>[] = [];
  #complaint = '';
  #ended: Error | null = null;

  constructor(host: Host) {
    this.host = host;
    this.#child = host.spawn(process.execPath, [main]);
    if (this.#child.stdout === null) throw new Error('the program inside has no output');
    createInterface({ input: this.#child.stdout }).on('line', (line) =>
      this.#waiting.shift()?.resolve(JSON.parse(line) as Reply),
    );
    this.#child.stderr?.on('data', (chunk) => {
      this.#complaint += String(chunk);
    });
    // Whoever writes to a program that has ended is told by its end.
    this.#child.stdin?.on('error', () => undefined);
    this.#child.once('close', () => {
      this.#ended = new Error(`the program inside ${host.name} ended: ${this.#complaint}`);
      for (const { reject } of this.#waiting) reject(this.#ended);
    });
  }

  /** Refusals are told without a limit, so that none is missing. */
  async prepare(): Promise<void> {
    await this.host.must('sysctl', '-w', 'net.ipv6.icmp.ratelimit=0', 'net.ipv4.icmp_ratelimit=0');
  }

  async serve(addresses: readonly string[]): Promise<void> {
    await this.#ask({ command: 'serve', addresses });
  }

  async open(flows: readonly Flow[]): Promise<void> {
    await this.#ask({ command: 'open', flows });
  }

  async send(shots: readonly Shot[]): Promise<readonly Outcome[]> {
    return await this.#ask({ command: 'send', shots });
  }

  /** What became of a packet on each connection, by the number of its flow. */
  async ask(): Promise<readonly Outcome[]> {
    return await this.#ask({ command: 'ask' });
  }

  async #ask(command: Command): Promise<readonly Outcome[]> {
    if (this.#ended !== null) throw this.#ended;
    const answer = Promise.withResolvers<Reply>();
    this.#waiting.push(answer);
    this.#child.stdin?.write(`${JSON.stringify(command)}\n`);
    const reply = await within(
      answerMs,
      answer.promise,
      () => `the program inside ${this.host.name} has not answered "${command.command}" ${this.#complaint}`,
    );
    if ('error' in reply) throw new Error(`${this.host.name}, "${command.command}": ${reply.error}`);
    return reply.outcomes;
  }
}
