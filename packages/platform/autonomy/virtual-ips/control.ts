// Who holds which virtual IP: put together from what nodes say (ear.ts), what the fleet is (deliver), which process
// leads (leadership.ts), and the pure machine that decides (core/virtual-ips).
import { performance } from 'node:perf_hooks';
import type { Change } from '@powernode/core/compile/fleet-index';
import type { Item } from '@powernode/core/compile/model';
import { type Candidate, candidatesOf } from '@powernode/core/virtual-ips/candidates';
import type { Terms } from '@powernode/core/virtual-ips/terms';
import type { Logger } from 'pino';
import { v7 as uuidv7 } from 'uuid';
import type { OwnParts } from '../../actions/gate/of-its-own.ts';
import type { Delivery } from '../../deliver/delivery.ts';
import type { VirtualIpRow } from '../../deliver/item-models.ts';
import { inPlatform } from '../../store/tenancy.ts';
import type { Clock } from '../../trust/clock.ts';
import { Bounds } from './bounds.ts';
import { Ear } from './ear.ts';
import { appliedBy, Facts } from './facts.ts';
import { Lead } from './lead.ts';
import type { Leadership } from './leadership.ts';
import { defaultFailoverMode } from './policy.ts';
import { Sights } from './sights.ts';

/** What actions may ask of it. Any process can answer, from what it hears. */
export interface VirtualIpSense {
  /** How fit the candidates of the row are now, in their order. */
  candidates(row: VirtualIpRow): Candidate[];
  /** All that the row's holder may be acting on. */
  terms(row: VirtualIpRow): readonly Terms[];
}

export interface VirtualIpControlParts extends Omit<OwnParts, 'services'> {
  /** They are made with this control among them. */
  readonly services: () => OwnParts['services'];
  readonly delivery: Delivery;
  readonly leadership: Leadership;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface VirtualIpControl extends VirtualIpSense {
  /** Begins to hear nodes. To be called before any can connect. */
  start(): Promise<void>;
  close(): Promise<void>;
}

export function createVirtualIpControl(parts: VirtualIpControlParts): VirtualIpControl {
  return new Control(parts);
}

class Control implements VirtualIpControl {
  readonly #parts: VirtualIpControlParts;
  readonly #sights: Sights;
  readonly #bounds: Bounds;
  readonly #facts: Facts;
  readonly #ear: Ear;
  readonly #unsubscribe: () => void;
  /** Networks that changed, and what in them: peers, or `hubs` for all. */
  readonly #changed = new Map<string, Set<string>>();
  #isDue = false;
  #lead: Lead | null = null;
  #isBeginning = false;
  #matters: ReadonlyMap<string, readonly Holding[]> | null = null;
  #closed = false;

  constructor(parts: VirtualIpControlParts) {
    this.#parts = parts;
    const { delivery, bus, clock, leadership } = parts;
    const steady = () => performance.now();
    const network = (id: string) => delivery.network(id);
    const node = (id: string) => delivery.node(id);
    this.#sights = new Sights(steady);
    const sights = this.#sights;
    this.#bounds = new Bounds({ network, node, applied: (id) => appliedBy({ node, sights }, id) });
    const wall = () => clock.now();
    this.#facts = new Facts({ network, node, sights, bounds: this.#bounds, steady, wall });
    this.#ear = new Ear({
      processId: uuidv7(),
      sights,
      bus,
      clock,
      isShared: leadership.isShared,
      sequenceOf: (accountId) => delivery.sequenceOf(accountId),
      holds: (instanceId, leases) => this.#holds(instanceId, leases),
      matters: (instanceId) => this.#mattering().has(instanceId),
    });
    sights.listener = {
      seen: (instanceId) => this.#seen(instanceId),
      said: (instanceId, peerId) =>
        this.#leading()?.said((id) => delivery.network(id)?.peerOfInstance(instanceId)?.id ?? null, peerId),
    };
    this.#unsubscribe = bus.subscribe((message) => this.#lead?.told(message));
  }

  async start(): Promise<void> {
    const { delivery, leadership, store } = this.#parts;
    const ear = this.#ear;
    delivery.attend({
      arrived: (node, stream, hello) => ear.arrived(node, stream, hello),
      left: (node, stream) => ear.left(node, stream),
      applied: (node, stream) => ear.applied(node, stream),
      paths: (node, stream, message) => ear.paths(node, stream, message),
      hold: (node, stream, message) => ear.hold(node, stream, message),
      changing: (change) => this.#changing(change),
    });
    const rows = await inPlatform(store, (trx) => trx.selectFrom('virtual_ips').selectAll().execute());
    for (const row of rows) this.#bounds.load(row);
    leadership.start(() => this.#leading());
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#unsubscribe();
    this.#ear.close();
    const lead = this.#lead;
    this.#lead = null;
    await lead?.end();
    await this.#parts.leadership.close();
  }

  candidates(row: VirtualIpRow): Candidate[] {
    this.#settle();
    return candidatesOf(this.#facts.stateOf(row, defaultFailoverMode()));
  }

  terms(row: VirtualIpRow): readonly Terms[] {
    const { current_holder_peer_id: holder } = row;
    if (holder === null) return [];
    this.#settle();
    this.#bounds.applied(row.id, holder);
    return this.#bounds.termsOf(row.id, holder);
  }

  /** Whoever may lead next remembers what holders have applied: they may be gone together with the one that leads. */
  #seen(instanceId: string): void {
    const lead = this.#leading();
    if (lead !== null) lead.seen(instanceId);
    else if (this.#parts.leadership.isShared) {
      for (const { id, holder } of this.#mattering().get(instanceId) ?? []) this.#bounds.applied(id, holder);
    }
  }

  /** What leads, when this process does at this very moment. */
  #leading(): Lead | null {
    const leads = !this.#closed && this.#parts.leadership.leads();
    if (!leads && this.#lead !== null) {
      void this.#lead.end();
      this.#lead = null;
    }
    if (leads && this.#lead === null && !this.#isBeginning) void this.#begin();
    return this.#lead?.isReady === true ? this.#lead : null;
  }

  async #begin(): Promise<void> {
    const { delivery, services, log } = this.#parts;
    this.#isBeginning = true;
    const lead = new Lead({
      ...this.#parts,
      services: services(),
      facts: this.#facts,
      bounds: this.#bounds,
      ear: this.#ear,
      steady: () => performance.now(),
      sequenceOf: (accountId) => delivery.sequenceOf(accountId),
      caughtUp: (accountId, sequence) => delivery.caughtUp(accountId, sequence),
      hostnameOf: (instanceId) => delivery.node(instanceId)?.hostname ?? instanceId,
      settle: () => this.#settle(),
    });
    // Told of changes from here on; what it reads may be older.
    this.#lead = lead;
    try {
      await lead.begin();
    } catch (error) {
      void lead.end();
      if (this.#lead === lead) this.#lead = null;
      log.warn({ err: error }, 'virtual IPs could not be read; nobody decides about them yet');
      this.#parts.clock.after(beginAgainMs, () => this.#leading());
    } finally {
      this.#isBeginning = false;
    }
  }

  #holds(
    instanceId: string,
    leases: readonly { readonly virtual_ip_id: string; readonly epoch: number }[],
  ): { virtual_ip_id: string; epoch: number }[] | null {
    const lead = this.#leading();
    if (lead === null) return null;
    this.#settle();
    return leases.filter(({ virtual_ip_id: id, epoch }) => {
      const networkId = lead.watch(id)?.networkId;
      const peer = networkId === undefined ? undefined : this.#parts.delivery.network(networkId);
      const peerId = peer?.peerOfInstance(instanceId)?.id;
      return peerId !== undefined && lead.holds(id, peerId, epoch);
    });
  }

  /** The fleet is as it was after the change before this one. */
  #changing(change: Change): void {
    this.#settle();
    this.#matters = null;
    const networkId =
      change.kind === 'network_created' || change.kind === 'network_updated'
        ? change.network.id
        : change.networkId;
    const touched = this.#changed.get(networkId) ?? new Set<string>();
    this.#changed.set(networkId, touched);
    if (change.kind === 'peer_changed') {
      const { before, after } = change;
      touched.add((after ?? before)?.id ?? '');
      if (before?.hubSlot != null || after?.hubSlot != null) touched.add(everything);
    } else if (change.kind === 'item_changed') {
      const item = change.after ?? change.before;
      if (item?.type === 'virtual_ip') touched.add(item.id);
    } else touched.add(everything);
    if (this.#isDue) return;
    this.#isDue = true;
    // The change is taken by then, and no node was sent anything yet.
    queueMicrotask(() => this.#settle());
  }

  /** Takes what the fleet has become. */
  #settle(): void {
    this.#isDue = false;
    for (const [networkId, touched] of [...this.#changed]) {
      this.#changed.delete(networkId);
      this.#settleNetwork(networkId, touched);
    }
  }

  #settleNetwork(networkId: string, touched: ReadonlySet<string>): void {
    const index = this.#parts.delivery.network(networkId);
    const lead = this.#lead;
    const items: Iterable<Item> = touched.has(everything)
      ? (index?.items() ?? [])
      : [...touched].flatMap((id) => index?.item(id) ?? []);
    for (const item of items) if (item.type === 'virtual_ip') this.#bounds.note(item);
    for (const id of touched) if (index?.item(id) === undefined) this.#bounds.forget(id);
    if (touched.has(everything)) this.#bounds.forgetGone(networkId);
    if (lead === null) return;
    const watches = new Set(touched.has(everything) ? lead.watchesOfNetwork(networkId) : []);
    for (const id of touched) {
      for (const watch of lead.watchesOfPeer(id)) watches.add(watch);
      const item = index?.item(id);
      const isVirtualIp = item?.type === 'virtual_ip';
      if (isVirtualIp || lead.has(id)) lead.changed(id);
      const watch = lead.watch(id);
      if (watch !== undefined) watches.add(watch);
    }
    for (const watch of watches) {
      if (index?.item(watch.id) === undefined) lead.gone(watch.id);
      else lead.refresh(watch);
    }
  }

  /** Machines that hold, could hold, or hear those that do; with what each of them holds. */
  #mattering(): ReadonlyMap<string, readonly Holding[]> {
    if (this.#matters !== null) return this.#matters;
    const matters = new Map<string, Holding[]>();
    const add = (instanceId: string, ...more: Holding[]) => {
      const held = matters.get(instanceId) ?? [];
      held.push(...more);
      matters.set(instanceId, held);
    };
    for (const index of this.#parts.delivery.networks()) {
      let isAny = false;
      for (const item of index.items()) {
        if (item.type !== 'virtual_ip' || item.anycast) continue;
        isAny = true;
        for (const peerId of item.candidates) add(index.peer(peerId)?.instanceId ?? '');
        const { id, holder } = item;
        if (holder !== null) add(index.peer(holder)?.instanceId ?? '', { id, holder });
      }
      if (isAny) for (const hub of index.transit) add(hub.instanceId);
    }
    this.#matters = matters;
    return matters;
  }
}

/** A virtual IP, and the peer that holds it. */
interface Holding {
  readonly id: string;
  readonly holder: string;
}

const everything = 'everything';
/** Reading all of it again at once would meet the same trouble. */
const beginAgainMs = 500;
