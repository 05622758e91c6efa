// The test's side of the program inside a host.
import type { ChildProcess } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Host } from '../../../packages/agent/fixtures/stage.ts';
import type { Command, Flow, Outcome, Reply, Shot } from './wire.ts';

const main = path.join(import.meta.dirname, 'endpoint-main.ts');

export class Endpoint {
  readonly host: Host;
  readonly #child: ChildProcess;
  readonly #waiting: PromiseWithResolvers<Reply>[] = [];
  #complaint = '';

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
    this.#child.once('close', () => {
      const error = new Error(`the program inside ${host.name} ended: ${this.#complaint}`);
      for (const { reject } of this.#waiting) reject(error);
    });
  }

  /** Refusals are told without a limit, so that none is missing, and what is open is not forgotten for a day. */
  async prepare(): Promise<void> {
    const settings = [
      'net.ipv6.icmp.ratelimit=0',
      'net.ipv4.icmp_ratelimit=0',
      'net.netfilter.nf_conntrack_udp_timeout=86400',
      'net.netfilter.nf_conntrack_udp_timeout_stream=86400',
    ];
    await this.host.must('sysctl', '-w', ...settings);
  }

  async serve(addresses: readonly string[]): Promise<void> {
    await this.#ask({ command: 'serve', addresses });
  }

  async open(flows: readonly Flow[]): Promise<void> {
    await this.#ask({ command: 'open', flows });
  }

  async send(shots: readonly Shot[]): Promise<readonly Outcome[]> {
    return (await this.#ask({ command: 'send', shots })).outcomes;
  }

  #ask(command: Command): Promise<Reply> {
    const reply = Promise.withResolvers<Reply>();
    this.#waiting.push(reply);
    this.#child.stdin?.write(`${JSON.stringify(command)}\n`);
    return reply.promise;
  }
}
