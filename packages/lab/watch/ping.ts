// Who reaches whom over the overlay: one round for a matrix, or continuous pings that count every loss.
import { type ChildProcess, spawn } from 'node:child_process';
import { labPingIntervalMs, labPingLanesMax } from '@powernode/core/limits/lab';
import { networkPrefixLength } from '@powernode/core/limits/overlay';
import { parseAddress } from '@powernode/core/net/address';
import type { OpenLab } from '../life/record.ts';
import { lanPairs, type PingPair } from '../plan/lan-pairs.ts';
import { requireNode } from '../stage/fabric.ts';
import { inside } from '../stage/holder.ts';
import { signal } from '../stage/process.ts';
import { attempt, toolPath } from '../stage/run.ts';
import { readAddresses } from './status.ts';

export type { PingPair };

export interface PingResult extends PingPair {
  /** null: no answer. */
  readonly roundTripMs: number | null;
}

/** Every ordered pair of hosts that a network connects: of its members, and of hosts in LANs behind them. */
async function connectedPairs(lab: OpenLab): Promise<PingPair[]> {
  return [...(await overlayPairs(lab)), ...lanPairs(lab.plan)];
}

/** Every ordered pair of hosts with an address in the same network; IPv4 prefixes go the same ways. */
async function overlayPairs(lab: OpenLab): Promise<PingPair[]> {
  const hosts = await Promise.all(
    lab.plan.hosts.map(async ({ name }) => ({ name, addresses: (await readAddresses(lab, name)).overlay })),
  );
  return hosts.flatMap((from) => {
    const networks = new Set(from.addresses.flatMap(networkOf));
    return hosts
      .filter((to) => to.name !== from.name)
      .flatMap((to) =>
        to.addresses
          .filter((address) => networkOf(address).some((network) => networks.has(network)))
          .map((address) => ({ from: from.name, to: to.name, address })),
      );
  });
}

function networkOf(text: string): bigint[] {
  const address = parseAddress(text);
  return address?.family === 6 ? [address.bits >> BigInt(128 - networkPrefixLength)] : [];
}

/** Pings every pair once it is there, with a second and a third try; a few pairs of one host at once. */
export async function pingMatrix(lab: OpenLab): Promise<PingResult[]> {
  const rows = Map.groupBy(await connectedPairs(lab), (pair) => pair.from);
  const done = await Promise.all([...rows].map(([from, pairs]) => pingRow(lab, { from, pairs })));
  return done.flat();
}

/** Pings one address after the other: up to three requests, ended by the first answer. */
const lane = 'for to in "$@"; do ping -n -w 3 -W 1 -i 0.5 -c 1 "$to"; done';

/** To enter a host and to find it costs more than a ping does, so it is done a few times for all of its pairs. */
async function pingRow(
  lab: OpenLab,
  { from, pairs }: { readonly from: string; readonly pairs: readonly PingPair[] },
): Promise<PingResult[]> {
  const holder = requireNode(lab.plan, from);
  const lanes = Map.groupBy(pairs.keys(), (i) => i % labPingLanesMax);
  const outcomes = await Promise.all(
    [...lanes.values()].map((numbers) => {
      const addresses = numbers.map((i) => pairs[i]?.address ?? '');
      return attempt(inside(holder, { program: 'sh', args: ['-c', lane, 'sh', ...addresses] }));
    }),
  );
  const times = new Map<string, number>();
  for (const { stdout } of outcomes) {
    for (const [, address = '', time] of stdout.matchAll(/^\d+ bytes from (\S+): .*? time=([\d.]+) ms$/gm)) {
      times.set(address, Number(time));
    }
  }
  return pairs.map((pair) => ({ ...pair, roundTripMs: times.get(pair.address) ?? null }));
}

export interface PingReport extends PingPair {
  readonly sent: number;
  readonly received: number;
  /** Requests without an answer; those of the last moment, which had no time for one, do not count. */
  readonly lost: number;
  /** The longest time without an answer, from the start of the pings to their end. */
  readonly longestGapMs: number;
  /** The slowest answer. A packet that waits for a neighbour to be found comes late instead of being lost, and
   * holds up those behind it: a disturbance shows here and in the gap even when nothing is lost. */
  readonly slowestMs: number;
}

/** What a pair has seen until now. */
export interface PingsSoFar extends PingPair {
  /** Requests without an answer before the last one that has one. */
  readonly lost: number;
  readonly received: number;
  /** How long there has been no answer. */
  readonly silentMs: number;
}

export interface RunningPings {
  /** How long the pair that has waited longest has had no answer. */
  readonly silentMs: () => number;
  /** Of each pair, in the order of the pairs. */
  readonly soFar: () => readonly PingsSoFar[];
  /** Ends them, and tells what each pair has seen. */
  readonly stop: () => Promise<PingReport[]>;
}

export interface PingOptions {
  readonly intervalMs?: number;
  /** Default: all pairs that networks connect, as they are at the start. */
  readonly pairs?: readonly PingPair[];
}

/** Starts continuous pings; returns when each pair has had its first answer. */
export async function startPings(lab: OpenLab, options: PingOptions = {}): Promise<RunningPings> {
  const intervalMs = options.intervalMs ?? labPingIntervalMs;
  const pairs = options.pairs ?? (await connectedPairs(lab));
  const running = pairs.map((pair) => new PingRun(lab, pair, intervalMs));
  await Promise.all(running.map((run) => run.firstAnswer));
  return {
    silentMs: () => Math.max(0, ...running.map((run) => run.silentMs)),
    soFar: () => running.map((run) => run.soFar),
    stop: () => Promise.all(running.map((run) => run.stop())),
  };
}

/** One `ping` process, read line by line. */
class PingRun {
  readonly firstAnswer: Promise<void>;
  readonly #pair: PingPair;
  readonly #log: PingLog;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  #heardMs = performance.now();

  constructor(lab: OpenLab, pair: PingPair, intervalMs: number) {
    this.#pair = pair;
    this.#log = new PingLog(intervalMs);
    const command = inside(requireNode(lab.plan, pair.from), {
      program: 'ping',
      args: ['-n', '-D', '-i', String(intervalMs / 1000), pair.address],
    });
    const env = { ...process.env, PATH: toolPath, LC_ALL: 'C' };
    this.#child = spawn(command.program, [...command.args], {
      detached: true,
      stdio: ['ignore', 'pipe', 'ignore'],
      env,
    });
    let rest = '';
    const ended = Promise.withResolvers<void>();
    const answered = Promise.withResolvers<void>();
    this.#child.stdout?.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk.toString()).split('\n');
      rest = lines.pop() ?? '';
      const before = this.#log.received;
      for (const line of lines) this.#log.read(line);
      if (this.#log.received > before) this.#heardMs = performance.now();
      if (this.#log.received > 0) answered.resolve();
    });
    this.#child.on('error', answered.reject);
    this.#child.on('close', () => {
      answered.reject(new Error(`ping from ${pair.from} to ${pair.to} ended before it had an answer`));
      ended.resolve();
    });
    this.firstAnswer = answered.promise;
    this.#ended = ended.promise;
  }

  get silentMs(): number {
    return performance.now() - this.#heardMs;
  }

  get soFar(): PingsSoFar {
    const { lost, received } = this.#log;
    return { ...this.#pair, lost, received, silentMs: this.silentMs };
  }

  /** The signal goes to the group, because nsenter, the parent of ping, passes none on. */
  async stop(): Promise<PingReport> {
    if (this.#child.pid !== undefined) signal(-this.#child.pid, 'SIGINT');
    await this.#ended;
    return { ...this.#pair, ...this.#log.report() };
  }
}

/** What a ping's output says, as numbers. */
export class PingLog {
  received = 0;
  readonly #intervalMs: number;
  readonly #seen = new Set<number>();
  #highest = 0;
  #firstAnswerMs: number | null = null;
  #lastAnswerMs = 0;
  #longestGapMs = 0;
  #longestTripMs = 0;
  #sent = 0;
  #totalMs = 0;

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
  }

  read(line: string): void {
    const answer = /^\[(\d+\.\d+)\] \d+ bytes from .*icmp_seq=(\d+) .*time=([\d.]+) ms/.exec(line);
    if (answer !== null) {
      const [atMs, sequence, tripMs] = [Number(answer[1]) * 1000, Number(answer[2]), Number(answer[3])];
      this.#answer({ atMs, sequence: this.#unrolled(sequence), tripMs });
    }
    const summary = /^(\d+) packets transmitted, .*time (\d+)ms$/.exec(line);
    if (summary !== null) [this.#sent, this.#totalMs] = [Number(summary[1]), Number(summary[2])];
  }

  /** Sequence numbers of ICMP go round after 65,535; the nearest to the highest one so far is meant. */
  #unrolled(sequence: number): number {
    return sequence + Math.round((this.#highest - sequence) / 65_536) * 65_536;
  }

  #answer(answer: { atMs: number; sequence: number; tripMs: number }): void {
    if (this.#seen.has(answer.sequence)) return;
    this.#seen.add(answer.sequence);
    this.received++;
    this.#highest = Math.max(this.#highest, answer.sequence);
    this.#longestTripMs = Math.max(this.#longestTripMs, answer.tripMs);
    if (this.#firstAnswerMs === null) this.#firstAnswerMs = answer.atMs;
    else this.#longestGapMs = Math.max(this.#longestGapMs, answer.atMs - this.#lastAnswerMs);
    this.#lastAnswerMs = answer.atMs;
  }

  /** Requests without an answer before the last one that has one. */
  get lost(): number {
    return this.#highest - this.received;
  }

  report(): Omit<PingReport, keyof PingPair> {
    const tailMs = (this.#firstAnswerMs ?? 0) + this.#totalMs - this.#lastAnswerMs;
    const onTheirWay = Math.ceil(this.#longestTripMs / this.#intervalMs) + 1;
    const lateOnes = Math.max(0, this.#sent - this.#highest - onTheirWay);
    return {
      sent: this.#sent,
      received: this.received,
      lost: this.lost + lateOnes,
      longestGapMs: Math.round(Math.max(this.#longestGapMs, tailMs)),
      slowestMs: this.#longestTripMs,
    };
  }
}
