// The bgpd of one network: its configuration, its observed sessions and routes, and the paths that follow from them.
import { bgpConvergingMs, frrSaidMax } from '@powernode/core/limits/agent';
import { readConfig } from '@powernode/core/routing/config-lines';
import { diffConfig } from '@powernode/core/routing/diff';
import type { NetworkDecisions } from '../plan/bgp-decisions.ts';
import type { Clock } from '../ports/clock.ts';
import { type BgpSession, readNeighbors } from '../subsystems/frr/answers.ts';
import { type Applied, FrrConfig } from '../subsystems/frr/apply.ts';
import { BgpObserver } from '../subsystems/frr/observe.ts';
import { Vty } from '../subsystems/frr/vty.ts';
import { Convergence } from './convergence.ts';
import { RefusalWatch } from './refusal-watch.ts';
import type { Refusal } from './refusals.ts';
import { EstablishedTimes, type SessionsView } from './sessions.ts';
import type { WantedBgp } from './wanted-bgp.ts';

export interface BgpNetworkParts {
  readonly network: string;
  /** Where its bgpd is asked. */
  readonly vtyPath: string;
  readonly clock: Clock;
  /** Routes or sessions have changed, so path selection may decide otherwise. */
  readonly decided: () => void;
  /** Sessions differ from before. */
  readonly sessionsChanged: () => void;
}

/** The lines from the running configuration, as FRR prints it, to the rendered one. */
export const frrDiff = (running: string, wanted: string) =>
  diffConfig(readConfig(running), readConfig(wanted));

export class BgpNetwork implements SessionsView {
  readonly #parts: BgpNetworkParts;
  readonly #vty: Vty;
  readonly #config: FrrConfig;
  readonly #observer: BgpObserver;
  readonly #convergence: Convergence;
  readonly #established = new EstablishedTimes();
  readonly #refusals: RefusalWatch;
  /** Addresses of neighbors that the document names. */
  #neighbors: ReadonlySet<string> = new Set();
  #cancel: (() => void) | null = null;

  constructor(parts: BgpNetworkParts) {
    const { network, vtyPath, clock } = parts;
    this.#parts = parts;
    this.#vty = new Vty({ path: vtyPath, daemon: `bgpd of network ${network}`, clock });
    this.#config = new FrrConfig(this.#vty, frrDiff);
    this.#convergence = new Convergence(clock.monotonicMs());
    this.#refusals = new RefusalWatch({ vty: this.#vty, clock, changed: parts.sessionsChanged });
    this.#observer = new BgpObserver({
      vty: this.#vty,
      clock,
      changed: ({ sessions, sessionsGone, reachable }) => {
        for (const one of sessions) this.#established.take(one, clock.nowMs());
        if (sessions.length + sessionsGone.length > 0 || !reachable) parts.sessionsChanged();
        this.#consider();
      },
    });
  }

  /** null: preferences decide. */
  get decisions(): NetworkDecisions | null {
    return this.#convergence.isDeciding ? this.#convergence : null;
  }

  get isReachable(): boolean {
    return this.#observer.reachable;
  }

  /** By the neighbor's address. */
  get sessions(): ReadonlyMap<string, BgpSession> {
    return this.#observer.sessions;
  }

  get establishedAtMs(): ReadonlyMap<string, number> {
    return this.#established.all;
  }

  refusalOf(neighbor: string): Refusal | null | undefined {
    return this.#refusals.of(neighbor);
  }

  /** Fails when bgpd is not there; may then be repeated. */
  async apply({
    text,
    neighbors,
    filters,
  }: Pick<WantedBgp, 'text' | 'neighbors' | 'filters'>): Promise<Applied> {
    this.#neighbors = neighbors;
    const applied = await this.#config.apply(text);
    this.#observer.start();
    if (applied.kind !== 'refused') this.#refusals.expect(filters);
    this.#consider();
    return applied;
  }

  /**
   * Clears the session with a neighbor, as bgpd has it at this moment: one that is established by a soft reset, which asks
   * for its paths again (RFC 2918) and ends nothing. null: bgpd has no such session. Fails when bgpd is not there.
   */
  async clear(neighbor: string): Promise<'soft' | 'hard' | null> {
    const found = await this.#vty.showJson('show bgp neighbors json', readNeighbors);
    const session = found.find((one) => one.neighbor === neighbor);
    if (session === undefined) return null;
    const how = session.state === 'Established' ? 'soft' : 'hard';
    await this.#vty.show(how === 'soft' ? `clear bgp ${neighbor} soft` : `clear bgp ${neighbor}`);
    return how;
  }

  stop(): void {
    this.#observer.stop();
    this.#refusals.stop();
    this.#cancel?.();
    this.#cancel = null;
    this.#vty.close();
  }

  #consider(): void {
    const { clock } = this.#parts;
    const { reachable, generation, tables, sessions } = this.#observer;
    const view = {
      ...{ reachable, generation, tables },
      sessions: [...sessions.values()].filter(({ neighbor }) => this.#neighbors.has(neighbor)),
      wanted: this.#neighbors.size,
    };
    if (this.#convergence.take(view, clock.monotonicMs())) this.#parts.decided();
    this.#cancel?.();
    this.#cancel = this.#convergence.isWaiting ? clock.after(bgpConvergingMs, () => this.#consider()) : null;
  }
}

export function refusalText({ refusal, restored }: Extract<Applied, { kind: 'refused' }>): string {
  const outcome = restored
    ? 'The configuration before stays.'
    : 'The configuration before could not be restored as a whole.';
  return `FRR refused "${refusal.line.slice(0, frrSaidMax)}": ${refusal.said} ${outcome}`;
}
