// Which peer holds which virtual IP: the controller puts together what nodes report (node-report-intake.ts), what the
// fleet is (delivery), which process leads (coordination/leadership.ts), and the pure machine that decides
// (core/virtual-ips). Everything it reaches outside is a port (ports.ts), so that the simulation runs it as it is.

import type { Delta } from '@powernode/core/compile/deltas';
import type { Item, PeerModel } from '@powernode/core/compile/model';
import type { Id, InstanceId, NetworkId, PeerId } from '@powernode/core/ids';
import { type Candidate, candidatesOf } from '@powernode/core/virtual-ips/candidates';
import type { Terms } from '@powernode/core/virtual-ips/terms';
import type { Logger } from 'pino';
import type { VirtualIpSense } from '../../actions/ports.ts';
import type { VirtualIpRow } from '../../actions/sdwan/virtual-ips/model.ts';
import type { Leadership } from '../../coordination/leadership.ts';
import type { EventBus } from '../../events/event-bus.ts';
import type { Clock } from '../../trust/clock.ts';
import { LeaderTerm } from './leader-term.ts';
import { NodeObservations } from './node-observations.ts';
import { NodeReportIntake } from './node-report-intake.ts';
import { OutstandingLeases } from './outstanding-leases.ts';
import { defaultFailoverMode } from './policy.ts';
import type { FailoverRows, FleetNodes } from './ports.ts';
import type { FailoverSession } from './session.ts';
import { appliedBy, StateReader } from './state-reader.ts';

export interface FailoverControllerParts {
  readonly rows: FailoverRows;
  readonly bus: Pick<EventBus, 'publish' | 'subscribe'>;
  readonly clock: Clock;
  readonly nodes: FleetNodes;
  readonly leadership: Leadership;
  /** Of this process among those at the same database. */
  readonly processId: string;
  readonly log: Pick<Logger, 'debug' | 'warn'>;
}

export class FailoverController implements VirtualIpSense {
  readonly #parts: FailoverControllerParts;
  readonly #leases: OutstandingLeases;
  readonly #reader: StateReader;
  readonly #intake: NodeReportIntake;
  readonly #unsubscribe: () => void;
  #term: LeaderTerm | null = null;
  #isBeginning = false;
  #relevant: ReadonlyMap<InstanceId, readonly Holding[]> | null = null;
  #closed = false;

  constructor(parts: FailoverControllerParts) {
    this.#parts = parts;
    const { nodes, bus, clock, leadership, processId } = parts;
    const network = (id: NetworkId) => nodes.network(id);
    const node = (id: InstanceId) => nodes.node(id);
    const observations = new NodeObservations(() => clock.steady());
    this.#leases = new OutstandingLeases({
      network,
      node,
      applied: (id) => appliedBy({ node, observations }, id),
    });
    this.#reader = new StateReader({ network, node, observations, leases: this.#leases, clock });
    this.#intake = new NodeReportIntake({
      processId,
      observations,
      bus,
      clock,
      isShared: leadership.isShared,
      sequenceOf: (accountId) => nodes.sequenceOf(accountId),
      renewed: (instanceId, leases) => this.#renewed(instanceId, leases),
      isRelevant: (instanceId) => this.#relevantInstances().has(instanceId),
    });
    observations.listener = {
      instanceChanged: (instanceId) => this.#instanceChanged(instanceId),
      reported: (instanceId, peerId) =>
        this.#leading()?.reported((id) => nodes.network(id)?.peerOfInstance(instanceId)?.id ?? null, peerId),
      checked: (instanceId, virtualIpId) => this.#leading()?.checked(instanceId, virtualIpId),
    };
    this.#unsubscribe = bus.subscribe((message) => this.#term?.onMessage(message));
  }

  /** Begins to receive reports. To be called before any node can connect. */
  async start(): Promise<void> {
    const { nodes, leadership, rows } = this.#parts;
    const intake = this.#intake;
    nodes.subscribe({
      arrived: (node, stream, hello) => intake.arrived(node, stream, hello),
      left: (node, stream) => intake.left(node, stream),
      applied: (node, stream) => intake.applied(node, stream),
      paths: (node, stream, message) => intake.paths(node, stream, message),
      renewLeases: (node, stream, message) => intake.renewLeases(node, stream, message),
      checked: (node, stream, found) => intake.checked(node, stream, found),
      onDelta: (delta) => this.#onDelta(delta),
    });
    for (const row of await rows.all()) this.#leases.load(row);
    leadership.start(() => this.#leading());
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#unsubscribe();
    this.#intake.close();
    const term = this.#term;
    this.#term = null;
    await term?.end();
    await this.#parts.leadership.close();
  }

  candidates(row: VirtualIpRow): Candidate[] {
    return candidatesOf(this.#reader.stateOf(row, defaultFailoverMode()), this.#parts.clock.steady());
  }

  terms(row: VirtualIpRow): readonly Terms[] {
    const { current_holder_peer_id: holder } = row;
    if (holder === null) return [];
    this.#leases.applied(row.id, holder);
    return this.#leases.termsOf(row.id, holder);
  }

  /** A process that may lead next remembers what holders have applied: they may be lost together with the leader. */
  #instanceChanged(instanceId: InstanceId): void {
    const term = this.#leading();
    if (term !== null) term.instanceChanged(instanceId);
    else if (this.#parts.leadership.isShared) {
      for (const { id, holder } of this.#relevantInstances().get(instanceId) ?? []) {
        this.#leases.applied(id, holder);
      }
    }
  }

  /** The term, when this process leads at this very moment and has read what it needs. */
  #leading(): LeaderTerm | null {
    const leads = !this.#closed && this.#parts.leadership.leads();
    if (!leads && this.#term !== null) {
      void this.#term.end();
      this.#term = null;
    }
    if (leads && this.#term === null && !this.#isBeginning) void this.#begin();
    return this.#term?.isReady === true ? this.#term : null;
  }

  async #begin(): Promise<void> {
    this.#isBeginning = true;
    const term = new LeaderTerm({
      ...this.#parts,
      reader: this.#reader,
      leases: this.#leases,
      intake: this.#intake,
    });
    // It is notified of changes from here on; what it reads may be older.
    this.#term = term;
    try {
      await term.begin();
    } catch (error) {
      void term.end();
      if (this.#term === term) this.#term = null;
      this.#parts.log.warn({ err: error }, 'virtual IPs could not be read; nothing decides about them yet');
      this.#parts.clock.after(beginAgainMs, () => this.#leading());
    } finally {
      this.#isBeginning = false;
    }
  }

  #renewed(
    instanceId: InstanceId,
    leases: readonly { readonly virtual_ip_id: string; readonly epoch: number }[],
  ): { virtual_ip_id: string; epoch: number }[] | null {
    const term = this.#leading();
    if (term === null) return null;
    return leases.filter(({ virtual_ip_id: id, epoch }) => {
      const networkId = term.session(id)?.networkId;
      const network = networkId === undefined ? undefined : this.#parts.nodes.network(networkId);
      const peerId = network?.peerOfInstance(instanceId)?.id;
      return peerId !== undefined && term.renews(id, peerId, epoch);
    });
  }

  /** Each is followed before the next change is taken: what a holder may act on is noted for every change in between. */
  #onDelta(delta: Delta): void {
    this.#relevant = null;
    switch (delta.kind) {
      case 'network_added':
        return;
      case 'network_changed':
        return this.#networkChanged(delta.after.id);
      case 'network_removed':
        return this.#networkChanged(delta.last.network.id);
      case 'peer_added':
        return this.#peerChanged(null, delta.after);
      case 'peer_changed':
        return this.#peerChanged(delta.before, delta.after);
      case 'peer_removed':
        return this.#peerChanged(delta.before, null);
      case 'item_added':
      case 'item_changed':
        return this.#itemChanged(delta.after);
      case 'item_removed':
        return this.#itemRemoved(delta.before);
    }
  }

  /** Anything in it may be another, or it is gone with all that was in it. */
  #networkChanged(networkId: NetworkId): void {
    const items: Iterable<Item> = this.#parts.nodes.network(networkId)?.items() ?? [];
    for (const item of items) if (item.type === 'virtual_ip') this.#leases.note(item);
    this.#leases.forgetDeleted(networkId);
    this.#refresh(this.#term?.sessionsOfNetwork(networkId) ?? []);
  }

  /** A hub is a witness of every virtual IP of its network. A network that is gone was followed as a whole. */
  #peerChanged(before: PeerModel | null, after: PeerModel | null): void {
    const peer = after ?? before;
    if (peer === null || this.#parts.nodes.network(peer.networkId) === undefined) return;
    if (before?.hubSlot != null || after?.hubSlot != null) this.#networkChanged(peer.networkId);
    else this.#refresh(this.#term?.sessionsOfPeer(peer.id) ?? []);
  }

  #itemChanged(item: Item): void {
    if (item.type !== 'virtual_ip') return;
    this.#leases.note(item);
    this.#term?.rowChanged(item.id);
    const session = this.#term?.session(item.id);
    if (session !== undefined) this.#refresh([session]);
  }

  #itemRemoved(item: Item): void {
    if (item.type !== 'virtual_ip') return;
    this.#leases.forget(item.id);
    this.#term?.deleted(item.id);
  }

  #refresh(sessions: Iterable<FailoverSession>): void {
    for (const session of sessions) {
      const isThere = this.#parts.nodes.network(session.networkId)?.item(session.id) !== undefined;
      if (isThere) this.#term?.refresh(session);
      else this.#term?.deleted(session.id);
    }
  }

  /** Instances that hold, could hold, or report on those that do; with what each of them holds. */
  #relevantInstances(): ReadonlyMap<InstanceId, readonly Holding[]> {
    if (this.#relevant !== null) return this.#relevant;
    const relevant = new Map<InstanceId, Holding[]>();
    const add = (instanceId: InstanceId | undefined, ...more: Holding[]) => {
      if (instanceId === undefined) return;
      const holdings = relevant.get(instanceId) ?? [];
      holdings.push(...more);
      relevant.set(instanceId, holdings);
    };
    for (const index of this.#parts.nodes.networks()) {
      let isAny = false;
      for (const item of index.items()) {
        if (item.type !== 'virtual_ip' || item.anycast) continue;
        isAny = true;
        for (const peerId of item.candidates) add(index.peer(peerId)?.instanceId);
        const { id, holder } = item;
        if (holder !== null) add(index.peer(holder)?.instanceId, { id, holder });
      }
      if (isAny) for (const hub of index.transit) add(hub.instanceId);
    }
    this.#relevant = relevant;
    return relevant;
  }
}

/** A virtual IP, and the peer that holds it. */
interface Holding {
  readonly id: Id<'virtual_ip'>;
  readonly holder: PeerId;
}

/** Reading all of it again at once would meet the same trouble. */
const beginAgainMs = 500;
