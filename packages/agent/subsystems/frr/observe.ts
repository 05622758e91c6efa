// Watches a bgpd: asks often for a summary, which costs little, and for tables and sessions only when it says that they
// moved. Tells the difference to what was told before.
import { isDeepStrictEqual } from 'node:util';
import { ProductError } from '@powernode/core/errors';
import { frrErrorsMs, frrMovingMs, frrObserveMovingMs, frrObserveMs } from '@powernode/core/limits/agent';
import type { Clock } from '../../ports/clock.ts';
import {
  type BestPath,
  type BgpSession,
  type BgpSummary,
  isSameBest,
  readNeighbors,
  readSummary,
  readTable,
} from './answers.ts';
import type { Vty } from './vty.ts';

export interface BgpDifference {
  /** Whether bgpd answers. While it does not, what was known of it stays as it was. */
  readonly reachable: boolean;
  /** Sessions that are new or differ by more than their uptime. */
  readonly sessions: readonly BgpSession[];
  readonly sessionsGone: readonly string[];
  /** Prefixes of both families that are new or have another best path. */
  readonly best: ReadonlyMap<string, BestPath>;
  readonly bestGone: readonly string[];
}

export interface BgpObserverParts {
  readonly vty: Vty;
  readonly clock: Clock;
  readonly changed: (difference: BgpDifference) => void;
}

const families = ['ipv4', 'ipv6'] as const;
type Family = (typeof families)[number];

interface KnownTable {
  readonly version: number;
  readonly best: ReadonlyMap<string, BestPath>;
}

const noTable: KnownTable = { version: -1, best: new Map() };

export class BgpObserver {
  readonly #parts: BgpObserverParts;
  #reachable = false;
  #generation = 0;
  #tables: Record<Family, KnownTable> = { ipv4: noTable, ipv6: noTable };
  #sessions: ReadonlyMap<string, BgpSession> = new Map();
  #sessionsSign = '';
  #sessionsAtMs = Number.NEGATIVE_INFINITY;
  #movedAtMs = Number.NEGATIVE_INFINITY;
  #cancel: (() => void) | null = null;
  #running = false;

  constructor(parts: BgpObserverParts) {
    this.#parts = parts;
  }

  get reachable(): boolean {
    return this.#reachable;
  }

  /** As they were when they last differed or their errors were asked for. */
  get sessions(): ReadonlyMap<string, BgpSession> {
    return this.#sessions;
  }

  /** Of the daemon that answered last: rises with each connection to it. */
  get generation(): number {
    return this.#generation;
  }

  /** Of both families. The same maps as long as nothing has changed. */
  get tables(): readonly ReadonlyMap<string, BestPath>[] {
    return families.map((family) => this.#tables[family].best);
  }

  best(prefix: string): BestPath | undefined {
    return this.#tables[prefix.includes(':') ? 'ipv6' : 'ipv4'].best.get(prefix);
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    void this.#turn();
  }

  stop(): void {
    this.#running = false;
    this.#cancel?.();
    this.#cancel = null;
  }

  async #turn(): Promise<void> {
    const { clock } = this.#parts;
    const before = this.#reachable;
    try {
      await this.#look();
    } catch (error) {
      if (!(error instanceof ProductError)) throw error;
      this.#reachable = false;
      if (this.#running && before) this.#parts.changed({ ...nothing, reachable: false });
    }
    if (!this.#running) return;
    const isMoving = clock.monotonicMs() - this.#movedAtMs < frrMovingMs;
    this.#cancel = clock.after(isMoving ? frrObserveMovingMs : frrObserveMs, () => void this.#turn());
  }

  async #look(): Promise<void> {
    const { vty, clock } = this.#parts;
    const summaries = {
      ipv4: await this.#summary('ipv4'),
      ipv6: await this.#summary('ipv6'),
    };
    // Versions begin anew in a new process.
    const isOther = vty.generation !== this.#generation;
    const tables = { ...this.#tables };
    for (const family of families) {
      if (isOther || summaries[family].version !== tables[family].version) {
        tables[family] = await vty.showJson(`show bgp ${family} unicast json`, readTable);
      }
    }
    const sign = `${summaries.ipv4.sessions}\n\n${summaries.ipv6.sessions}`;
    const nowMs = clock.monotonicMs();
    let sessions = this.#sessions;
    const isDue = nowMs - this.#sessionsAtMs >= frrErrorsMs;
    if (isOther || isDue || sign !== this.#sessionsSign) {
      const found = await vty.showJson('show bgp neighbors json', readNeighbors);
      sessions = new Map(found.map((session) => [session.neighbor, session]));
      this.#sessionsAtMs = nowMs;
    }
    if (!this.#running) return;
    const difference = this.#differenceTo(tables, sessions);
    const isNews = !this.#reachable || isSomething(difference);
    this.#reachable = true;
    this.#generation = vty.generation;
    this.#tables = tables;
    this.#sessions = sessions;
    this.#sessionsSign = sign;
    if (!isNews) return;
    this.#movedAtMs = nowMs;
    this.#parts.changed(difference);
  }

  #summary(family: Family): Promise<BgpSummary> {
    return this.#parts.vty.showJson(`show bgp ${family} unicast summary json`, readSummary);
  }

  #differenceTo(
    tables: Readonly<Record<Family, KnownTable>>,
    sessions: ReadonlyMap<string, BgpSession>,
  ): BgpDifference {
    const best = new Map<string, BestPath>();
    const bestGone: string[] = [];
    for (const family of families) {
      const before = this.#tables[family].best;
      const after = tables[family].best;
      if (before === after) continue;
      for (const [prefix, path] of after) if (!isSameBest(path, before.get(prefix))) best.set(prefix, path);
      for (const prefix of before.keys()) if (!after.has(prefix)) bestGone.push(prefix);
    }
    return {
      reachable: true,
      sessions: [...sessions.values()].filter((one) => !isSame(one, this.#sessions.get(one.neighbor))),
      sessionsGone: [...this.#sessions.keys()].filter((neighbor) => !sessions.has(neighbor)),
      best,
      bestGone,
    };
  }
}

const nothing: BgpDifference = {
  reachable: true,
  sessions: [],
  sessionsGone: [],
  best: new Map(),
  bestGone: [],
};

function isSomething({ sessions, sessionsGone, best, bestGone }: BgpDifference): boolean {
  return sessions.length + sessionsGone.length + best.size + bestGone.length > 0;
}

/** An uptime that went back is another session; one that went on is the same. */
function isSame(one: BgpSession, before: BgpSession | undefined): boolean {
  if (before === undefined || (one.uptimeSeconds ?? 0) < (before.uptimeSeconds ?? 0)) return false;
  return isDeepStrictEqual({ ...one, uptimeSeconds: null }, { ...before, uptimeSeconds: null });
}
