// What the platform is told of what was seen: only what changed since it was told last, and everything once after
// each hello. Counters alone are told rarely, because they move with every packet.
import {
  agentCountersMs,
  agentDriftPerFrameMax,
  agentRoutesPerFrameMax,
  agentTunnelsPerFrameMax,
} from '@powernode/core/limits/agent';
import { healthChecksPerFrameMax } from '@powernode/core/limits/anycast';
import { driftDetailMax, subsystemMessageMax } from '@powernode/core/limits/node-stream';
import { sessionsPerFrameMax } from '@powernode/core/limits/routing';
import type { UnderlayFact } from '@powernode/core/net/underlay';
import type { EntryValue, RouteEntry } from '@powernode/core/wire/document';
import type {
  BgpSessionObservation,
  Observed,
  TunnelObservation,
  VirtualIpHealthObservation,
} from '@powernode/core/wire/node-stream';
import { timestamp } from '../ports/clock.ts';
import { type FrrHealth, frrName, frrUnused } from '../subsystems/frr/health.ts';
import { newsOfRules, type RuleCount } from '../subsystems/nftables/rule-counters.ts';
import type { ObservedPeer, ObservedState } from '../subsystems/observed.ts';
import type { SubsystemHealth } from '../subsystems/subsystem.ts';
import type { Drift } from './drift.ts';
import { News } from './news.ts';

/** What there is to tell of at one moment. */
export interface Situation {
  readonly observed: ObservedState;
  readonly entries: ReadonlyMap<string, EntryValue>;
  readonly choices: ReadonlyMap<string, string | null>;
  /** Whether a route leads to a spoke without a hub. */
  readonly isDirect: (route: RouteEntry) => boolean;
  /** How each part of the machine is, by its name. */
  readonly health: ReadonlyMap<string, SubsystemHealth>;
  /** What the firewall counted for each rule since the agent came. */
  readonly ruleCounts: ReadonlyMap<string, RuleCount>;
  readonly underlay: readonly UnderlayFact[];
  /** Sessions of BGP that the document has. */
  readonly bgpSessions: readonly BgpSessionObservation[];
  /** Health checks of virtual IPs that this machine holds. */
  readonly virtualIpHealth: readonly VirtualIpHealthObservation[];
  /** Slices of pods that a cluster has given it; null: it is not asked. */
  readonly podSlices: readonly string[] | null;
  /** How FRR is; null: no network of the machine speaks BGP. */
  readonly frr: FrrHealth | null;
  /** Whether FRR can be used; null: not known yet. */
  readonly routingDaemon: Observed['routing_daemon'] | null;
  readonly nowMs: number;
}

interface ReportedPeer {
  readonly peer: ObservedPeer;
  readonly atMs: number;
}

type Subsystem = Observed['subsystems'][number];

export class Reporter {
  /** By interface, then by public key. */
  readonly #tunnels = new Map<string, Map<string, ReportedPeer>>();
  readonly #routes = new Map<string, string | null>();
  readonly #subsystems = new Map<string, Subsystem>();
  readonly #rules = new Map<string, RuleCount>();
  readonly #sessions = new News<BgpSessionObservation>({
    keyOf: ({ network_id, peer_id }) => `${network_id} ${peer_id}`,
    gone: goneSession,
    perFrameMax: sessionsPerFrameMax,
  });
  readonly #health = new News<VirtualIpHealthObservation>({
    keyOf: ({ virtual_ip_id }) => virtual_ip_id,
    gone: (last) => ({ ...last, health: null, last_error: null }),
    perFrameMax: healthChecksPerFrameMax,
  });
  #drift: Drift[] = [];
  #recentDrift: readonly Drift[] = [];
  #underlay = '';
  #podSlices = '';
  #routingDaemon = '';

  /** A new stream: the platform knows nothing but the underlay of the hello. What was repaired is kept for it. */
  startAnew(underlay: readonly UnderlayFact[]): void {
    this.#underlay = JSON.stringify(underlay);
    this.#tunnels.clear();
    this.#routes.clear();
    this.#subsystems.clear();
    this.#rules.clear();
    this.#sessions.startAnew();
    this.#health.startAnew();
    this.#podSlices = '';
    this.#routingDaemon = '';
  }

  /** The last of it, whether it was told or not. */
  get recentDrift(): readonly Drift[] {
    return this.#recentDrift;
  }

  addDrift(drift: readonly Drift[]): void {
    // The newest are kept: what was repaired is over, and one line less of it hurts nobody.
    this.#drift = [...this.#drift, ...drift].slice(-agentDriftPerFrameMax);
    this.#recentDrift = [...this.#recentDrift, ...drift].slice(-agentDriftPerFrameMax);
  }

  /** The frames to send after a look; none when there is nothing new. They count as reported. */
  report(situation: Situation): Observed[] {
    const tunnels = this.#newTunnels(situation);
    const frames = this.reportState(situation, tunnels.slice(0, agentTunnelsPerFrameMax));
    for (let at = agentTunnelsPerFrameMax; at < tunnels.length; at += agentTunnelsPerFrameMax) {
      const part = tunnels.slice(at, at + agentTunnelsPerFrameMax);
      frames.push({ kind: 'observed', tunnels: part, subsystems: [], drift: [], routes: [] });
    }
    return frames;
  }

  /** The same without a look at every tunnel, for when only the state of the agent itself may be new. */
  reportState(situation: Situation, tunnels: TunnelObservation[] = []): Observed[] {
    const rules = newsOfRules(situation.ruleCounts, this.#rules);
    const sessions = this.#sessions.of(situation.bgpSessions);
    const health = this.#health.of(situation.virtualIpHealth);
    const frame: Observed = {
      kind: 'observed',
      tunnels,
      subsystems: this.#newSubsystems(situation),
      drift: this.#drift.map((one) => ({
        at: timestamp(one.atMs),
        key: one.key.slice(0, 300),
        detail: one.detail.slice(0, driftDetailMax),
      })),
      routes: this.#newRoutes(situation),
      ...(rules.length > 0 ? { rules } : {}),
      ...this.#newUnderlay(situation),
      ...(sessions.length > 0 ? { bgp_sessions: sessions } : {}),
      ...(health.length > 0 ? { virtual_ip_health: health } : {}),
      ...this.#newPodSlices(situation),
      ...this.#newRoutingDaemon(situation),
    };
    this.#drift = [];
    return isEmpty(frame) ? [] : [frame];
  }

  #newTunnels(situation: Situation): TunnelObservation[] {
    const fresh: TunnelObservation[] = [];
    for (const one of situation.observed.interfaces.values()) {
      if (!one.ours || one.device === null) continue;
      const reported = this.#tunnels.get(one.name) ?? new Map<string, ReportedPeer>();
      this.#tunnels.set(one.name, reported);
      for (const peer of one.device.peers.values()) {
        const before = reported.get(peer.publicKey);
        if (before !== undefined && !isNews(before, peer, situation.nowMs)) continue;
        if (!situation.entries.has(`peer/${one.name}/${peer.publicKey}`)) continue;
        reported.set(peer.publicKey, { peer, atMs: situation.nowMs });
        fresh.push(observationOf(one.name, peer));
      }
      if (reported.size > one.device.peers.size) forgetOthers(reported, one.device.peers);
    }
    forgetOthers(this.#tunnels, situation.observed.interfaces);
    return fresh;
  }

  #newUnderlay({ underlay }: Situation): Pick<Observed, 'underlay'> {
    const text = JSON.stringify(underlay);
    if (text === this.#underlay) return {};
    this.#underlay = text;
    return { underlay: [...underlay] };
  }

  #newPodSlices({ podSlices }: Situation): Pick<Observed, 'pod_slices'> {
    if (podSlices === null) return {};
    const text = JSON.stringify(podSlices);
    if (text === this.#podSlices) return {};
    this.#podSlices = text;
    return { pod_slices: [...podSlices] };
  }

  #newRoutingDaemon({ routingDaemon }: Situation): Pick<Observed, 'routing_daemon'> {
    if (routingDaemon == null) return {};
    const text = JSON.stringify(routingDaemon);
    if (text === this.#routingDaemon) return {};
    this.#routingDaemon = text;
    return { routing_daemon: routingDaemon };
  }

  #newRoutes(situation: Situation): Observed['routes'] {
    const fresh: Observed['routes'] = [];
    // Routes that are gone come first: the platform keeps so many of a node and no more.
    for (const [destination, via] of this.#routes) {
      if (fresh.length === agentRoutesPerFrameMax) break;
      if (isReported(destination, situation)) continue;
      this.#routes.delete(destination);
      if (via !== null) fresh.push({ destination, via: null });
    }
    for (const [destination, via] of situation.choices) {
      if (!isReported(destination, situation)) continue;
      if (this.#routes.get(destination) === via || fresh.length === agentRoutesPerFrameMax) continue;
      this.#routes.set(destination, via);
      fresh.push({ destination, via });
    }
    return fresh;
  }

  #newSubsystems(situation: Situation): Subsystem[] {
    const fresh: Subsystem[] = [];
    const { health, frr } = situation;
    // One that was told of is told to be of no use any more: the platform forgets none of them.
    const isFrrReported = frr !== null || this.#subsystems.has(frrName);
    const parts = [...health, ...(isFrrReported ? [[frrName, frr ?? frrUnused] as const] : [])];
    for (const [name, { state, message: said }] of parts) {
      const message = said.slice(0, subsystemMessageMax);
      const before = this.#subsystems.get(name);
      if (before?.state === state && before.message === message) continue;
      const subsystem: Subsystem = { name, state, message, observed_at: timestamp(situation.nowMs) };
      this.#subsystems.set(name, subsystem);
      fresh.push(subsystem);
    }
    return fresh;
  }
}

/** Whether there is such a route of which the platform is told. */
function isReported(destination: string, { choices, entries, isDirect }: Situation): boolean {
  const entry = entries.get(`route/${destination}`);
  return entry?.kind === 'route' && choices.has(destination) && (hasChoice(entry) || isDirect(entry));
}

/** Routes to single machines with one way are what the document says; there is nothing to learn from them. */
function hasChoice(route: RouteEntry): boolean {
  return route.via.length > 1 || !/\/(?:128|32)$/.test(route.destination);
}

function forgetOthers(reported: Map<string, unknown>, present: ReadonlyMap<string, unknown>): void {
  for (const key of reported.keys()) if (!present.has(key)) reported.delete(key);
}

export function goneSession({ network_id, peer_id }: BgpSessionObservation): BgpSessionObservation {
  return {
    ...{ network_id, peer_id, state: null },
    ...{ established_at: null, prefixes_received: 0, last_error: null },
  };
}

function isNews(reported: ReportedPeer, peer: ObservedPeer, nowMs: number): boolean {
  const { peer: before, atMs } = reported;
  if (before.lastHandshakeS !== peer.lastHandshakeS || before.endpoint !== peer.endpoint) return true;
  if (before.rxBytes === peer.rxBytes && before.txBytes === peer.txBytes) return false;
  return nowMs - atMs >= agentCountersMs;
}

export function observationOf(name: string, peer: ObservedPeer): TunnelObservation {
  return {
    interface: name,
    public_key: peer.publicKey,
    last_handshake_at: peer.lastHandshakeS === 0 ? null : timestamp(peer.lastHandshakeS * 1000),
    rx_bytes: peer.rxBytes,
    tx_bytes: peer.txBytes,
    endpoint: peer.endpoint?.slice(0, 60) ?? null,
  };
}

function isEmpty(frame: Observed): boolean {
  return (
    frame.tunnels.length + frame.subsystems.length + frame.drift.length + frame.routes.length === 0 &&
    frame.rules === undefined &&
    frame.underlay === undefined &&
    frame.bgp_sessions === undefined &&
    frame.virtual_ip_health === undefined &&
    frame.pod_slices === undefined &&
    frame.routing_daemon === undefined
  );
}
