// Those who probe this node, as a hub sees them: whether their probes arrive, and by which way. A spoke whose probes
// cease to come straight, and go on coming by way of another hub, is to be sent its packets by way of that one (a
// backup path). Without sockets and without a clock of its own; times are those of a StarvationCompensatedClock.
import {
  probeDeadMs,
  probeIntervalMs,
  probePaceMaxMs,
  probeSourceKeptMs,
  probeSourcesMax,
  probesPerSecondMax,
} from '@powernode/core/limits/probe';
import { isHeard, PathJudge, type PathState } from './judge.ts';

/** One source as others are told of it. */
export interface SourceChange {
  readonly address: string;
  readonly state: PathState;
  /** The relay by way of which its packets are to go; null: straight. */
  readonly backupVia: string | null;
  /** For how long nothing was heard straight from it. */
  readonly silentMs: number;
}

/** Probes of a source that a relay carried since the last one that came straight, without a break. */
interface Carrying {
  readonly sinceMs: number;
  readonly lastMs: number;
  readonly count: number;
}

class Source {
  readonly judge = new PathJudge(probeDeadMs);
  readonly carrying = new Map<string, Carrying>();
  backupVia: string | null = null;
  seenAtMs = 0;
  network = '';
  readonly bornAtMs: number;
  /** Of what was told last. */
  told: PathState = 'untried';
  toldBackup: string | null = null;

  constructor(runMs: number) {
    this.bornAtMs = runMs;
  }
}

/** Heard by way of a relay for so long, and never straight: then it is not about to be. */
const lostFromTheStartMs = 2 * probeDeadMs;
/**
 * A relay is taken when it has carried so many probes for so long, and none came straight meanwhile. When a link has
 * just healed, or a machine goes on after a pause, both ways begin within one interval.
 */
const carryingSteadyMs = 2 * probeIntervalMs;
const carryingSteadyCount = 3;

export class Sources {
  readonly #sources = new Map<string, Source>();
  #paceMs = 0;
  #pacedAtMs = 0;

  /** Milliseconds between probes that are asked of everybody, because there are so many. 0: as usual. */
  get paceMs(): number {
    return this.#paceMs;
  }

  /**
   * Nobody probes a node that is no hub (any more). That silence says nothing of the ways to those who did, so of
   * networks other than these nothing is remembered.
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
      const before = source.carrying.get(at.relay);
      const goesOn = before !== undefined && at.runMs - before.lastMs <= probeDeadMs + this.#paceMs;
      const { sinceMs, count } = goesOn ? before : { sinceMs: at.runMs, count: 0 };
      source.carrying.set(at.relay, { sinceMs, lastMs: at.runMs, count: count + 1 });
      return;
    }
    // Answers that go by a backup path do not show the other side that the straight way works, so it cannot say so.
    if (!at.heard && source.backupVia === null) return;
    source.judge.heard(at.runMs);
    for (const [relay, carrying] of source.carrying) {
      source.carrying.set(relay, { ...carrying, sinceMs: at.runMs, count: 0 });
    }
  }

  isOnDetour(address: string): boolean {
    return (this.#sources.get(address)?.backupVia ?? null) !== null;
  }

  /** Judges all, and answers with what changed since the last time. */
  judge(at: {
    readonly runMs: number;
    /** How many times as long as usual a silence has to last. */
    readonly patience: number;
    readonly isRelayAlive: (relay: string) => boolean;
  }): SourceChange[] {
    const changes: SourceChange[] = [];
    const deadMs = Math.max(probeDeadMs, (this.#paceMs * probeDeadMs) / probeIntervalMs);
    for (const [address, source] of this.#sources) {
      source.judge.judge(at.runMs, deadMs * at.patience);
      const isGone = at.runMs - source.seenAtMs > probeSourceKeptMs;
      const { runMs, isRelayAlive } = at;
      source.backupVia = isGone ? null : chooseBackup(source, { runMs, isRelayAlive, deadMs });
      const state = isGone ? 'untried' : source.judge.state;
      if (isGone) this.#sources.delete(address);
      if (state === source.told && source.backupVia === source.toldBackup) continue;
      source.told = state;
      source.toldBackup = source.backupVia;
      const silentMs = Math.round(at.runMs - Math.max(source.judge.heardAtMs, source.bornAtMs));
      changes.push({ address, state, backupVia: source.backupVia, silentMs });
    }
    this.#setPace(at.runMs);
    return changes;
  }

  #admit(address: string, runMs: number): Source | undefined {
    if (this.#sources.size >= probeSourcesMax) return undefined;
    const source = new Source(runMs);
    this.#sources.set(address, source);
    return source;
  }

  /** Counted once a second: how many streams of probes there are. */
  #setPace(runMs: number): void {
    if (runMs - this.#pacedAtMs < 1000) return;
    this.#pacedAtMs = runMs;
    let streams = 0;
    for (const source of this.#sources.values()) {
      if (runMs - source.seenAtMs <= 2 * probePaceMaxMs) streams += 1 + source.carrying.size;
    }
    const paceMs = Math.ceil((streams * 1000) / probesPerSecondMax);
    this.#paceMs = paceMs <= probeIntervalMs ? 0 : Math.min(paceMs, probePaceMaxMs);
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
  const { state } = source.judge;
  if (state === 'alive') return null;
  const carries = (relay: string) => {
    const { lastMs } = source.carrying.get(relay) ?? { lastMs: Number.NEGATIVE_INFINITY };
    return at.runMs - lastMs <= at.deadMs && at.isRelayAlive(relay);
  };
  if (source.backupVia !== null && carries(source.backupVia)) return source.backupVia;
  // Heard again: another backup path would only be for the moments until it is trusted.
  if (isHeard(state)) return null;
  const longEnoughMs = state === 'dead' ? carryingSteadyMs : lostFromTheStartMs;
  for (const [relay, { sinceMs, lastMs, count }] of source.carrying) {
    if (count < carryingSteadyCount || lastMs - sinceMs < longEnoughMs) continue;
    if (carries(relay)) return relay;
  }
  return null;
}
