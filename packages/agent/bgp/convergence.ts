// When BGP decides in a network: once its sessions have had their chance. Until then what it decided before holds, and
// where it never did, preferences decide. So neither a daemon that starts anew nor a switch from static routes to BGP
// takes a route away that packets use.
import { bgpChanceMs, bgpJoiningMs, bgpQuietMs } from '@powernode/core/limits/agent';
import type { NetworkDecisions } from '../plan/bgp-decisions.ts';
import type { BestPath, BgpSession } from '../subsystems/frr/answers.ts';

/** What is known of a bgpd at one moment. */
export interface BgpView {
  readonly reachable: boolean;
  /** Another number: another process, which may have forgotten everything. */
  readonly generation: number;
  /** Those of the document alone. */
  readonly sessions: readonly Pick<BgpSession, 'state' | 'uptimeSeconds'>[];
  /** How many sessions there are to be. */
  readonly wanted: number;
  readonly tables: readonly ReadonlyMap<string, BestPath>[];
}

type Tables = BgpView['tables'];

export class Convergence implements NetworkDecisions {
  /** What decides; null: preferences do. */
  #tables: Tables | null = null;
  #generation = -1;
  #isConverged = false;
  /** Since when sessions have their chance. */
  #sinceMs: number;
  #tablesSeen: Tables = [];
  #movedAtMs = Number.NEGATIVE_INFINITY;
  /** Until then a prefix without a path goes the static way. */
  #joiningUntilMs = Number.NEGATIVE_INFINITY;
  #nowMs: number;

  constructor(nowMs: number) {
    this.#sinceMs = nowMs;
    this.#nowMs = nowMs;
  }

  /** Whether the decision can change by time alone. */
  get isWaiting(): boolean {
    return !this.#isConverged || this.#nowMs < this.#joiningUntilMs;
  }

  get isDeciding(): boolean {
    return this.#tables !== null;
  }

  /** Takes a view into account. Returns whether other decisions may follow from it. */
  take(view: BgpView, nowMs: number): boolean {
    const wasJoining = this.#nowMs < this.#joiningUntilMs;
    const before = this.#tables;
    this.#nowMs = nowMs;
    this.#observe(view, nowMs);
    return before !== this.#tables || wasJoining !== nowMs < this.#joiningUntilMs;
  }

  #observe(view: BgpView, nowMs: number): void {
    const isUp = view.sessions.some(({ state }) => state === 'Established');
    if (this.#isConverged && (!view.reachable || !isUp || view.generation !== this.#generation)) {
      this.#isConverged = false;
      this.#sinceMs = nowMs;
    }
    if (!view.reachable || !isUp) {
      // Without a session that is up, its last tables count for a while, and then BGP does not decide.
      if (nowMs - this.#sinceMs >= bgpChanceMs) this.#tables = null;
      return;
    }
    if (view.generation !== this.#generation || !isSame(view.tables, this.#tablesSeen))
      this.#movedAtMs = nowMs;
    this.#generation = view.generation;
    this.#tablesSeen = view.tables;
    if (!this.#isConverged && !this.#hasConverged(view, nowMs)) return;
    if (!this.#isConverged && this.#tables === null && !isLongUp(view))
      this.#joiningUntilMs = nowMs + bgpJoiningMs;
    this.#isConverged = true;
    if (this.#tables === null || !isSame(view.tables, this.#tables)) this.#tables = view.tables;
  }

  #hasConverged(view: BgpView, nowMs: number): boolean {
    const established = view.sessions.filter(({ state }) => state === 'Established');
    if (nowMs - this.#sinceMs >= bgpChanceMs) return true;
    if (established.length < view.wanted) return false;
    return isLongUp(view) || nowMs - this.#movedAtMs >= bgpQuietMs;
  }

  nextHops(prefix: string): readonly string[] | null {
    if (this.#tables === null) return null;
    for (const table of this.#tables) {
      const best = table.get(prefix);
      if (best !== undefined) return best.nextHops;
    }
    return this.#nowMs < this.#joiningUntilMs ? null : [];
  }
}

/** Sessions of a daemon that ran before the agent came: it has heard everything long ago. */
function isLongUp({ sessions, wanted }: BgpView): boolean {
  const up = sessions.filter(({ uptimeSeconds }) => (uptimeSeconds ?? 0) * 1000 >= bgpJoiningMs);
  return up.length >= wanted;
}

function isSame(a: Tables, b: Tables): boolean {
  return a.length === b.length && a.every((table, i) => table === b[i]);
}
