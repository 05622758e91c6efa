// Tells the kernel which leased addresses may be answered for, and for how long: elements with a timeout in sets of the
// table of rules. They end by themselves, whatever happens to the agent. One long-lived `nft -i` does it: 0.3 ms a
// time where a process of its own for each takes 15. The sets and the rules behind them are made in plan/.
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { heldCommandMs } from '@powernode/core/limits';
import { type Family, familyOf } from '@powernode/core/net/address';
import { heldSets } from '../plan/firewall/held-chains.ts';
import { families } from '../plan/firewall/names.ts';
import { tableName } from '../plan/ruleset-model.ts';
import type { HeldAddress } from './leases.ts';

export interface HeldSetsParts {
  readonly nowMs: () => number;
  readonly environment: Readonly<Record<string, string>>;
  /** Something was not done; what is held has to be told again. `isNew`: the one before was done. */
  readonly failed: (failure: { readonly detail: string; readonly isNew: boolean }) => void;
}

export class HeldSets {
  readonly #parts: HeldSetsParts;
  #child: ChildProcessWithoutNullStreams | null = null;
  /** Until when each address may be answered for; not told to the kernel yet. */
  #pending = new Map<string, number>();
  #isBusy = false;
  #isPaused = false;
  #isStopped = false;
  #isFailing = false;
  #output = '';
  #deadline: NodeJS.Timeout | undefined;

  constructor(parts: HeldSetsParts) {
    this.#parts = parts;
  }

  tell(addresses: readonly HeldAddress[]): void {
    const nowMs = this.#parts.nowMs();
    for (const { address, timeoutMs } of addresses) this.#pending.set(address, nowMs + timeoutMs);
    this.#next();
  }

  /** While the table is written, nothing is told: it would wait for that in the kernel, where its time begins after. */
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
    const line = heldLine(this.#pending, this.#parts.nowMs());
    this.#pending = new Map();
    this.#isBusy = true;
    this.#output = '';
    this.#child ??= this.#start();
    // The listing is the sign that it is done. It is the same process and so the same view of the table.
    this.#child.stdin.write(`${line}\nlist set ${setOf(6)}\n`);
    this.#deadline = setTimeout(
      () => this.#giveUp(`nft did not answer in ${heldCommandMs} ms`),
      heldCommandMs,
    );
  }

  #start(): ChildProcessWithoutNullStreams {
    // One stream for both, so that a complaint comes before the listing behind it. Ends when its input does.
    const child = spawn('sh', ['-c', 'exec nft -i 2>&1'], { env: this.#parts.environment });
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
    const isListed = /^}\n$/m.test(this.#output);
    const isRefused = /^list set .*\n.*\^\n$/m.test(this.#output);
    if (!isListed && !isRefused) return;
    clearTimeout(this.#deadline);
    const complaint = /Error: .*/.exec(this.#output)?.[0];
    this.#isBusy = false;
    if (complaint === undefined) this.#isFailing = false;
    else this.#fail(complaint.slice(0, 300));
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

function setOf(family: Family): string {
  return `inet ${tableName} ${heldSets[family]}`;
}

/** One transaction. An element that is there keeps its old timeout when it is added again, so it is taken out first. */
export function heldLine(until: ReadonlyMap<string, number>, nowMs: number): string {
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
