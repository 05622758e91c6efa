// The paths that this node probes: when each is sent its next probe, and what its answers say. Without sockets and
// without a clock of its own; times are those of a StarvationCompensatedClock.
import { probeUntriedMs } from '@powernode/core/limits/presence';
import {
  directProbeDeadMs,
  directProbeIntervalMs,
  probeDeadMs,
  probeHoldMs,
  probeIntervalMs,
  probePaceMaxMs,
} from '@powernode/core/limits/probe';
import type { HubPathState } from '@powernode/core/presence/evaluate-peer';
import type { TargetConfig } from './config.ts';
import { isHeard, PathJudge, type PathState } from './judge.ts';
import { type Forwarding, type TunnelFacts, verdicts } from './verdict.ts';

const rhythms = {
  path: { intervalMs: probeIntervalMs, deadMs: probeDeadMs },
  forwarding: { intervalMs: probeIntervalMs, deadMs: probeDeadMs },
  direct: { intervalMs: directProbeIntervalMs, deadMs: directProbeDeadMs },
} as const;

/** Probes whose time of sending is remembered: 4 s of them, so that slow answers have their round trip. */
const probesRememberedMax = 32;

/** One path as it is shown to people. */
export interface TargetReport {
  readonly target: string;
  readonly tunnel: string;
  readonly purpose: TargetConfig['purpose'];
  readonly state: PathState;
  /** For how long it has been so. */
  readonly forMs: number;
  /** The last round trip; null: nothing was ever heard. */
  readonly rttMs: number | null;
}

/** How a tunnel to a hub does, as the platform is told. */
export interface TunnelReport {
  readonly tunnel: string;
  readonly state: HubPathState;
  /** For how long it has been so. */
  readonly forMs: number;
}

export class Target {
  readonly config: TargetConfig;
  readonly judge: PathJudge;
  nextAtMs: number;
  rttMs: number | null = null;
  /** Milliseconds between probes that the other side asked for. */
  paceMs = 0;
  /** Of forwarding: since when both hubs have been there. */
  supportedSinceMs: number | null = null;
  /** Of a hub's own path: it was last found not to forward. */
  isDisproved = false;
  state: PathState = 'untried';
  changedAtMs: number;
  readonly bornAtMs: number;
  /** When the last probes were sent, by their sequence numbers. */
  readonly #sentAtMs = new Map<number, number>();
  #sequence = 0;

  constructor(config: TargetConfig, runMs: number) {
    this.config = config;
    this.judge = new PathJudge(rhythms[config.purpose].deadMs);
    this.nextAtMs = runMs;
    this.changedAtMs = runMs;
    this.bornAtMs = runMs;
  }

  get intervalMs(): number {
    return Math.max(rhythms[this.config.purpose].intervalMs, Math.min(this.paceMs, probePaceMaxMs));
  }

  get deadMs(): number {
    const rhythm = rhythms[this.config.purpose];
    return (rhythm.deadMs * this.intervalMs) / rhythm.intervalMs;
  }

  /** The number of a probe that is sent now; the time is the one of the clock that leases are counted by. */
  send(nowMs: number): number {
    const sequence = ++this.#sequence;
    this.#sentAtMs.set(sequence, nowMs);
    this.#sentAtMs.delete(sequence - probesRememberedMax);
    return sequence;
  }

  /** When the probe of that number was sent; null: too long ago, or never. */
  sentAtMs(sequence: number): number | null {
    return this.#sentAtMs.get(sequence) ?? null;
  }

  /** Heard so lately that at most one answer is missing. */
  isFresh(runMs: number): boolean {
    return runMs - this.judge.heardAtMs < this.deadMs / 2;
  }

  /** Nothing was ever heard, and there was time for it. */
  isUnanswered(runMs: number): boolean {
    return this.judge.state === 'untried' && runMs - this.bornAtMs >= probeUntriedMs;
  }

  /** Answers are missing: it is asked more often, so that a few lost packets are not taken for a dead path. */
  isUrgent(runMs: number): boolean {
    return isHeard(this.judge.state) && this.paceMs === 0 && !this.isFresh(runMs);
  }
}

export class Targets {
  #targets = new Map<string, Target>();
  /** Which target shows whether a hub is there, by its goal, and by the tunnel to it. */
  #byGoal = new Map<string, Target>();
  #byTunnel = new Map<string, Target>();

  /** What is known of targets that stay is kept. */
  configure(configs: readonly TargetConfig[], runMs: number): void {
    const before = this.#targets;
    this.#targets = new Map();
    this.#byGoal = new Map();
    this.#byTunnel = new Map();
    configs.forEach((config, i) => {
      const known = before.get(config.target);
      // Probes of one turn are spread over it.
      const firstAtMs = runMs + (i * probeIntervalMs) / configs.length;
      const target =
        known !== undefined && isSame(known.config, config) ? known : new Target(config, firstAtMs);
      this.#targets.set(config.target, target);
      if (config.purpose === 'forwarding') return;
      this.#byGoal.set(config.goal, target);
      this.#byTunnel.set(config.tunnel, target);
    });
  }

  get(address: string): Target | undefined {
    return this.#targets.get(address);
  }

  /** Those to be sent a probe now. */
  due(runMs: number): Target[] {
    const due: Target[] = [];
    for (const target of this.#targets.values()) {
      if (target.nextAtMs > runMs && !target.isUrgent(runMs)) continue;
      const plannedMs = Math.min(target.nextAtMs, runMs) + target.intervalMs;
      target.nextAtMs = Math.max(plannedMs, runMs + target.intervalMs / 2);
      due.push(target);
    }
    return due;
  }

  /** `patience`: how many times as long as usual a silence has to last. */
  judge(runMs: number, patience: number): void {
    for (const target of this.#targets.values()) {
      if (target.config.purpose === 'forwarding') this.#judgeForwarding(target, runMs);
      else target.judge.judge(runMs, target.deadMs * patience);
      if (target.state === target.judge.state) continue;
      target.state = target.judge.state;
      target.changedAtMs = runMs;
    }
  }

  /** The states of all tunnels that are probed. */
  states(runMs: number): Map<string, PathState> {
    const networks = new Map<string, Map<string, TunnelFacts>>();
    for (const [tunnel, target] of this.#byTunnel) {
      const { network, purpose } = target.config;
      const facts = networks.get(network) ?? new Map<string, TunnelFacts>();
      facts.set(tunnel, {
        path: target.judge.state,
        forwarding: [],
        wasDisproved: target.isDisproved,
        isHub: purpose === 'path',
        isUnanswered: target.isUnanswered(runMs),
      });
      networks.set(network, facts);
    }
    for (const target of this.#targets.values()) {
      const { network, tunnel, purpose } = target.config;
      const facts = networks.get(network);
      const known = facts?.get(tunnel);
      if (purpose !== 'forwarding' || facts === undefined || known === undefined) continue;
      facts.set(tunnel, { ...known, forwarding: [...known.forwarding, factsOf(target, runMs)] });
    }
    const states = new Map<string, PathState>();
    for (const facts of networks.values()) {
      for (const [tunnel, { state, isDisproved }] of verdicts(facts)) {
        states.set(tunnel, state);
        const target = this.#byTunnel.get(tunnel);
        if (target !== undefined) target.isDisproved = isDisproved;
      }
    }
    return states;
  }

  /** Of all tunnels to hubs of which something can be said. To be called after `states`. */
  *tunnels(runMs: number): Generator<TunnelReport> {
    for (const [tunnel, { config, judge, isDisproved, bornAtMs, deadMs }] of this.#byTunnel) {
      if (config.purpose !== 'path') continue;
      const heardMs = Math.max(judge.heardAtMs, bornAtMs);
      const silentMs = Math.round(Math.max(runMs - heardMs, 0));
      if (isHeard(judge.state)) {
        yield {
          tunnel,
          state: isDisproved ? 'forwards_nothing' : 'answers',
          forMs: isDisproved ? deadMs : 0,
        };
      } else if (judge.state === 'dead' || silentMs >= probeUntriedMs) {
        yield { tunnel, state: 'silent', forMs: silentMs };
      }
    }
  }

  report(runMs: number): TargetReport[] {
    return [...this.#targets.values()].map((target) => ({
      target: target.config.target,
      tunnel: target.config.tunnel,
      purpose: target.config.purpose,
      state: target.judge.state,
      forMs: runMs - target.changedAtMs,
      rttMs: target.rttMs,
    }));
  }

  /** Only when both hubs answer for themselves does silence mean that the first one does not forward to the second. */
  #judgeForwarding(target: Target, runMs: number): void {
    const via = this.#byTunnel.get(target.config.tunnel);
    const goal = this.#byGoal.get(target.config.goal);
    if (via?.judge.state !== 'alive' || goal?.judge.state !== 'alive') {
      target.supportedSinceMs = null;
      target.judge.forgive(runMs);
      return;
    }
    target.supportedSinceMs ??= runMs;
    // When a hub dies, what goes through it falls silent with it, and a moment sooner as chance has it.
    if (via.isFresh(runMs) && goal.isFresh(runMs)) target.judge.judge(runMs, target.deadMs);
  }
}

function factsOf(target: Target, runMs: number): Forwarding {
  const sinceMs = target.supportedSinceMs;
  return {
    state: target.judge.state,
    isSupported: sinceMs !== null,
    isOverdue: sinceMs !== null && runMs - sinceMs >= probeHoldMs,
    isFresh: target.isFresh(runMs),
  };
}

function isSame(a: TargetConfig, b: TargetConfig): boolean {
  return a.tunnel === b.tunnel && a.purpose === b.purpose && a.source === b.source && a.goal === b.goal;
}
