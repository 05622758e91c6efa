// Delivery put together: the fleet in memory, the listener for nodes, their streams, and what they report.

import { formatDigest } from '@powernode/core/compile/digest';
import type { Change, FleetIndex } from '@powernode/core/compile/fleet-index';
import type { NetworkIndex } from '@powernode/core/compile/network-index';
import type { Instance } from '@powernode/core/intent/fleet';
import * as limits from '@powernode/core/limits';
import type { Logger } from 'pino';
import type { BusMessage, EventBus } from '../events/event-bus.ts';
import type { Store } from '../store/open-store.ts';
import type { Authority, InstanceIdentity } from '../trust/authority.ts';
import { createCertificateCheck } from '../trust/certificate-check.ts';
import type { Clock } from '../trust/clock.ts';
import { createEnrolment } from '../trust/enrol.ts';
import { createRenewal } from '../trust/renew.ts';
import { DeliveryCounters } from './counters.ts';
import type { Deliverer, NodeDelivery } from './deliverer.ts';
import { changeSource, loadDelivery, loadInstance } from './load.ts';
import { Dispatcher } from './nodes/dispatcher.ts';
import type { NodeState } from './nodes/node-state.ts';
import { planChanges } from './nodes/plan.ts';
import { replay } from './nodes/replay.ts';
import { fillNodes, nodeFromRow } from './nodes/start.ts';
import type { OnDirectPlace } from './reports/direct-places.ts';
import type { OnObserved } from './reports/placement.ts';
import { directPeers, hubInUse, Reports } from './reports/reports.ts';
import { SideKeys } from './reports/side-keys.ts';
import { PeerSights } from './reports/sights.ts';
import { keysSpentBy } from './reports/spent-keys.ts';
import { Rounds } from './rounds.ts';
import { type Attendant, noAttendant } from './stream/attendant.ts';
import { type Address, type NodeListener, openNodeListener } from './stream/node-listener.ts';
import { Streams } from './stream/streams.ts';

export interface DeliveryOptions {
  readonly store: Pick<Store, 'db'>;
  readonly bus: EventBus;
  readonly authority: Authority;
  readonly log: Logger;
  readonly clock: Clock;
  readonly platformVersion: string;
  /** Decides what follows for a machine's peers when it is elsewhere than before. Called again after a failure. */
  readonly onObserved: OnObserved;
  /** Decides what follows when hubs see where a spoke's leaf interface is. Called again after a failure. */
  readonly onDirectPlace: OnDirectPlace;
}

export interface Delivery extends Deliverer {
  /** Opens the listener for nodes; port 0 takes a free one. */
  listen(address: Address): Promise<{ readonly port: number }>;
  /** Ends a machine's stream in this process, and lets it open no other one. */
  revoke(instanceId: string): void;
  counters(): Readonly<Record<string, number>>;
  /** From here on, what holders of addresses and their witnesses say is told to the attendant, and each change. */
  attend(attendant: FleetAttendant): void;
  /** What is held in memory of a machine. */
  node(instanceId: string): NodeState | undefined;
  networks(): IterableIterator<NetworkIndex>;
  /** The account's newest change that was taken into memory. */
  sequenceOf(accountId: string): number;
  /** Called with the time from the commit of a batch of changes until all streams that it reaches were written. */
  onBatch(observe: (elapsedMs: number) => void): void;
  close(): Promise<void>;
}

/** Who is told, beside what nodes say, of every change before the fleet takes it. */
export interface FleetAttendant extends Attendant {
  changing(change: Change): void;
}

export async function createDelivery(options: DeliveryOptions): Promise<Delivery> {
  const loaded = await loadDelivery(options.store);
  const { fleet, effects } = replay(loaded.model, loaded.changes);
  const sights = new PeerSights();
  const keys = new SideKeys();
  for (const network of fleet.networks()) keys.load(network);
  const running = new RunningDelivery(options, fleet, { sights, keys });
  const { dispatcher } = running;
  for (const [accountId, sequence] of loaded.sequences) dispatcher.load(accountId, sequence);
  fillNodes(dispatcher.nodes, { fleet, effects, loaded });
  for (const network of fleet.networks()) {
    for (const peer of network.peers()) {
      const last = loaded.lastHandshakes.get(peer.publicKey) ?? null;
      sights.load(network.network.accountId, peer, last, options.clock.now());
    }
  }
  running.start();
  return running;
}

class RunningDelivery implements Delivery {
  readonly dispatcher: Dispatcher;
  readonly #options: DeliveryOptions;
  readonly #counters = new DeliveryCounters();
  readonly #reports: Reports;
  readonly #streams: Streams;
  readonly #rounds: Rounds;
  readonly #unsubscribe: () => void;
  readonly #listeners: NodeListener[] = [];
  #attendant: FleetAttendant = { ...noAttendant, changing: () => undefined };
  #closed = false;

  constructor(
    options: DeliveryOptions,
    fleet: FleetIndex,
    known: { readonly sights: PeerSights; readonly keys: SideKeys },
  ) {
    const { store, bus, clock, log, platformVersion, onObserved, onDirectPlace } = options;
    const { sights, keys } = known;
    this.#options = options;
    this.dispatcher = new Dispatcher({
      fleet,
      source: changeSource(store),
      clock,
      soon: setImmediate,
      counters: this.#counters,
      log,
      onChange: (change) => {
        this.#attendant.changing(change);
        sights.changing(change, fleet);
        keys.changing(change, fleet);
        this.#reports.changing(change);
        for (const { instanceId, publicKey } of keysSpentBy(change, fleet)) {
          this.dispatcher.nodes.get(instanceId)?.stream?.spent([publicKey]);
        }
      },
    });
    this.#reports = new Reports({
      store,
      bus,
      clock,
      log,
      fleet,
      sights,
      keys,
      onObserved,
      onDirectPlace,
      changed: (accountId, sequence, changes) => {
        this.dispatcher.changed(accountId, sequence, changes);
        bus.publish({ kind: 'changed', accountId, sequence });
      },
      gone: (node) => this.#ended(node.accountId, node.instanceId),
    });
    this.#streams = new Streams({
      dispatcher: this.dispatcher,
      reports: this.#reports,
      attendant: {
        arrived: (node, stream, hello) => this.#attendant.arrived(node, stream, hello),
        left: (node, stream) => this.#attendant.left(node, stream),
        applied: (node, stream) => this.#attendant.applied(node, stream),
        paths: (node, stream, message) => this.#attendant.paths(node, stream, message),
        hold: (node, stream, message) => this.#attendant.hold(node, stream, message),
      },
      counters: this.#counters,
      clock,
      log,
      platformVersion,
    });
    this.#rounds = new Rounds(clock, log);
    this.#unsubscribe = bus.subscribe((message) => this.#told(message));
  }

  start(): void {
    const { dispatcher } = this;
    const reports = this.#reports;
    const streams = this.#streams;
    this.#rounds.every(limits.streamPingMs / limits.streamGroups, () => streams.tick());
    this.#rounds.every(limits.catchUpMs, () => dispatcher.catchUp());
    this.#rounds.every(limits.heartbeatFlushMs, () => reports.heartbeats(streams.nodes()));
    this.#rounds.once(limits.silenceGraceMs, () => {
      this.#rounds.every(limits.silenceSweepMs, () => reports.sweepSilence());
    });
  }

  async listen(address: Address): Promise<{ readonly port: number }> {
    const { store, authority } = this.#options;
    const listener = await openNodeListener(
      {
        ...this.#options,
        counters: this.#counters,
        enrol: createEnrolment(this.#options),
        renew: createRenewal({ store, authority }),
        check: createCertificateCheck(store),
        nodeOf: (identity) => this.#nodeOf(identity),
        opened: (stream) => this.#streams.open(stream),
      },
      address,
    );
    this.#listeners.push(listener);
    return { port: listener.port };
  }

  changed: Deliverer['changed'] = (accountId, sequence, changes) =>
    this.dispatcher.changed(accountId, sequence, changes);

  caughtUp: Deliverer['caughtUp'] = (accountId, sequence) => this.dispatcher.caughtUp(accountId, sequence);

  nodeDelivery(instanceId: string): NodeDelivery {
    const node = this.dispatcher.nodes.get(instanceId);
    if (node === undefined) return unknownNode(this.dispatcher.fleet.digest(instanceId));
    return {
      desiredRevision: node.desiredRevision,
      desiredHash: formatDigest(node.digest),
      appliedRevision: node.applied?.revision ?? null,
      appliedHash: node.applied?.hash ?? null,
      connected: node.stream !== null,
      lastHeartbeatAt: node.lastHeartbeatMs === null ? null : new Date(node.lastHeartbeatMs),
    };
  }

  plan: Deliverer['plan'] = (changes, hostnameOf) => planChanges(this.dispatcher.fleet, changes, hostnameOf);

  network: Deliverer['network'] = (networkId) => this.dispatcher.fleet.network(networkId);

  hubInUse: Deliverer['hubInUse'] = (instanceId, networkId) =>
    hubInUse(this.dispatcher.fleet, this.dispatcher.nodes.get(instanceId), networkId);

  directPeers: Deliverer['directPeers'] = (instanceId, networkId) =>
    directPeers(this.dispatcher.fleet, this.dispatcher.nodes.get(instanceId), networkId);

  connectedCount: Deliverer['connectedCount'] = () => this.#streams.count;

  connectedInstances: Deliverer['connectedInstances'] = (accountId) =>
    Array.from(this.#streams.nodes()).flatMap((node) =>
      node.accountId === accountId ? [node.instanceId] : [],
    );

  instanceEnded: Deliverer['instanceEnded'] = (accountId, instanceId) => {
    this.#ended(accountId, instanceId);
    this.#options.bus.publish({ kind: 'instance_ended', accountId, instanceId });
  };

  revoke(instanceId: string): void {
    const node = this.dispatcher.nodes.get(instanceId);
    if (node === undefined) return;
    node.ended = true;
    node.stream?.end('revoked');
  }

  attend(attendant: FleetAttendant): void {
    this.#attendant = attendant;
  }

  node(instanceId: string): NodeState | undefined {
    return this.dispatcher.nodes.get(instanceId);
  }

  networks(): IterableIterator<NetworkIndex> {
    return this.dispatcher.fleet.networks();
  }

  sequenceOf(accountId: string): number {
    return this.dispatcher.sequenceOf(accountId);
  }

  counters(): Readonly<Record<string, number>> {
    return this.#counters.list();
  }

  onBatch(observe: (elapsedMs: number) => void): void {
    this.#counters.onBatch = observe;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#unsubscribe();
    this.#rounds.stop();
    this.dispatcher.close();
    await this.#streams.close();
    await Promise.all(this.#listeners.map((listener) => listener.close()));
    await this.#reports.close();
  }

  #told(message: BusMessage): void {
    if (message.kind === 'changed') this.dispatcher.changed(message.accountId, message.sequence);
    if (message.kind === 'instance_ended') this.#ended(message.accountId, message.instanceId);
    if (message.kind === 'event' && message.event.kind === 'system.instance.updated') {
      this.#renamed(message.event.payload['after']);
    }
  }

  /** What is told of the machine from here on calls it by its new name. */
  #renamed(after: unknown): void {
    const { id, hostname } = after as Instance;
    this.dispatcher.nodes.get(id)?.name(hostname);
  }

  /** What the machine is to remove is sent first, but the end of its stream waits for nothing for long. */
  #ended(accountId: string, instanceId: string): void {
    const node = this.dispatcher.nodes.get(instanceId);
    if (node === undefined || node.ended) return;
    node.ended = true;
    const late = new Promise<void>((resolve) => this.#options.clock.after(limits.lastWordsMs, resolve));
    void Promise.race([this.dispatcher.settled(accountId), late]).then(() => {
      node.stream?.end('revoked');
      this.dispatcher.nodes.delete(instanceId);
    });
  }

  async #nodeOf(identity: InstanceIdentity): Promise<NodeState | null> {
    const { nodes, fleet } = this.dispatcher;
    const known = nodes.get(identity.instanceId);
    if (known !== undefined && known.named) return known.ended ? null : known;
    const row = await loadInstance(this.#options.store, identity);
    if (row === null || row.terminated_at !== null) return null;
    // Meanwhile another stream of the machine, or a change that reaches it, may have made it known.
    const now = nodes.get(identity.instanceId);
    if (now !== undefined) {
      now.name(row.hostname);
      return now.ended ? null : now;
    }
    const node = nodeFromRow(row, { fleet, sequence: this.dispatcher.sequenceOf(row.account_id) });
    nodes.set(node.instanceId, node);
    return node;
  }
}

function unknownNode(digest: string): NodeDelivery {
  return {
    desiredRevision: 0,
    desiredHash: digest,
    appliedRevision: null,
    appliedHash: null,
    connected: false,
    lastHeartbeatAt: null,
  };
}
