// The prober without sockets, threads and clocks: the probes that it sends, the states that follow from answers, and
// the reports to the agent. Simulations run it as it is; worker.ts gives it sockets and a clock.
import {
  probeDeadMs,
  probeIntervalMs,
  probePort,
  probeStarvedMs,
  probeTickMs,
} from '@powernode/core/limits/probe';
import { readProbeAddress } from '@powernode/core/net/probe-address';
import {
  type ClockTimings,
  StarvationCompensatedClock,
} from '@powernode/core/presence/starvation-compensated-clock';
import { type Probe, readProbe, readWithheld, writeProbe, writeWithheld } from '@powernode/core/wire/probe';
import type { AnsweringConfig, ProberConfig, RelayConfig } from './config.ts';
import { Holders } from './holders.ts';
import { type Claim, type LeasedAddress, Leases } from './leases.ts';
import type { FromProber, ProberNews, TunnelChange } from './messages.ts';
import type { SmallProbes } from './path-size.ts';
import { PathSizes } from './path-sizes.ts';
import { isHeard, type PathState } from './path-state.ts';
import { Sources } from './sources.ts';
import { type Target, type TargetReport, Targets, type TunnelReport } from './targets.ts';
import { type WatchChange, Watches } from './watches.ts';

export const probeClockTimings: ClockTimings = {
  tickMs: probeTickMs,
  starvedMs: probeStarvedMs,
  settleMs: probeIntervalMs,
};

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

export interface EngineOutput {
  /** From an address of this node: from the port of probes, or (null) from any. */
  send(
    bytes: Uint8Array,
    from: { readonly address: string; readonly port: number | null },
    to: Endpoint,
  ): void;
  post(message: FromProber): void;
  /** Writes to the kernel which leased addresses may be answered for. */
  writeLeases(addresses: readonly LeasedAddress[]): void;
}

export class Engine {
  readonly #output: EngineOutput;
  /** Drawn at the start; answers to an earlier run are not this one's. */
  readonly #run: bigint;
  readonly #clock: StarvationCompensatedClock;
  readonly #targets = new Targets();
  readonly #sizes = new PathSizes();
  readonly #sources = new Sources();
  readonly #watches = new Watches();
  readonly #leases = new Leases();
  readonly #holders = new Holders();
  readonly #reported = new Map<string, PathState>();
  readonly #reportedPaths = new Map<string, TunnelReport['state']>();
  #answering = new Map<string, AnsweringConfig>();
  #relays = new Map<string, RelayConfig>();
  /** When anything was heard last, from any peer. */
  #heardAtMs = Number.NEGATIVE_INFINITY;
  #watched: WatchChange[] = [];
  /** Addresses that this node holds and that are not to be sent to it now. */
  #withheld: readonly string[] = [];

  constructor(parts: { readonly output: EngineOutput; readonly run: bigint; readonly nowMs: number }) {
    this.#output = parts.output;
    this.#run = parts.run;
    this.#clock = new StarvationCompensatedClock(parts.nowMs, probeClockTimings);
  }

  configure(config: ProberConfig, nowMs: number): void {
    const runMs = this.#clock.at(nowMs);
    this.#targets.configure(config.targets, runMs);
    this.#sizes.configure(config.targets);
    this.#watches.configure(config.watches, runMs);
    this.#leases.configure(config.leases, nowMs);
    this.#holders.configure(config.holders);
    this.#answering = new Map(config.answering.map((one) => [one.address, one]));
    this.#relays = new Map(config.relays.map((one) => [one.interface, one]));
    const hubs = config.answering.filter((one) => one.purpose === 'hub');
    this.#sources.keepNetworks(new Set(hubs.map((one) => one.network)));
    this.#renewLeases(nowMs);
  }

  /** A datagram came to an address of this node. */
  received(bytes: Uint8Array, at: { readonly local: string; readonly from: Endpoint }, nowMs: number): void {
    const probe = readProbe(bytes);
    if (probe === null) return this.#takeWithheld(bytes, at);
    const runMs = this.#clock.at(nowMs);
    if (probe.kind === 'answer') this.#takeAnswer(probe, at.from, { nowMs, runMs });
    else this.#answer(probe, at, runMs);
  }

  /** From here on these addresses of this node are not to be sent to it. All who probe it or are probed know at once. */
  withhold(addresses: readonly string[]): void {
    this.#withheld = addresses;
    if (addresses.length === 0) return;
    for (const target of this.#targets.straight()) this.#sayWithheld(target);
  }

  /** One turn: sends what is due, updates states, reports changes. */
  tick(nowMs: number): void {
    const runMs = this.#clock.at(nowMs);
    for (const target of this.#targets.due(runMs)) this.#probe(target, nowMs);
    this.#measureSizes(nowMs, runMs);
    if (this.#clock.isSettled(runMs)) this.#evaluate(runMs);
    this.#renewLeases(nowMs);
  }

  /** The platform's acknowledgement of a renewal. */
  leaseAck(answer: { readonly sequence: number; readonly leases: readonly Claim[] }, nowMs: number): void {
    this.#leases.acknowledged(answer, nowMs);
    this.#writeLeases(nowMs);
  }

  confirmed(watched: readonly WatchChange[]): void {
    this.#watches.confirm(watched);
  }

  /** The kernel has lost what was written to it. */
  kernelStateLost(nowMs: number): void {
    this.#leases.kernelStateLost();
    this.#writeLeases(nowMs);
  }

  report(nowMs: number): TargetReport[] {
    return this.#targets.report(this.#clock.at(nowMs));
  }

  #probe(target: Target, nowMs: number): void {
    const { source, purpose, target: address } = target.config;
    const bytes = writeProbe({
      kind: 'probe',
      heard: isHeard(target.tracker.state),
      witness: false,
      withholds: this.#withheld.length > 0,
      requestedIntervalMs: 0,
      roundTripMs: this.#distanceTo(target),
      sequence: target.send(nowMs),
      sentAtMs: nowMs,
      run: this.#run,
    });
    // A spoke answers to where it is probed from; only the address for that is reached without a hub.
    const port = purpose === 'direct' ? probePort : null;
    this.#output.send(bytes, { address: source, port }, { address, port: probePort });
    if (this.#withheld.length > 0 && purpose !== 'forwarding') this.#sayWithheld(target);
  }

  #sayWithheld({ config: { source, purpose, target } }: Target): void {
    const port = purpose === 'direct' ? probePort : null;
    const to = { address: target, port: probePort };
    this.#output.send(writeWithheld(this.#withheld), { address: source, port }, to);
  }

  /** What the other side takes this node's distance for. Hubs are told alike, so that they choose alike. */
  #distanceTo({ config: { purpose, network }, roundTripMs }: Target): number | null {
    if (purpose === 'direct') return roundTripMs;
    return purpose === 'path' ? this.#targets.roundTripToHub(network) : null;
  }

  #measureSizes(nowMs: number, runMs: number): void {
    const smallOf = (address: string): SmallProbes => {
      const target = this.#targets.get(address);
      if (target === undefined || !isHeard(target.tracker.state)) return 'dead';
      return target.isFresh(runMs) ? 'answered' : 'missing';
    };
    for (const { config, size } of this.#sizes.due(nowMs, smallOf)) {
      const probe = {
        heard: true,
        witness: false,
        withholds: false,
        requestedIntervalMs: 0,
        roundTripMs: null,
        sequence: 0,
        sentAtMs: nowMs,
        run: this.#run,
      };
      const port = config.purpose === 'direct' ? probePort : null;
      const to = { address: config.target, port: probePort };
      this.#output.send(writeProbe({ kind: 'probe', ...probe, size }), { address: config.source, port }, to);
    }
    for (const [tunnel, size] of this.#sizes.found(nowMs))
      this.#output.post({ kind: 'path_size', tunnel, size });
  }

  #takeAnswer(probe: Probe, from: Endpoint, at: { readonly nowMs: number; readonly runMs: number }): void {
    const target = this.#targets.get(from.address);
    if (target === undefined || from.port !== probePort || probe.run !== this.#run) return;
    if (probe.size !== undefined) return this.#sizes.answered(from.address, probe.size);
    this.#heardAtMs = at.runMs;
    const sentAtMs = target.sentAtMs(probe.sequence);
    if (sentAtMs !== null && probe.witness) this.#leases.witnessed(from.address, sentAtMs);
    // It came by a backup path: the direct one may be broken in one direction.
    if (target.config.purpose === 'path' && !probe.heard) return;
    target.requestedIntervalMs = probe.requestedIntervalMs;
    if (sentAtMs !== null) target.measured(at.nowMs - sentAtMs);
    target.tracker.heard(at.runMs);
    const { purpose, goal } = target.config;
    if (purpose === 'forwarding') return;
    if (target.roundTripMs !== null) this.#holders.measured(goal, target.roundTripMs);
    this.#holders.heard(goal, { withholds: probe.withholds, roundTripMs: null });
  }

  #answer(probe: Probe, at: { readonly local: string; readonly from: Endpoint }, runMs: number): void {
    const answering = this.#answering.get(at.local);
    if (answering === undefined) return;
    if (probe.size !== undefined) {
      // Only whether it passes, in both directions; of nothing else is it a sign.
      const bytes = writeProbe({ ...probe, kind: 'answer', witness: false });
      return this.#output.send(bytes, { address: at.local, port: probePort }, at.from);
    }
    this.#heardAtMs = runMs;
    const { address } = at.from;
    const isStraight = this.#isStraight(answering, address);
    if (answering.purpose === 'hub') {
      const relay = isStraight ? null : answering.relay;
      this.#sources.heard({ network: answering.network, address, relay, heard: probe.heard, runMs });
    }
    const watch = { address, answeredAt: at.local };
    this.#holders.heard(holderAt(answering, address), probe);
    const { isWitness, change } = this.#watches.answering(watch, runMs);
    if (change !== null) this.#watched.push(change);
    const answer: Probe = {
      ...probe,
      kind: 'answer',
      heard: !(isStraight && this.#sources.hasBackupPath(address)),
      witness: isWitness,
      withholds: this.#withheld.length > 0,
      // Leases are too short for any interval but the usual one.
      requestedIntervalMs: this.#watches.isWatched(address, at.local) ? 0 : this.#sources.requestedIntervalMs,
    };
    this.#output.send(writeProbe(answer), { address: at.local, port: probePort }, at.from);
    if (this.#withheld.length === 0) return;
    this.#output.send(writeWithheld(this.#withheld), { address: at.local, port: probePort }, at.from);
  }

  /** Taken from whom this node probes or answers: WireGuard has proven where it comes from. */
  #takeWithheld(bytes: Uint8Array, at: { readonly local: string; readonly from: Endpoint }): void {
    const addresses = readWithheld(bytes);
    if (addresses === null) return;
    const target = at.from.port === probePort ? this.#targets.get(at.from.address) : undefined;
    if (target !== undefined) this.#holders.withheld(target.config.goal, addresses);
    const answering = target === undefined ? this.#answering.get(at.local) : undefined;
    if (answering !== undefined) this.#holders.withheld(holderAt(answering, at.from.address), addresses);
  }

  #isStraight(answering: AnsweringConfig, address: string): boolean {
    if (answering.relay === null) return true;
    return this.#relays.get(answering.relay)?.addresses.includes(address) === true;
  }

  #evaluate(runMs: number): void {
    // No peer at all is heard: more likely the fault is this machine's. Then timeouts are longer for all peers.
    const timeoutFactor = runMs - this.#heardAtMs <= probeDeadMs / 2 ? 1 : 2;
    this.#targets.update(runMs, timeoutFactor);
    const states = this.#targets.states(runMs);
    const isRelayAlive = (relay: string) =>
      isHeard(states.get(this.#relays.get(relay)?.tunnel ?? '') ?? 'untried');
    const news: ProberNews = {
      tunnels: this.#changesOf(states),
      sources: this.#sources.update({ runMs, timeoutFactor, isRelayAlive }),
      paths: this.#newPaths(runMs),
      watched: [...this.#watched.splice(0), ...this.#watches.update(runMs, timeoutFactor)],
      leases: [],
      holders: this.#holders.changes(runMs),
    };
    this.#postNews(news);
  }

  #changesOf(states: ReadonlyMap<string, PathState>): TunnelChange[] {
    const changes: TunnelChange[] = [];
    for (const [tunnel, state] of states) {
      if ((this.#reported.get(tunnel) ?? 'untried') !== state) changes.push({ tunnel, state });
      this.#reported.set(tunnel, state);
    }
    for (const tunnel of this.#reported.keys()) {
      if (states.has(tunnel)) continue;
      this.#reported.delete(tunnel);
      changes.push({ tunnel, state: 'untried' });
    }
    return changes;
  }

  #newPaths(runMs: number): TunnelReport[] {
    const fresh: TunnelReport[] = [];
    const present = new Set<string>();
    for (const report of this.#targets.tunnels(runMs)) {
      present.add(report.tunnel);
      if (this.#reportedPaths.get(report.tunnel) === report.state) continue;
      this.#reportedPaths.set(report.tunnel, report.state);
      fresh.push(report);
    }
    for (const tunnel of this.#reportedPaths.keys())
      if (!present.has(tunnel)) this.#reportedPaths.delete(tunnel);
    return fresh;
  }

  #renewLeases(nowMs: number): void {
    const renewal = this.#leases.renewal(nowMs);
    if (renewal !== null) this.#output.post({ kind: 'lease_renewal', ...renewal });
    this.#writeLeases(nowMs);
  }

  #writeLeases(nowMs: number): void {
    const writes = this.#leases.toWrite(nowMs);
    if (writes.length > 0) this.#output.writeLeases(writes);
    const leases = this.#leases.changes(nowMs);
    this.#postNews({ tunnels: [], sources: [], paths: [], watched: [], leases, holders: [] });
  }

  #postNews(news: ProberNews): void {
    const isNothing = Object.values(news).every((changes: readonly unknown[]) => changes.length === 0);
    if (isNothing) return;
    this.#output.post({ kind: 'news', news });
  }
}

/** The overlay address of the peer that sends from there. Spokes meet by addresses for that. */
function holderAt({ purpose }: AnsweringConfig, source: string): string {
  return purpose === 'direct' ? (readProbeAddress(source)?.goal ?? source) : source;
}
