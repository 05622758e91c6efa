// The paths that this node probes: when the next probe of each is due, and its state by its answers. Without sockets
// and without a clock of its own; times are those of a StarvationCompensatedClock.
import { roundTripGain } from '@powernode/core/limits/anycast';
import { probeUntriedMs } from '@powernode/core/limits/presence';
import {
  directProbeDeadMs,
  directProbeIntervalMs,
  probeDeadMs,
  probeHoldMs,
  probeIntervalMaxMs,
  probeIntervalMs,
} from '@powernode/core/limits/probe';
import type { HubPathState } from '@powernode/core/presence/evaluate-peer';
import type { TargetConfig } from './config.ts';
import { isHeard, type PathState, PathTracker } from './path-state.ts';
import { type Forwarding, type TunnelFacts, tunnelStates } from './tunnel-state.ts';

const probeTimings = {
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

/** The state of a tunnel to a hub, as it is reported to the platform. */
export interface TunnelReport {
  readonly tunnel: string;
  readonly state: HubPathState;
  /** For how long it has been so. */
  readonly forMs: number;
}

export class Target {
  readonly config: TargetConfig;
  readonly tracker: PathTracker;
  nextAtMs: number;
  /** Of a path: which of the hubs is preferred, the first one 0. */
  rank: number;
  rttMs: number | null = null;
  /** Smoothed; null: nothing was ever heard. */
  roundTripMs: number | null = null;
  /** Milliseconds between probes that the other side asked for. */
  requestedIntervalMs = 0;
  /** Of forwarding: since when both hubs have been there. */
  supportedSinceMs: number | null = null;
  /** Of a hub's own path: it was last found not to forward. */
  isNotForwarding = false;
  state: PathState = 'untried';
  changedAtMs: number;
  readonly bornAtMs: number;
  /** When the last probes were sent, by their sequence numbers. */
  readonly #sentAtMs = new Map<number, number>();
  #sequence = 0;

  /** `firstHoldMs`: how long it is in `returning` the first time. */
  constructor(config: TargetConfig, runMs: number, firstHoldMs: number) {
    this.config = config;
    this.rank = config.rank;
    this.tracker = new PathTracker(firstHoldMs);
    this.nextAtMs = runMs;
    this.changedAtMs = runMs;
    this.bornAtMs = runMs;
  }

  get intervalMs(): number {
    return Math.max(
      probeTimings[this.config.purpose].intervalMs,
      Math.min(this.requestedIntervalMs, probeIntervalMaxMs),
    );
  }

  get deadMs(): number {
    const timings = probeTimings[this.config.purpose];
    return (timings.deadMs * this.intervalMs) / timings.intervalMs;
  }

  /** The number of a probe that is sent now; the time is the one of the clock that leases are counted by. */
  send(nowMs: number): number {
    const sequence = ++this.#sequence;
    this.#sentAtMs.set(sequence, nowMs);
    this.#sentAtMs.delete(sequence - probesRememberedMax);
    return sequence;
  }

  /** The round trip of one probe. */
  measured(rttMs: number): void {
    this.rttMs = rttMs;
    const before = this.roundTripMs ?? rttMs;
    this.roundTripMs = before + (rttMs - before) * roundTripGain;
  }

  /** When the probe of that number was sent; null: too long ago, or never. */
  sentAtMs(sequence: number): number | null {
    return this.#sentAtMs.get(sequence) ?? null;
  }

  /** Heard so lately that at most one answer is missing. */
  isFresh(runMs: number): boolean {
    return runMs - this.tracker.heardAtMs < this.deadMs / 2;
  }

  /** Nothing was ever heard, and there was time for it. */
  isUnanswered(runMs: number): boolean {
    return this.tracker.state === 'untried' && runMs - this.bornAtMs >= probeUntriedMs;
  }

  /** Answers are missing: it is probed more often, so that a few lost packets are not taken for a dead path. */
  isUrgent(runMs: number): boolean {
    return isHeard(this.tracker.state) && this.requestedIntervalMs === 0 && !this.isFresh(runMs);
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
      const firstHoldMs =
        known === undefined && isBesideHeardPath(config, before)
          ? probeHoldMs
          : probeTimings[config.purpose].deadMs;
      const target =
        known !== undefined && isSame(known.config, config)
          ? known
          : new Target(config, firstAtMs, firstHoldMs);
      target.rank = config.rank;
      this.#targets.set(config.target, target);
      if (config.purpose === 'forwarding') return;
      this.#byGoal.set(config.goal, target);
      this.#byTunnel.set(config.tunnel, target);
    });
  }

  get(address: string): Target | undefined {
    return this.#targets.get(address);
  }

  /** The smoothed round trip to the hub of a network that is preferred of those that are heard; null: not known. */
  roundTripToHub(network: string): number | null {
    let best: Target | null = null;
    for (const target of this.#byTunnel.values()) {
      const { config, tracker } = target;
      if (config.network !== network || config.purpose !== 'path' || !isHeard(tracker.state)) continue;
      if (best === null || target.rank < best.rank) best = target;
    }
    return best?.roundTripMs ?? null;
  }

  /** Those that a node itself is met at, straight. */
  *straight(): Generator<Target> {
    for (const target of this.#targets.values()) if (target.config.purpose !== 'forwarding') yield target;
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

  /** `timeoutFactor`: multiplies the time after which a silent path is dead. */
  update(runMs: number, timeoutFactor: number): void {
    for (const target of this.#targets.values()) {
      if (target.config.purpose === 'forwarding') this.#updateForwarding(target, runMs);
      else target.tracker.update(runMs, target.deadMs * timeoutFactor);
      if (target.state === target.tracker.state) continue;
      target.state = target.tracker.state;
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
        path: target.tracker.state,
        forwarding: [],
        wasNotForwarding: target.isNotForwarding,
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
      for (const [tunnel, { state, isNotForwarding }] of tunnelStates(facts)) {
        states.set(tunnel, state);
        const target = this.#byTunnel.get(tunnel);
        if (target !== undefined) target.isNotForwarding = isNotForwarding;
      }
    }
    return states;
  }

  /** Of all tunnels to hubs of which something can be said. To be called after `states`. */
  *tunnels(runMs: number): Generator<TunnelReport> {
    for (const [tunnel, { config, tracker, isNotForwarding, bornAtMs, deadMs }] of this.#byTunnel) {
      if (config.purpose !== 'path') continue;
      const heardMs = Math.max(tracker.heardAtMs, bornAtMs);
      const silentMs = Math.round(Math.max(runMs - heardMs, 0));
      if (isHeard(tracker.state)) {
        yield {
          tunnel,
          state: isNotForwarding ? 'forwards_nothing' : 'answers',
          forMs: isNotForwarding ? deadMs : 0,
        };
      } else if (tracker.state === 'dead' || silentMs >= probeUntriedMs) {
        yield { tunnel, state: 'silent', forMs: silentMs };
      }
    }
  }

  report(runMs: number): TargetReport[] {
    return [...this.#targets.values()].map((target) => ({
      target: target.config.target,
      tunnel: target.config.tunnel,
      purpose: target.config.purpose,
      state: target.tracker.state,
      forMs: runMs - target.changedAtMs,
      rttMs: target.rttMs,
    }));
  }

  /** Only when both hubs answer for themselves does silence mean that the first one does not forward to the second. */
  #updateForwarding(target: Target, runMs: number): void {
    const via = this.#byTunnel.get(target.config.tunnel);
    const goal = this.#byGoal.get(target.config.goal);
    if (via?.tracker.state !== 'alive' || goal?.tracker.state !== 'alive') {
      target.supportedSinceMs = null;
      target.tracker.resetDeadline(runMs);
      return;
    }
    target.supportedSinceMs ??= runMs;
    // When a hub dies, what goes through it falls silent with it, and a moment sooner as chance has it.
    if (via.isFresh(runMs) && goal.isFresh(runMs)) target.tracker.update(runMs, target.deadMs);
  }
}

function factsOf(target: Target, runMs: number): Forwarding {
  const sinceMs = target.supportedSinceMs;
  return {
    state: target.tracker.state,
    isSupported: sinceMs !== null,
    isOverdue: sinceMs !== null && runMs - sinceMs >= probeHoldMs,
    isFresh: target.isFresh(runMs),
  };
}

function isSame(a: TargetConfig, b: TargetConfig): boolean {
  return a.tunnel === b.tunnel && a.purpose === b.purpose && a.source === b.source && a.goal === b.goal;
}

/**
 * A path to a hub that others may still be without a tunnel to: nothing of what another hub carries is moved to it before
 * they had time for that.
 */
function isBesideHeardPath(config: TargetConfig, before: ReadonlyMap<string, Target>): boolean {
  if (config.purpose !== 'path') return false;
  return [...before.values()].some(
    ({ config: other, tracker }) =>
      other.purpose === 'path' && other.network === config.network && isHeard(tracker.state),
  );
}
