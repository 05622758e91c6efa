// Everything that nodes report, on its way to where it belongs: rows in batches, events, and what is shown at once
// from memory. Nothing here makes a stream wait.

import type { Delta, DeltaSubscriber } from '@powernode/core/compile/deltas';
import { leafInterfaceName, transitInterfaceName } from '@powernode/core/compile/entries';
import type { FleetIndex } from '@powernode/core/compile/fleet-index';
import { ProductError } from '@powernode/core/errors';
import type { InstanceId, NetworkId } from '@powernode/core/ids';
import * as agentLimits from '@powernode/core/limits/agent';
import * as nodeStreamLimits from '@powernode/core/limits/node-stream';
import * as overlayLimits from '@powernode/core/limits/overlay';
import { withLength } from '@powernode/core/net/address';
import { contains, parsePrefix } from '@powernode/core/net/prefix';
import type { NodeProblem } from '@powernode/core/wire/node-problems';
import type { Hello, Observed, TunnelObservation } from '@powernode/core/wire/node-stream';
import type { Logger } from 'pino';
import { type EventBus, publishEvents } from '../../events/event-bus.ts';
import type { Store } from '../../store/open-store.ts';
import type { SubsystemRow } from '../../store/tables.ts';
import { inAccount } from '../../store/tenancy.ts';
import type { Clock } from '../../trust/clock.ts';
import type { NodeState } from '../nodes/node-state.ts';
import type { ReportSink } from '../stream/report-sink.ts';
import { Arrivals } from './arrivals.ts';
import { BgpSessions } from './bgp-sessions.ts';
import type { DirectAndDeviceKeys } from './direct-and-device-keys.ts';
import { DirectEndpoints, type OnDirectEndpoint } from './direct-endpoints.ts';
import { DriftEvents } from './drift.ts';
import { NodeBatch } from './node-batch.ts';
import type { HandshakeRecord, PeerHandshakes } from './peer-handshakes.ts';
import { type OnObserved, Placement, type PlacementParts } from './placement.ts';
import { ProblemReports } from './problems.ts';
import { RuleCounters } from './rule-counters.ts';
import { writeStates } from './state-rows.ts';
import {
  type Duplicate,
  duplicateMessage,
  type Limited,
  limitedMessage,
  writeAlone,
  writeDuplicate,
  writeLimited,
} from './stream-events.ts';
import { newestHandshakes, writeTunnels } from './tunnel-rows.ts';
import { TunnelReports } from './tunnels.ts';
import { VirtualIpHealth } from './virtual-ip-health.ts';

export interface ReportParts {
  readonly store: Pick<Store, 'db'>;
  readonly bus: EventBus;
  readonly clock: Clock;
  readonly log: Logger;
  readonly fleet: FleetIndex;
  readonly handshakes: PeerHandshakes;
  readonly keys: DirectAndDeviceKeys;
  readonly onObserved: OnObserved;
  readonly onDirectEndpoint: OnDirectEndpoint;
  readonly changed: PlacementParts['changed'];
  /** Whether a machine is heard on a stream of this process. */
  readonly isHeard: (instanceId: InstanceId) => boolean;
  /** It was found that the machine does not belong to the fleet any more. */
  readonly deleted: (node: NodeState) => void;
}

export class Reports implements ReportSink, DeltaSubscriber {
  readonly #parts: ReportParts;
  readonly #arrivals: Arrivals;
  readonly #placement: Placement;
  readonly #states: NodeBatch;
  readonly #tunnels: TunnelReports;
  readonly #drift: DriftEvents;
  readonly #ruleCounters: RuleCounters;
  readonly #problems: ProblemReports;
  readonly #bgpSessions: BgpSessions;
  readonly #virtualIpHealth: VirtualIpHealth;
  readonly #directEndpoints: DirectEndpoints;
  #tunnelsDueMs = Number.POSITIVE_INFINITY;
  #writing: Promise<void> = Promise.resolve();

  constructor(parts: ReportParts) {
    this.#parts = parts;
    const { store, bus, clock, log, fleet, handshakes } = parts;
    this.#placement = new Placement(parts);
    this.#arrivals = new Arrivals({
      store,
      bus,
      clock,
      log,
      placed: (machine) => {
        if (fleet.networksOf(machine.instanceId).length > 0) this.#placement.add(machine);
      },
    });
    this.#states = new NodeBatch({
      clock,
      log,
      what: 'what instances have applied',
      delayMs: nodeStreamLimits.reportFlushMs,
      write: async (accountId, nodes) => {
        const written = nodes.map((node) => node.subsystems);
        const deleted = await inAccount(store, accountId, (trx) => writeStates(trx, { accountId, nodes }));
        for (const [i, node] of nodes.entries()) node.storedSubsystems = written[i] ?? [];
        for (const node of deleted) parts.deleted(node);
      },
    });
    const { keys } = parts;
    const { isHeard } = parts;
    const due = (delayMs: number) => this.#dueIn(delayMs);
    this.#tunnels = new TunnelReports({ clock, fleet, handshakes, keys, isHeard, due });
    this.#directEndpoints = new DirectEndpoints(parts);
    this.#drift = new DriftEvents(parts);
    this.#ruleCounters = new RuleCounters(parts);
    this.#problems = new ProblemReports(parts);
    this.#bgpSessions = new BgpSessions(parts);
    this.#virtualIpHealth = new VirtualIpHealth(parts);
  }

  /** Called with each delta, as all subscribers of the fleet are. */
  onDelta(delta: Delta): void {
    this.#directEndpoints.onDelta(delta);
  }

  arrived(node: NodeState, hello: Hello, remoteAddress: string): void {
    this.#arrivals.arrived(node, hello, remoteAddress);
  }

  keys(node: NodeState, publicKeys: readonly string[]): void {
    this.#arrivals.keys(node, publicKeys);
  }

  applied(node: NodeState): void {
    const failure = node.subsystems.find(({ name }) => name === 'apply');
    if (failure !== undefined && failure.state !== 'ok') {
      this.#subsystem(node, { name: 'apply', state: 'ok', message: '' });
    }
    this.#states.add(node);
    this.#counted(node, this.#tunnels.applied(node));
  }

  failed(node: NodeState, failure: { readonly revision: number; readonly message: string }): void {
    const message = `revision ${failure.revision}: ${failure.message}`;
    this.#subsystem(node, { name: 'apply', state: 'failed', message });
    this.#states.add(node);
  }

  problems(node: NodeState, problems: readonly NodeProblem[]): void {
    this.#problems.said(node, problems);
  }

  limited(node: NodeState, what: Limited): void {
    this.#subsystem(node, { name: 'stream', state: 'degraded', message: limitedMessage(what) });
    this.#states.add(node);
    void writeLimited(this.#parts, node, what);
  }

  calmed(node: NodeState): void {
    this.#subsystem(node, { name: 'stream', state: 'ok', message: '' });
    this.#states.add(node);
  }

  duplicated(node: NodeState, duplicate: Duplicate): void {
    this.#subsystem(node, { name: 'identity', state: 'failed', message: duplicateMessage(duplicate) });
    this.#states.add(node);
    void writeDuplicate(this.#parts, node, duplicate);
  }

  alone(node: NodeState): void {
    this.#subsystem(node, { name: 'identity', state: 'ok', message: '' });
    this.#states.add(node);
    void writeAlone(this.#parts, node);
  }

  #counted(node: NodeState, tunnels: readonly TunnelObservation[]): void {
    for (const tunnel of tunnels) this.#directEndpoints.observed(node, tunnel);
  }

  /** The stream has ended: when it was last heard is worth keeping. */
  left(node: NodeState): void {
    this.#tunnels.left(node);
    if (!node.ended) this.#states.add(node);
  }

  heartbeats(nodes: Iterable<NodeState>): void {
    for (const node of nodes) {
      this.#states.add(node);
      this.#problems.lookWithheld(node);
    }
  }

  observed(
    node: NodeState,
    observed: Observed,
    since: { readonly helloMs: number; readonly first: boolean },
  ): void {
    if (node.ended) return;
    if (since.first) this.#tunnels.renewed(node, since.helloMs);
    this.#counted(node, this.#tunnels.observed(node, observed.tunnels));
    if (observed.subsystems.length > 0) {
      const own = observed.subsystems.filter(({ name }) => !platformSubsystems.has(name));
      // The first report after a hello is of everything: what is not in it is no part of the machine any more.
      const before = since.first ? node.subsystems.filter(isOfPlatform) : node.subsystems;
      node.subsystems = mergedSubsystems(before, own);
      this.#states.add(node);
    }
    if (observed.underlay !== undefined) this.#arrivals.underlay(node, observed.underlay);
    if (observed.pod_slices !== undefined) this.#arrivals.podSlices(node, observed.pod_slices);
    if (observed.routing_daemon !== undefined) this.#arrivals.routingDaemon(node, observed.routing_daemon);
    if (observed.drift.length > 0) this.#drift.repaired(node, observed.drift);
    this.#ruleCounters.observed(node, observed.rules);
    this.#bgpSessions.observed(node, observed.bgp_sessions);
    this.#virtualIpHealth.observed(node, observed.virtual_ip_health);
    if (since.first) node.routes = null;
    this.#routes(node, observed.routes);
  }

  /** Looks for peers that have become silent. */
  async sweepSilence(): Promise<void> {
    const { handshakes, clock, log } = this.#parts;
    const byAccount = Map.groupBy(handshakes.overdue(clock.now()), (record) => record.accountId);
    for (const [accountId, overdue] of byAccount) {
      try {
        const newest = await inAccount(this.#parts.store, accountId, (trx) => newestHandshakes(trx, overdue));
        for (const record of overdue) this.#silenceIfOverdue(record, newest.get(record.publicKey) ?? null);
      } catch (error) {
        log.warn({ err: error, accountId }, 'silent peers are looked for again later');
      }
    }
  }

  async close(): Promise<void> {
    await this.#placement.close();
    this.#directEndpoints.close();
    await this.#arrivals.flush();
    await this.#states.flush();
    await this.#problems.flush();
    await this.#ruleCounters.flush();
    await this.#bgpSessions.flush();
    await this.#virtualIpHealth.flush();
    await this.#writeTunnels();
  }

  /** The peer's tunnels may be reported to another platform process, so the stored handshake counts too. */
  #silenceIfOverdue(record: HandshakeRecord, storedMs: number | null): void {
    const { handshakes, clock } = this.#parts;
    if (storedMs !== null && storedMs > (record.lastHandshakeMs ?? 0)) record.lastHandshakeMs = storedMs;
    if (clock.now() - (record.lastHandshakeMs ?? 0) <= overlayLimits.silentAfterMs) return;
    const transition = handshakes.silenced(record);
    if (transition !== null) this.#tunnels.transition(transition);
  }

  #routes(node: NodeState, routes: Observed['routes']): void {
    if (routes.length === 0) return;
    const networks = this.#parts.fleet.networksOf(node.instanceId).map((one) => one.network);
    const blocks = networks.flatMap(({ prefix, ipv4Prefix }) =>
      [prefix, ipv4Prefix].flatMap((text) => (text === null ? [] : (parsePrefix(text) ?? []))),
    );
    for (const { destination, via } of routes) {
      if (via === null) {
        node.routes?.delete(destination);
        continue;
      }
      // Of places outside its networks nothing is kept: a machine could make up as many as it likes.
      const block = parsePrefix(destination);
      if (block === null || !blocks.some((one) => contains(one, block))) continue;
      node.routes ??= new Map();
      if (node.routes.has(destination) || node.routes.size < agentLimits.agentRoutesPerFrameMax) {
        node.routes.set(destination, via);
      }
    }
  }

  #subsystem(node: NodeState, state: Pick<SubsystemRow, 'name' | 'state' | 'message'>): void {
    const observedAt = new Date(this.#parts.clock.now()).toISOString();
    node.subsystems = mergedSubsystems(node.subsystems, [{ ...state, observed_at: observedAt }]);
  }

  #dueIn(delayMs: number): void {
    const { clock } = this.#parts;
    const at = clock.steady() + delayMs;
    if (at >= this.#tunnelsDueMs) return;
    this.#tunnelsDueMs = at;
    clock.after(delayMs, () => {
      if (this.#tunnelsDueMs === at) void this.#writeTunnels();
    });
  }

  #writeTunnels(): Promise<void> {
    this.#tunnelsDueMs = Number.POSITIVE_INFINITY;
    this.#writing = this.#writing.then(() => this.#writeDrained());
    return this.#writing;
  }

  async #writeDrained(): Promise<void> {
    const { store, bus, clock, log } = this.#parts;
    for (const [accountId, report] of this.#tunnels.drain()) {
      try {
        const events = await inAccount(store, accountId, (trx) =>
          writeTunnels(trx, { accountId, report, clock }),
        );
        publishEvents(bus, events);
      } catch (error) {
        if (error instanceof ProductError && error.code === 'database_unavailable') {
          this.#tunnels.putBack(accountId, report);
          this.#dueIn(nodeStreamLimits.reportRetryMs);
          log.warn({ err: error, accountId }, 'what nodes see is kept until the database answers');
        } else {
          log.error({ err: error, accountId }, 'what nodes see could not be written');
        }
      }
    }
  }
}

/** Subsystems that the platform itself reports of a machine: no report of the machine replaces or displaces them. */
const platformSubsystems: ReadonlySet<string> = new Set(['apply', 'stream', 'identity']);

function isOfPlatform({ name }: SubsystemRow): boolean {
  return platformSubsystems.has(name);
}

/** The newest report of each subsystem. */
function mergedSubsystems(
  before: readonly SubsystemRow[],
  news: readonly SubsystemRow[],
): readonly SubsystemRow[] {
  const byName = new Map(before.map((row) => [row.name, row]));
  for (const row of news) byName.set(row.name, row);
  const [platforms, own] = [true, false].map((ours) =>
    [...byName.values()].filter(({ name }) => platformSubsystems.has(name) === ours),
  );
  return [...(platforms ?? []), ...(own ?? []).slice(-nodeStreamLimits.subsystemsMax)];
}

/** The hub peer that a node's route into a network goes through, by the interface that it named. */
export function hubInUse(
  fleet: FleetIndex,
  node: NodeState | undefined,
  networkId: NetworkId,
): string | null {
  const network = fleet.network(networkId);
  const via = network === undefined ? undefined : node?.routes?.get(network.network.prefix);
  if (network === undefined || via === undefined) return null;
  const hub = network.transit.find((one) => transitInterfaceName(network.network, one.hubSlot ?? 0) === via);
  return hub?.id ?? null;
}

/**
 * The spokes that a node reaches without a hub in a network, by the routes that it named. Two meet when both can be
 * called: what one named before its own place was found to be none is old, whatever it says next.
 */
export function directPeers(fleet: FleetIndex, node: NodeState | undefined, networkId: NetworkId): string[] {
  const network = fleet.network(networkId);
  if (network === undefined || node?.routes == null) return [];
  if (network.peerOfInstance(node.instanceId)?.directEndpoint == null) return [];
  const leaf = leafInterfaceName(network.network);
  const found: string[] = [];
  for (const peer of network.peers()) {
    if (peer.directEndpoint === null || peer.instanceId === node.instanceId) continue;
    if (node.routes.get(withLength(peer.hostAddress)) === leaf) found.push(peer.id);
  }
  return found;
}
