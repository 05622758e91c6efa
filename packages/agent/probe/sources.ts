// The sources of probes to this node, which is a hub: whether their probes arrive, and by which path. A spoke whose
// probes cease to come straight, and go on coming by way of another hub, is to be sent its packets by way of that one
// (a backup path). Without sockets and without a clock of its own; times are those of a StarvationCompensatedClock.
import {
  probeDeadMs,
  probeIntervalMaxMs,
  probeIntervalMs,
  probeSourceKeptMs,
  probeSourcesMax,
  probesPerSecondMax,
} from '@powernode/core/limits/probe';
import { isHeard, type PathState, PathTracker } from './path-state.ts';

/** A source as it is reported. */
export interface SourceChange {
  readonly address: string;
  readonly state: PathState;
  /** The relay by way of which its packets are to go; null: straight. */
  readonly backupVia: string | null;
  /** For how long nothing was heard straight from it. */
  readonly silentMs: number;
}

/** Probes of a source that a relay carried since the last one that came straight, without a break. */
interface RelayedProbes {
  readonly sinceMs: number;
  readonly lastMs: number;
  readonly count: number;
}

class Source {
  readonly tracker = new PathTracker(probeDeadMs);
  readonly relayed = new Map<string, RelayedProbes>();
  backupVia: string | null = null;
  seenAtMs = 0;
  network = '';
  readonly bornAtMs: number;
  /** The state that was reported last. */
  reported: PathState = 'untried';
  reportedBackup: string | null = null;

  constructor(runMs: number) {
    this.bornAtMs = runMs;
  }
}

/** Heard by way of a relay for so long, and never straight: then it is not about to be. */
const neverStraightMs = 2 * probeDeadMs;
/**
 * A relay is taken when it has carried so many probes for so long, and none came straight meanwhile. When a link has
 * just healed, or a machine goes on after a pause, both ways begin within one interval.
 */
const relaySteadyMs = 2 * probeIntervalMs;
const relaySteadyCount = 3;

export class Sources {
  readonly #sources = new Map<string, Source>();
  #requestedIntervalMs = 0;
  #countedAtMs = 0;

  /** The interval that is requested of all sources, because there are so many. 0: the usual one. */
  get requestedIntervalMs(): number {
    return this.#requestedIntervalMs;
  }

  /**
   * A node that is no hub (any more) is not probed. That silence says nothing of the paths to earlier sources, so
   * sources of networks other than these are forgotten.
   */
  keepNetworks(networks: ReadonlySet<string>): void {
    for (const source of this.#sources.values()) {
      if (!networks.has(source.network)) source.seenAtMs = Number.NEGATIVE_INFINITY;
    }
  }

  /** `relay`: by way of which it came; null: straight. `heard`: the other side hears our answers. */
  heard(at: {
    readonly network: string;
    readonly address: string;
    readonly relay: string | null;
    readonly heard: boolean;
    readonly runMs: number;
  }): void {
    const source = this.#sources.get(at.address) ?? this.#admit(at.address, at.runMs);
    if (source === undefined) return;
    source.seenAtMs = at.runMs;
    source.network = at.network;
    if (at.relay !== null) {
      const before = source.relayed.get(at.relay);
      const goesOn =
        before !== undefined && at.runMs - before.lastMs <= probeDeadMs + this.#requestedIntervalMs;
      const { sinceMs, count } = goesOn ? before : { sinceMs: at.runMs, count: 0 };
      source.relayed.set(at.relay, { sinceMs, lastMs: at.runMs, count: count + 1 });
      return;
    }
    // Answers that go by a backup path do not show the other side that the straight way works, so it cannot say so.
    if (!at.heard && source.backupVia === null) return;
    source.tracker.heard(at.runMs);
    for (const [relay, relayed] of source.relayed) {
      source.relayed.set(relay, { ...relayed, sinceMs: at.runMs, count: 0 });
    }
  }

  hasBackupPath(address: string): boolean {
    return (this.#sources.get(address)?.backupVia ?? null) !== null;
  }

  /** Updates the state of all sources, and returns what changed since the last time. */
  update(at: {
    readonly runMs: number;
    /** Multiplies the time after which a silent source is dead. */
    readonly timeoutFactor: number;
    readonly isRelayAlive: (relay: string) => boolean;
  }): SourceChange[] {
    const changes: SourceChange[] = [];
    const deadMs = Math.max(probeDeadMs, (this.#requestedIntervalMs * probeDeadMs) / probeIntervalMs);
    for (const [address, source] of this.#sources) {
      source.tracker.update(at.runMs, deadMs * at.timeoutFactor);
      const isGone = at.runMs - source.seenAtMs > probeSourceKeptMs;
      const { runMs, isRelayAlive } = at;
      source.backupVia = isGone ? null : chooseBackup(source, { runMs, isRelayAlive, deadMs });
      const state = isGone ? 'untried' : source.tracker.state;
      if (isGone) this.#sources.delete(address);
      if (state === source.reported && source.backupVia === source.reportedBackup) continue;
      source.reported = state;
      source.reportedBackup = source.backupVia;
      const silentMs = Math.round(at.runMs - Math.max(source.tracker.heardAtMs, source.bornAtMs));
      changes.push({ address, state, backupVia: source.backupVia, silentMs });
    }
    this.#updateRequestedInterval(at.runMs);
    return changes;
  }

  #admit(address: string, runMs: number): Source | undefined {
    if (this.#sources.size >= probeSourcesMax) return undefined;
    const source = new Source(runMs);
    this.#sources.set(address, source);
    return source;
  }

  /** Counted once a second: how many streams of probes there are. */
  #updateRequestedInterval(runMs: number): void {
    if (runMs - this.#countedAtMs < 1000) return;
    this.#countedAtMs = runMs;
    let streams = 0;
    for (const source of this.#sources.values()) {
      if (runMs - source.seenAtMs <= 2 * probeIntervalMaxMs) streams += 1 + source.relayed.size;
    }
    const requestedIntervalMs = Math.ceil((streams * 1000) / probesPerSecondMax);
    this.#requestedIntervalMs =
      requestedIntervalMs <= probeIntervalMs ? 0 : Math.min(requestedIntervalMs, probeIntervalMaxMs);
  }
}

function chooseBackup(
  source: Source,
  at: {
    readonly runMs: number;
    readonly deadMs: number;
    readonly isRelayAlive: (relay: string) => boolean;
  },
): string | null {
  const { state } = source.tracker;
  if (state === 'alive') return null;
  const carries = (relay: string) => {
    const { lastMs } = source.relayed.get(relay) ?? { lastMs: Number.NEGATIVE_INFINITY };
    return at.runMs - lastMs <= at.deadMs && at.isRelayAlive(relay);
  };
  if (source.backupVia !== null && carries(source.backupVia)) return source.backupVia;
  // Heard again: another backup path would only be for the moments until it is trusted.
  if (isHeard(state)) return null;
  const longEnoughMs = state === 'dead' ? relaySteadyMs : neverStraightMs;
  for (const [relay, { sinceMs, lastMs, count }] of source.relayed) {
    if (count < relaySteadyCount || lastMs - sinceMs < longEnoughMs) continue;
    if (carries(relay)) return relay;
  }
  return null;
}
