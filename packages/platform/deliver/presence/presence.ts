// Who is there: machines by their streams, peers by what probes, streams and kernels say. Shown at once from memory;
// what lasts becomes rows and events, in batches. A change of presence reaches no node and is no change of any network.

import type { Delta, DeltaSubscriber } from '@powernode/core/compile/deltas';
import type { FleetIndex } from '@powernode/core/compile/fleet-index';
import type { AccountId, InstanceId, PeerId, PublicKey } from '@powernode/core/ids';
import * as nodeStreamLimits from '@powernode/core/limits/node-stream';
import * as presenceLimits from '@powernode/core/limits/presence';
import { Hysteresis } from '@powernode/core/presence/hysteresis';
import { StarvationCompensatedClock } from '@powernode/core/presence/starvation-compensated-clock';
import type { ProbedMessage } from '@powernode/core/wire/node-stream';
import type { Logger } from 'pino';
import type { EventBus } from '../../events/event-bus.ts';
import type { Store } from '../../store/open-store.ts';
import type { Clock } from '../../trust/clock.ts';
import type { NodeState } from '../nodes/node-state.ts';
import { Evidence, probeReportsOf } from './evidence.ts';
import { News, type Subject } from './news.ts';
import { outdatedReports } from './outdated-reports.ts';
import { type PeerRecord, PeerRecords } from './peer-records.ts';
import { PresenceGossip } from './processes.ts';
import { PresenceView } from './view.ts';
import { PresenceWriter } from './writer.ts';

export interface PresenceParts {
  readonly store: Pick<Store, 'db'>;
  readonly bus: EventBus;
  readonly clock: Clock;
  readonly log: Logger;
  readonly fleet: FleetIndex;
  readonly processId: string;
  readonly hostnameOf: (instanceId: InstanceId) => string | undefined;
  readonly handshakeMs: (publicKey: PublicKey) => number | null;
}

interface MachineSubject extends Subject {
  readonly instanceId: InstanceId;
  /** Its stream is there and says nothing. */
  isSilent: boolean;
}

interface PeerSubject extends Subject {
  readonly record: PeerRecord;
}

interface Heard {
  readonly node: NodeState;
  runMs: number;
  wallMs: number;
  isSilent: boolean;
}

export class Presence implements DeltaSubscriber {
  readonly view: PresenceView;
  readonly #parts: PresenceParts;
  readonly #clock: StarvationCompensatedClock;
  readonly #evidence: Evidence;
  readonly #peers: PeerRecords;
  readonly #gossip: PresenceGossip;
  readonly #writer: PresenceWriter;
  readonly #machineNews = new News<MachineSubject>();
  readonly #peerNews = new News<PeerSubject>();
  readonly #machines = new Map<InstanceId, MachineSubject>();
  readonly #peerSubjects = new Map<PeerId, PeerSubject>();
  /** Machines on streams of this process, by instance: when each was last heard. */
  readonly #heard = new Map<InstanceId, Heard>();
  readonly #reportedUnreachable = new Map<PeerId, number>();
  /** Until when (by `steady`) machines that were on streams elsewhere, or before the start, may come back. */
  #graces: { readonly untilMs: number; readonly instanceIds: ReadonlySet<InstanceId> }[] = [];
  /** Of the last turn. */
  #runMs: number;
  #passingAtMs = 0;
  #heardAnyMs = 0;

  constructor(parts: PresenceParts) {
    this.#parts = parts;
    const { clock, fleet, handshakeMs, processId, bus } = parts;
    this.#clock = new StarvationCompensatedClock(clock.steady(), {
      tickMs: presenceLimits.presenceTickMs,
      starvedMs: presenceLimits.presenceStarvedMs,
      settleMs: nodeStreamLimits.streamBeatMaxMs,
    });
    this.#runMs = clock.steady();
    this.#evidence = new Evidence({
      machine: (instanceId) => this.#machineChanged(instanceId),
      heard: (instanceId, addresses) => this.#heardChanged(instanceId, addresses),
      tunnels: (instanceId, hubIds) => this.#tunnelsChanged(instanceId, hubIds),
    });
    this.#peers = new PeerRecords({
      fleet,
      handshakeMs,
      now: () => clock.now(),
      evidence: () => this.#evidence,
      created: (record) => this.#peerCreated(record),
      removed: ({ peerId }) => {
        this.#peerNews.forget(peerId);
        this.#peerSubjects.delete(peerId);
      },
      evaluated: (record) => this.#peerEvaluated(record),
    });
    this.#gossip = new PresenceGossip({
      processId,
      bus,
      clock,
      evidence: this.#evidence,
      lost: (instanceIds) => this.#grace(instanceIds, clock.steady() + presenceLimits.presenceGraceMs),
    });
    this.#writer = new PresenceWriter(parts);
    this.view = new PresenceView({
      ...parts,
      evidence: this.#evidence,
      peers: this.#peers,
      machines: this.#machines,
    });
  }

  /** At a start, before anything is heard: what the rows say. */
  load(known: {
    readonly machines: Iterable<{
      readonly id: string;
      readonly account_id: string;
      readonly last_heartbeat_at: Date | null;
      readonly offline_since: Date | null;
    }>;
    readonly unreachable: ReadonlyMap<PeerId, number>;
  }): void {
    const waited = new Set<InstanceId>();
    for (const row of known.machines) {
      const lastMs = row.last_heartbeat_at?.getTime() ?? null;
      this.#evidence.load(row.id, { lastMs, isOffline: row.offline_since !== null });
      this.#machineOf(row.id, row.account_id, row.offline_since === null);
      waited.add(row.id);
    }
    for (const [peerId, sinceMs] of known.unreachable) this.#reportedUnreachable.set(peerId, sinceMs);
    for (const network of this.#parts.fleet.networks()) {
      for (const peer of network.peers()) this.#peers.add(network.network.accountId, peer);
    }
    this.#reportedUnreachable.clear();
    this.#grace(waited, this.#parts.clock.steady() + presenceLimits.presenceGraceMs);
  }

  /** A stream has said hello. */
  arrived(node: NodeState): void {
    const { processId, clock } = this.#parts;
    const wallMs = clock.now();
    this.#heard.set(node.instanceId, { node, runMs: this.#runMs, wallMs, isSilent: false });
    this.#machineOf(node.instanceId, node.accountId, !node.offlineReported).isSilent = false;
    this.#evidence.online(processId, node.instanceId, { atMs: wallMs, isNew: true });
    this.#gossip.renewed(node.instanceId);
  }

  /** Its stream has ended, and it has no other one in this process. */
  left(node: NodeState): void {
    const heard = this.#heard.get(node.instanceId);
    if (heard?.node !== node) return;
    this.#heard.delete(node.instanceId);
    const subject = this.#machines.get(node.instanceId);
    if (subject !== undefined && !heard.isSilent) subject.isSilent = false;
    const { processId, clock } = this.#parts;
    const lastMs = heard.isSilent ? heard.wallMs : clock.now();
    this.#evidence.offline(processId, node.instanceId, { lastMs, hasEnded: true });
    this.#gossip.ended(node.instanceId);
  }

  probed(node: NodeState, message: ProbedMessage): void {
    if (this.#heard.get(node.instanceId)?.node !== node) return;
    const { processId, clock } = this.#parts;
    const reports = probeReportsOf(message, clock.now());
    // A machine speaks of those that it meets, and of nobody else.
    const counted = {
      heard: reports.heard.filter(({ address }) => this.#isHeardThere(node, address)),
      tunnels: reports.tunnels.filter(({ peerId }) => this.#isHubOf(node, peerId)),
    };
    this.#evidence.probed(processId, node.instanceId, counted);
    this.#gossip.changed(node.instanceId, counted);
  }

  onDelta(delta: Delta): void {
    for (const { instanceId, ...reports } of outdatedReports(delta, this.#parts.fleet)) {
      if (this.#evidence.drop(instanceId, reports)) this.#gossip.renewed(instanceId);
    }
    this.#peers.onDelta(delta);
  }

  /** The machine was terminated. */
  ended(instanceId: InstanceId): void {
    this.#heard.delete(instanceId);
    this.#evidence.forget(instanceId);
    this.#machineNews.forget(instanceId);
    this.#machines.delete(instanceId);
  }

  /** One turn, every `presenceTickMs`. */
  tick(): void {
    const { clock } = this.#parts;
    const steadyMs = clock.steady();
    const runMs = this.#clock.at(steadyMs);
    this.#runMs = runMs;
    this.#listen(clock.now(), runMs);
    this.#endGraces(steadyMs);
    if (runMs - this.#passingAtMs >= passingMs) {
      this.#passingAtMs = runMs;
      this.#peers.touchPassing();
    }
    this.#peers.evaluateDirty();
    this.#gossip.tick();
    for (const due of this.#machineNews.takeDue(runMs)) {
      this.#writer.write({
        ...due,
        peers: [],
        machines: due.subjects.map((subject) => this.#machineRow(subject)),
      });
    }
    for (const due of this.#peerNews.takeDue(runMs)) {
      this.#writer.write({
        ...due,
        machines: [],
        peers: due.subjects.map((subject) => this.#peerRow(subject)),
      });
    }
  }

  isOnline(instanceId: InstanceId): boolean {
    return this.#evidence.isOnline(instanceId);
  }

  /** Another process that has the machine's stream; null: none is known. */
  holderElsewhere(instanceId: InstanceId): string | null {
    const holder = this.#evidence.holderOf(instanceId);
    return holder === this.#parts.processId ? null : holder;
  }

  async close(): Promise<void> {
    this.#gossip.close();
    await this.#writer.close();
  }

  /** Takes note of who was heard since the last turn, and of who was not for too long. */
  #listen(wallMs: number, runMs: number): void {
    const { processId } = this.#parts;
    for (const heard of this.#heard.values()) {
      if (heard.node.consumeHeard()) {
        heard.runMs = runMs;
        heard.wallMs = wallMs;
        this.#heardAnyMs = runMs;
      }
    }
    if (!this.#clock.isSettled(runMs)) return;
    // Nobody at all is heard: more likely it is this machine. Then it takes longer to be sure of anybody.
    const isAlone =
      this.#heard.size >= presenceLimits.presenceDoubtStreamsMin &&
      runMs - this.#heardAnyMs > nodeStreamLimits.streamBeatMaxMs;
    const timeoutFactor = isAlone ? 2 : 1;
    for (const [instanceId, heard] of this.#heard) {
      const { node } = heard;
      const silentMs = Math.max(
        nodeStreamLimits.nodeSilentMs,
        node.beatMs + nodeStreamLimits.nodeSilentSlackMs,
      );
      const isSilent = runMs - heard.runMs > silentMs * timeoutFactor;
      if (isSilent === heard.isSilent) continue;
      heard.isSilent = isSilent;
      this.#machineOf(instanceId, node.accountId, true).isSilent = isSilent;
      if (isSilent) this.#evidence.offline(processId, instanceId, { lastMs: heard.wallMs, hasEnded: false });
      else this.#evidence.online(processId, instanceId, { atMs: wallMs, isNew: false });
      this.#gossip.changed(instanceId);
    }
  }

  #grace(instanceIds: Iterable<InstanceId>, untilMs: number): void {
    this.#graces.push({ untilMs, instanceIds: new Set(instanceIds) });
  }

  #endGraces(steadyMs: number): void {
    const over = this.#graces.filter(({ untilMs }) => untilMs <= steadyMs);
    if (over.length === 0) return;
    this.#graces = this.#graces.filter(({ untilMs }) => untilMs > steadyMs);
    for (const { instanceIds } of over) this.#evidence.graceOver(instanceIds);
  }

  #machineOf(instanceId: InstanceId, accountId: AccountId, reported: boolean): MachineSubject {
    const known = this.#machines.get(instanceId);
    if (known !== undefined) return known;
    const hysteresis = new Hysteresis(reported);
    const subject = { key: instanceId, instanceId, accountId, hysteresis, isSilent: false };
    this.#machines.set(instanceId, subject);
    return subject;
  }

  #machineChanged(instanceId: InstanceId): void {
    this.#peers.machine(instanceId);
    const subject = this.#machines.get(instanceId);
    if (subject === undefined) return;
    if (this.#hasItself(instanceId)) return;
    const { state } = this.#evidence.presence(instanceId);
    const isOnline = state === 'unknown' ? null : state === 'online';
    const extraMs = isOnline === false ? this.#extraMs(subject) : 0;
    this.#machineNews.see(subject, isOnline, { runMs: this.#runMs, extraMs });
  }

  /** Another process lost a machine whose stream is here, and heard: a copy of it was refused there. */
  #hasItself(instanceId: InstanceId): boolean {
    if (this.#evidence.isOnline(instanceId)) return false;
    const { processId, clock } = this.#parts;
    if (this.#heard.get(instanceId)?.isSilent !== false) return false;
    if (this.#evidence.summary(processId, instanceId) !== null) return false;
    this.#evidence.online(processId, instanceId, { atMs: clock.now(), isNew: false });
    this.#gossip.changed(instanceId);
    return true;
  }

  /** How much longer than usual it has to be away. */
  #extraMs({ instanceId, isSilent }: MachineSubject): number {
    // Of one that was never on a stream here another process may know more than this one.
    if (this.#evidence.isForeign(instanceId)) return presenceLimits.presenceForeignMs;
    // A stream that fell silent has been waited for; one that ended may begin again at once.
    return isSilent ? -presenceLimits.presenceConfirmMs : presenceLimits.presenceConfirmMs;
  }

  #peerCreated(record: PeerRecord): void {
    const reported = !this.#reportedUnreachable.has(record.peerId);
    this.#peerSubjects.set(record.peerId, {
      key: record.peerId,
      accountId: record.accountId,
      record,
      hysteresis: new Hysteresis(reported),
    });
  }

  #peerEvaluated(record: PeerRecord): void {
    const subject = this.#peerSubjects.get(record.peerId);
    if (subject === undefined) return;
    const isWaitedFor = this.#machines.get(record.instanceId)?.isSilent === true;
    const extraMs = isWaitedFor && record.verdict.reachable === false ? -presenceLimits.presenceConfirmMs : 0;
    this.#peerNews.see(subject, record.verdict.reachable, { runMs: this.#runMs, extraMs });
  }

  #heardChanged(hubInstanceId: InstanceId, addresses: readonly string[]): void {
    const accountId = this.#machines.get(hubInstanceId)?.accountId;
    if (accountId === undefined) return;
    for (const address of addresses) {
      const record = this.#peers.at(accountId, address);
      if (record !== undefined) this.#peers.touch(record.peerId);
    }
    this.#touchPeersOf(hubInstanceId);
  }

  #tunnelsChanged(instanceId: InstanceId, hubIds: readonly PeerId[]): void {
    for (const hubId of hubIds) this.#peers.touch(hubId);
    this.#touchPeersOf(instanceId);
  }

  #touchPeersOf(instanceId: InstanceId): void {
    for (const network of this.#parts.fleet.networksOf(instanceId)) {
      const peer = network.peerOfInstance(instanceId);
      if (peer !== undefined) this.#peers.touch(peer.id);
    }
  }

  #isHeardThere(node: NodeState, address: string): boolean {
    const record = this.#peers.at(node.accountId, address);
    const network = record && this.#parts.fleet.network(record.networkId);
    return network?.transit.some((hub) => hub.instanceId === node.instanceId) === true;
  }

  #isHubOf(node: NodeState, hubPeerId: PeerId): boolean {
    const networkId = this.#peers.get(hubPeerId)?.networkId;
    const network = networkId === undefined ? undefined : this.#parts.fleet.network(networkId);
    if (network?.peerOfInstance(node.instanceId) === undefined) return false;
    return network.transit.some((hub) => hub.id === hubPeerId);
  }

  #machineRow({ instanceId, hysteresis }: MachineSubject) {
    const lastMs = this.#evidence.lastHeardMs(instanceId) ?? this.#parts.clock.now();
    return { instanceId, offlineSinceMs: hysteresis.reported ? null : lastMs };
  }

  #peerRow({ record, hysteresis }: PeerSubject) {
    const { peerId, networkId, instanceId } = record;
    const { because, sinceMs } = this.view.peer(peerId);
    const unreachable = {
      sinceMs: sinceMs ?? this.#parts.clock.now(),
      code: because?.code ?? 'not_heard',
      detail: because?.detail ?? '',
    };
    return { peerId, networkId, instanceId, unreachable: hysteresis.reported ? null : unreachable };
  }
}

/** How often verdicts that rest on the age of a handshake are looked at again. */
const passingMs = 2_000;
