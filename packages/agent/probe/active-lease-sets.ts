// Writes to the kernel which leased addresses may be answered for, and for how long: elements with a timeout in sets of
// the table of rules. They end by themselves, whatever happens to the agent. One long-lived `nft -j -i` does it: 0.3 ms
// a time where a process of its own for each takes 15. The sets and the rules behind them are
// nftables/chains/lease-guard-chains.ts.
//
// Leases are written in nft's own grammar, which `nft -j` takes as well, because a timeout in JSON is in whole seconds.
// The replies are JSON: nft prints nothing for a write that succeeded, so each write is followed by a query that
// always has an answer. A complaint that comes before that answer is about the write.
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { leaseCommandMs } from '@powernode/core/limits/failover';
import { type Family, familyOf } from '@powernode/core/net/address';
import { activeLeaseSets } from '../subsystems/nftables/chains/lease-guard-chains.ts';
import { families } from '../subsystems/nftables/chains/names.ts';
import { tableName } from '../subsystems/nftables/model.ts';
import type { LeasedAddress } from './leases.ts';

export interface ActiveLeaseSetsParts {
  readonly nowMs: () => number;
  readonly environment: Readonly<Record<string, string>>;
  /** Something was not done; active leases have to be written again. `isNew`: the one before was done. */
  readonly failed: (failure: { readonly detail: string; readonly isNew: boolean }) => void;
}

export class ActiveLeaseSets {
  readonly #parts: ActiveLeaseSetsParts;
  #child: ChildProcessWithoutNullStreams | null = null;
  /** Until when each address may be answered for; not written to the kernel yet. */
  #pending = new Map<string, number>();
  #isBusy = false;
  #isPaused = false;
  #isStopped = false;
  #isFailing = false;
  #output = '';
  #deadline: NodeJS.Timeout | undefined;

  constructor(parts: ActiveLeaseSetsParts) {
    this.#parts = parts;
  }

  write(addresses: readonly LeasedAddress[]): void {
    const nowMs = this.#parts.nowMs();
    for (const { address, timeoutMs } of addresses) this.#pending.set(address, nowMs + timeoutMs);
    this.#next();
  }

  /**
   * While the table is written, nothing is reported: it would wait for that in the kernel, where its time begins after.
   */
  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#next();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#deadline);
    this.#child?.stdin.end();
    this.#child = null;
  }

  #next(): void {
    if (this.#isBusy || this.#isPaused || this.#isStopped || this.#pending.size === 0) return;
    const line = leaseCommand(this.#pending, this.#parts.nowMs());
    this.#pending = new Map();
    this.#isBusy = true;
    this.#output = '';
    this.#child ??= this.#start();
    this.#child.stdin.write(`${line}\n${query}\n`);
    this.#deadline = setTimeout(
      () => this.#giveUp(`nft did not answer in ${leaseCommandMs} ms`),
      leaseCommandMs,
    );
  }

  #start(): ChildProcessWithoutNullStreams {
    // One stream for both, so that a complaint comes before the answer to the query. Ends when its input does.
    const child = spawn('sh', ['-c', 'exec nft -j -i 2>&1'], { env: this.#parts.environment });
    child.stdin.on('error', () => undefined);
    child.stdout.setEncoding('utf8');
    child.stdout.on('data', (text: string) => {
      if (this.#child === child) this.#take(text);
    });
    const ended = (why: string) => {
      if (this.#child === child) this.#giveUp(`nft ended: ${why}`);
    };
    child.on('error', (error) => ended(error.message));
    child.on('exit', (code, signal) => ended(signal ?? `exit code ${code}`));
    return child;
  }

  #take(text: string): void {
    this.#output += text;
    const reply = readReply(this.#output);
    if (reply === null) {
      if (this.#output.length > replyBytesMax) this.#giveUp('nft printed more than an answer');
      return;
    }
    clearTimeout(this.#deadline);
    this.#isBusy = false;
    if (reply.complaint === null) this.#isFailing = false;
    else this.#fail(reply.complaint);
    this.#next();
  }

  #giveUp(why: string): void {
    clearTimeout(this.#deadline);
    const child = this.#child;
    this.#child = null;
    this.#isBusy = false;
    child?.kill('SIGKILL');
    this.#fail(why);
  }

  #fail(detail: string): void {
    const isNew = !this.#isFailing;
    this.#isFailing = true;
    this.#parts.failed({ detail, isNew });
  }
}

/** What every `nft` answers, whatever tables there are, and at no cost. */
const query = 'list tables inet';

/** The answer names each table; a machine has a few. */
const replyBytesMax = 262_144;

/** What nft said to a write and the query behind it. null: the answer to the query is not there yet. */
export function readReply(output: string): { readonly complaint: string | null } | null {
  const lines = output.split('\n');
  // What follows the last line break is not all of its line yet.
  const at = lines.slice(0, -1).findIndex(isAnswer);
  if (at === -1) return null;
  const before = lines.slice(0, at).map((line) => /Error: .*/.exec(line)?.[0]);
  return { complaint: before.find((line) => line !== undefined)?.slice(0, 300) ?? null };
}

/** Some builds of nft print a prompt in front of what they answer. */
function isAnswer(line: string): boolean {
  const begin = line.indexOf('{"nftables"');
  if (begin === -1) return false;
  try {
    const answer: unknown = JSON.parse(line.slice(begin));
    return (
      typeof answer === 'object' && answer !== null && 'nftables' in answer && Array.isArray(answer.nftables)
    );
  } catch {
    return false;
  }
}

function setOf(family: Family): string {
  return `inet ${tableName} ${activeLeaseSets[family]}`;
}

/** One transaction. An element that is there keeps its old timeout when it is added again, so it is taken out first. */
export function leaseCommand(until: ReadonlyMap<string, number>, nowMs: number): string {
  const parts: string[] = [];
  for (const family of families) {
    const set = setOf(family);
    const ofFamily = [...until].filter(([address]) => familyOf(address) === family);
    if (ofFamily.length === 0) continue;
    const all = ofFamily.map(([address]) => address).join(', ');
    const held = ofFamily
      .map(([address, untilMs]) => ({ address, leftMs: Math.floor(untilMs - nowMs) }))
      .filter(({ leftMs }) => leftMs > 0)
      .map(({ address, leftMs }) => `${address} timeout ${leftMs}ms`);
    parts.push(`add element ${set} { ${all} }`, `delete element ${set} { ${all} }`);
    if (held.length > 0) parts.push(`add element ${set} { ${held.join(', ')} }`);
  }
  return parts.join('; ');
}
