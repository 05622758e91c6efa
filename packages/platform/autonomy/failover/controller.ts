// Which peer holds which virtual IP: the controller puts together what nodes report (node-report-intake.ts), what the
// fleet is (delivery), which process leads (coordination/leadership.ts), and the pure machine that decides
// (core/virtual-ips). Everything it reaches outside is a port (ports.ts), so that the simulation runs it as it is.
import type { Change } from '@powernode/core/compile/fleet-index';
import type { Item } from '@powernode/core/compile/model';
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
  /** Networks that changed, and what in them. */
  readonly #changed = new Map<string, Touched>();
  #isDue = false;
  #term: LeaderTerm | null = null;
  #isBeginning = false;
  #relevant: ReadonlyMap<string, readonly Holding[]> | null = null;
  #closed = false;

  constructor(parts: FailoverControllerParts) {
    this.#parts = parts;
    const { nodes, bus, clock, leadership, processId } = parts;
    const network = (id: string) => nodes.network(id);
    const node = (id: string) => nodes.node(id);
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
      hold: (node, stream, message) => intake.hold(node, stream, message),
      changing: (change) => this.#changing(change),
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
    this.#settle();
    return candidatesOf(this.#reader.stateOf(row, defaultFailoverMode()));
  }

  terms(row: VirtualIpRow): readonly Terms[] {
    const { current_holder_peer_id: holder } = row;
    if (holder === null) return [];
    this.#settle();
    this.#leases.applied(row.id, holder);
    return this.#leases.termsOf(row.id, holder);
  }

  /** A process that may lead next remembers what holders have applied: they may be lost together with the leader. */
  #instanceChanged(instanceId: string): void {
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
      settle: () => this.#settle(),
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
    instanceId: string,
    leases: readonly { readonly virtual_ip_id: string; readonly epoch: number }[],
  ): { virtual_ip_id: string; epoch: number }[] | null {
    const term = this.#leading();
    if (term === null) return null;
    this.#settle();
    return leases.filter(({ virtual_ip_id: id, epoch }) => {
      const networkId = term.session(id)?.networkId;
      const network = networkId === undefined ? undefined : this.#parts.nodes.network(networkId);
      const peerId = network?.peerOfInstance(instanceId)?.id;
      return peerId !== undefined && term.renews(id, peerId, epoch);
    });
  }

  /** The fleet is as it was after the change before this one. */
  #changing(change: Change): void {
    this.#settle();
    this.#relevant = null;
    const networkId =
      change.kind === 'network_created' || change.kind === 'network_updated'
        ? change.network.id
        : change.networkId;
    const touched = this.#changed.get(networkId) ?? { isWhole: false, ids: new Set<string>() };
    this.#changed.set(networkId, touched);
    if (change.kind === 'peer_changed') {
      const { before, after } = change;
      for (const peer of [before, after]) if (peer !== null) touched.ids.add(peer.id);
      if (before?.hubSlot != null || after?.hubSlot != null) touched.isWhole = true;
    } else if (change.kind === 'item_changed') {
      const item = change.after ?? change.before;
      if (item?.type === 'virtual_ip') touched.ids.add(item.id);
    } else touched.isWhole = true;
    if (this.#isDue) return;
    this.#isDue = true;
    // The fleet has accepted the change by then, and no node was sent anything yet.
    queueMicrotask(() => this.#settle());
  }

  /** Accepts what the fleet has become. */
  #settle(): void {
    this.#isDue = false;
    for (const [networkId, touched] of [...this.#changed]) {
      this.#changed.delete(networkId);
      this.#settleNetwork(networkId, touched);
    }
  }

  #settleNetwork(networkId: string, { isWhole, ids }: Touched): void {
    const index = this.#parts.nodes.network(networkId);
    const term = this.#term;
    const items: Iterable<Item> = isWhole
      ? (index?.items() ?? [])
      : [...ids].flatMap((id) => index?.item(id) ?? []);
    for (const item of items) if (item.type === 'virtual_ip') this.#leases.note(item);
    for (const id of ids) if (index?.item(id) === undefined) this.#leases.forget(id);
    if (isWhole) this.#leases.forgetDeleted(networkId);
    if (term === null) return;
    const sessions = new Set(isWhole ? term.sessionsOfNetwork(networkId) : []);
    for (const id of ids) {
      for (const session of term.sessionsOfPeer(id)) sessions.add(session);
      const isVirtualIp = index?.item(id)?.type === 'virtual_ip';
      if (isVirtualIp || term.has(id)) term.rowChanged(id);
      const session = term.session(id);
      if (session !== undefined) sessions.add(session);
    }
    for (const session of sessions) {
      if (index?.item(session.id) === undefined) term.deleted(session.id);
      else term.refresh(session);
    }
  }

  /** Instances that hold, could hold, or report on those that do; with what each of them holds. */
  #relevantInstances(): ReadonlyMap<string, readonly Holding[]> {
    if (this.#relevant !== null) return this.#relevant;
    const relevant = new Map<string, Holding[]>();
    const add = (instanceId: string | undefined, ...more: Holding[]) => {
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
  readonly id: string;
  readonly holder: string;
}

/** What in a network changed: these peers and virtual IPs, or anything in it. */
interface Touched {
  isWhole: boolean;
  readonly ids: Set<string>;
}

/** Reading all of it again at once would meet the same trouble. */
const beginAgainMs = 500;
