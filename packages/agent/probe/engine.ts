// The prober without sockets, threads and clocks: what is sent, what is made of what comes, and what is told to whom.
// Simulations run it as it is; worker.ts gives it the real things.
import {
  probeDeadMs,
  probeIntervalMs,
  probePort,
  probeStarvedMs,
  probeTickMs,
} from '@powernode/core/limits/probe';
import {
  type ClockTimings,
  StarvationCompensatedClock,
} from '@powernode/core/presence/starvation-compensated-clock';
import { type Probe, readProbe, writeProbe } from '@powernode/core/wire/probe';
import type { AnsweringConfig, ProberConfig, RelayConfig } from './config.ts';
import { isHeard, type PathState } from './judge.ts';
import { type Claim, type HeldAddress, Leases } from './leases.ts';
import type { FromProber, ProberNews, TunnelChange } from './messages.ts';
import type { SmallProbes } from './path-size.ts';
import { PathSizes } from './path-sizes.ts';
import { Sources } from './sources.ts';
import { type Target, type TargetReport, Targets, type TunnelReport } from './targets.ts';
import { type WatchChange, Watches } from './watches.ts';

export const probeRhythm: ClockTimings = {
  tickMs: probeTickMs,
  starvedMs: probeStarvedMs,
  settleMs: probeIntervalMs,
};

export interface Place {
  readonly address: string;
  readonly port: number;
}

export interface Outlet {
  /** From an address of this node: from the port of probes, or (null) from any. */
  send(bytes: Uint8Array, from: { readonly address: string; readonly port: number | null }, to: Place): void;
  post(message: FromProber): void;
  /** Tells the kernel which leased addresses may be answered for. */
  hold(addresses: readonly HeldAddress[]): void;
}

export class Engine {
  readonly #outlet: Outlet;
  /** Drawn at the start; answers to an earlier run are not this one's. */
  readonly #run: bigint;
  readonly #clock: StarvationCompensatedClock;
  readonly #targets = new Targets();
  readonly #sizes = new PathSizes();
  readonly #sources = new Sources();
  readonly #watches = new Watches();
  readonly #leases = new Leases();
  readonly #told = new Map<string, PathState>();
  readonly #toldPaths = new Map<string, TunnelReport['state']>();
  #answering = new Map<string, AnsweringConfig>();
  #relays = new Map<string, RelayConfig>();
  /** When anything was heard from anybody. */
  #heardAtMs = Number.NEGATIVE_INFINITY;
  #watched: WatchChange[] = [];

  constructor(parts: { readonly outlet: Outlet; readonly run: bigint; readonly nowMs: number }) {
    this.#outlet = parts.outlet;
    this.#run = parts.run;
    this.#clock = new StarvationCompensatedClock(parts.nowMs, probeRhythm);
  }

  configure(config: ProberConfig, nowMs: number): void {
    const runMs = this.#clock.at(nowMs);
    this.#targets.configure(config.targets, runMs);
    this.#sizes.configure(config.targets);
    this.#watches.configure(config.watches, runMs);
    this.#leases.configure(config.leases, nowMs);
    this.#answering = new Map(config.answering.map((one) => [one.address, one]));
    this.#relays = new Map(config.relays.map((one) => [one.interface, one]));
    const hubs = config.answering.filter((one) => one.purpose === 'hub');
    this.#sources.keepNetworks(new Set(hubs.map((one) => one.network)));
    this.#askAndHold(nowMs);
  }

  /** A datagram came to an address of this node. */
  received(bytes: Uint8Array, at: { readonly local: string; readonly from: Place }, nowMs: number): void {
    const probe = readProbe(bytes);
    if (probe === null) return;
    const runMs = this.#clock.at(nowMs);
    if (probe.kind === 'answer') this.#takeAnswer(probe, at.from, { nowMs, runMs });
    else this.#answer(probe, at, runMs);
  }

  /** One turn: sends what is due, judges, tells. */
  tick(nowMs: number): void {
    const runMs = this.#clock.at(nowMs);
    for (const target of this.#targets.due(runMs)) this.#probe(target, nowMs);
    this.#measureSizes(nowMs, runMs);
    if (this.#clock.isSettled(runMs)) this.#judge(runMs);
    this.#askAndHold(nowMs);
  }

  /** The platform's answer to a question. */
  held(answer: { readonly sequence: number; readonly leases: readonly Claim[] }, nowMs: number): void {
    this.#leases.answered(answer, nowMs);
    this.#holdNow(nowMs);
  }

  confirmed(watched: readonly WatchChange[]): void {
    this.#watches.confirm(watched);
  }

  /** The kernel has lost what it was told. */
  forgotten(nowMs: number): void {
    this.#leases.forgotten();
    this.#holdNow(nowMs);
  }

  report(nowMs: number): TargetReport[] {
    return this.#targets.report(this.#clock.at(nowMs));
  }

  #probe(target: Target, nowMs: number): void {
    const { source, purpose, target: address } = target.config;
    const bytes = writeProbe({
      kind: 'probe',
      heard: isHeard(target.judge.state),
      witness: false,
      paceMs: 0,
      sequence: target.send(nowMs),
      sentAtMs: nowMs,
      run: this.#run,
    });
    // A spoke answers to where it is probed from; only the address for that is reached without a hub.
    const port = purpose === 'direct' ? probePort : null;
    this.#outlet.send(bytes, { address: source, port }, { address, port: probePort });
  }

  #measureSizes(nowMs: number, runMs: number): void {
    const smallOf = (address: string): SmallProbes => {
      const target = this.#targets.get(address);
      if (target === undefined || !isHeard(target.judge.state)) return 'dead';
      return target.isFresh(runMs) ? 'answered' : 'missing';
    };
    for (const { config, size } of this.#sizes.due(nowMs, smallOf)) {
      const probe = { heard: true, witness: false, paceMs: 0, sequence: 0, sentAtMs: nowMs, run: this.#run };
      const port = config.purpose === 'direct' ? probePort : null;
      const to = { address: config.target, port: probePort };
      this.#outlet.send(writeProbe({ kind: 'probe', ...probe, size }), { address: config.source, port }, to);
    }
    for (const [tunnel, size] of this.#sizes.found(nowMs))
      this.#outlet.post({ kind: 'path_size', tunnel, size });
  }

  #takeAnswer(probe: Probe, from: Place, at: { readonly nowMs: number; readonly runMs: number }): void {
    const target = this.#targets.get(from.address);
    if (target === undefined || from.port !== probePort || probe.run !== this.#run) return;
    if (probe.size !== undefined) return this.#sizes.answered(from.address, probe.size);
    this.#heardAtMs = at.runMs;
    const sentAtMs = target.sentAtMs(probe.sequence);
    if (sentAtMs !== null && probe.witness) this.#leases.witnessed(from.address, sentAtMs);
    // It came by a backup path: the way itself may be broken in one direction.
    if (target.config.purpose === 'path' && !probe.heard) return;
    target.paceMs = probe.paceMs;
    if (sentAtMs !== null) target.rttMs = at.nowMs - sentAtMs;
    target.judge.heard(at.runMs);
  }

  #answer(probe: Probe, at: { readonly local: string; readonly from: Place }, runMs: number): void {
    const answering = this.#answering.get(at.local);
    if (answering === undefined) return;
    if (probe.size !== undefined) {
      // Only whether it passes, in both directions; of nothing else is it a sign.
      const bytes = writeProbe({ ...probe, kind: 'answer', witness: false });
      return this.#outlet.send(bytes, { address: at.local, port: probePort }, at.from);
    }
    this.#heardAtMs = runMs;
    const { address } = at.from;
    const isStraight = this.#isStraight(answering, address);
    if (answering.purpose === 'hub') {
      const relay = isStraight ? null : answering.relay;
      this.#sources.heard({ network: answering.network, address, relay, heard: probe.heard, runMs });
    }
    const watch = { address, answeredAt: at.local };
    const { isWitness, change } = this.#watches.answering(watch, runMs);
    if (change !== null) this.#watched.push(change);
    const answer: Probe = {
      ...probe,
      kind: 'answer',
      heard: !(isStraight && this.#sources.isOnDetour(address)),
      witness: isWitness,
      // Leases are too short for anything but the usual pace.
      paceMs: this.#watches.isWatched(address, at.local) ? 0 : this.#sources.paceMs,
    };
    this.#outlet.send(writeProbe(answer), { address: at.local, port: probePort }, at.from);
  }

  #isStraight(answering: AnsweringConfig, address: string): boolean {
    if (answering.relay === null) return true;
    return this.#relays.get(answering.relay)?.addresses.includes(address) === true;
  }

  #judge(runMs: number): void {
    // Nobody at all is heard: more likely it is this machine. Then it takes longer to be sure of anybody.
    const patience = runMs - this.#heardAtMs <= probeDeadMs / 2 ? 1 : 2;
    this.#targets.judge(runMs, patience);
    const states = this.#targets.states(runMs);
    const isRelayAlive = (relay: string) =>
      isHeard(states.get(this.#relays.get(relay)?.tunnel ?? '') ?? 'untried');
    const news: ProberNews = {
      tunnels: this.#changesOf(states),
      sources: this.#sources.judge({ runMs, patience, isRelayAlive }),
      paths: this.#newPaths(runMs),
      watched: [...this.#watched.splice(0), ...this.#watches.judge(runMs, patience)],
      leases: [],
    };
    this.#tell(news);
  }

  #changesOf(states: ReadonlyMap<string, PathState>): TunnelChange[] {
    const changes: TunnelChange[] = [];
    for (const [tunnel, state] of states) {
      if ((this.#told.get(tunnel) ?? 'untried') !== state) changes.push({ tunnel, state });
      this.#told.set(tunnel, state);
    }
    for (const tunnel of this.#told.keys()) {
      if (states.has(tunnel)) continue;
      this.#told.delete(tunnel);
      changes.push({ tunnel, state: 'untried' });
    }
    return changes;
  }

  #newPaths(runMs: number): TunnelReport[] {
    const fresh: TunnelReport[] = [];
    const present = new Set<string>();
    for (const report of this.#targets.tunnels(runMs)) {
      present.add(report.tunnel);
      if (this.#toldPaths.get(report.tunnel) === report.state) continue;
      this.#toldPaths.set(report.tunnel, report.state);
      fresh.push(report);
    }
    for (const tunnel of this.#toldPaths.keys()) if (!present.has(tunnel)) this.#toldPaths.delete(tunnel);
    return fresh;
  }

  #askAndHold(nowMs: number): void {
    const hold = this.#leases.ask(nowMs);
    if (hold !== null) this.#outlet.post({ kind: 'hold', ...hold });
    this.#holdNow(nowMs);
  }

  #holdNow(nowMs: number): void {
    const writes = this.#leases.toWrite(nowMs);
    if (writes.length > 0) this.#outlet.hold(writes);
    const leases = this.#leases.changes(nowMs);
    this.#tell({ tunnels: [], sources: [], paths: [], watched: [], leases });
  }

  #tell(news: ProberNews): void {
    const { tunnels, sources, paths, watched, leases } = news;
    if (tunnels.length + sources.length + paths.length + watched.length + leases.length === 0) return;
    this.#outlet.post({ kind: 'news', news });
  }
}
