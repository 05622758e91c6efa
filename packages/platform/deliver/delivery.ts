// Delivery put together: the fleet in memory, the listener for nodes, their streams, and what they report.

import type { DeltaSubscriber } from '@powernode/core/compile/deltas';
import { formatDigest } from '@powernode/core/compile/digest';
import type { FleetIndex } from '@powernode/core/compile/fleet-index';
import type { NetworkIndex } from '@powernode/core/compile/network-index';
import { ProductError } from '@powernode/core/errors';
import type { AccountId, InstanceId, PublicKey } from '@powernode/core/ids';
import type { Instance } from '@powernode/core/intent/fleet';
import * as nodeStreamLimits from '@powernode/core/limits/node-stream';
import * as presenceLimits from '@powernode/core/limits/presence';
import * as requestsLimits from '@powernode/core/limits/requests';
import type { PathsMessage } from '@powernode/core/wire/node-stream';
import { v7 as uuidv7 } from 'uuid';
import { type JobFigures, JobRunner } from '../coordination/jobs.ts';
import type { BusMessage } from '../events/event-bus.ts';
import type { OverlaySources } from '../observe/overlay-metrics.ts';
import type { InstanceIdentity } from '../trust/authority.ts';
import { createCertificateCheck } from '../trust/certificate-check.ts';
import { createEnrolment } from '../trust/enrol.ts';
import { createRenewal } from '../trust/renew.ts';
import { DeliveryCounters } from './counters.ts';
import { type Deliverer, type NodeDelivery, unknownNode } from './deliverer.ts';
import type { Delivery, DeliveryOptions, FleetSubscriber, Served } from './delivery-port.ts';
import { changeSource, loadDelivery, loadInstance } from './load.ts';
import { Dispatcher } from './nodes/dispatcher.ts';
import type { NodeState } from './nodes/node-state.ts';
import { instancesReached, planChanges } from './nodes/plan.ts';
import { replay } from './nodes/replay.ts';
import { fillNodes, nodeFromRow } from './nodes/start.ts';
import { overlayFigures } from './presence/figures.ts';
import { Presence } from './presence/presence.ts';
import { DirectAndDeviceKeys } from './reports/direct-and-device-keys.ts';
import { PeerHandshakes } from './reports/peer-handshakes.ts';
import { directPeers, hubInUse, Reports } from './reports/reports.ts';
import { keysRetiredBy } from './reports/retired-keys.ts';
import { CertificateUses } from './stream/certificate-uses.ts';
import { EndedCertificates } from './stream/ended-certificates.ts';
import { type Address, type NodeListener, openNodeListener } from './stream/node-listener.ts';
import { ignoringSubscriber } from './stream/node-stream-subscriber.ts';
import { Streams } from './stream/streams.ts';

const nothingServed: Served = { downloads: null };

export async function createDelivery(options: DeliveryOptions): Promise<Delivery> {
  const loaded = await loadDelivery(options.store, options.loadFleet);
  const { fleet, impacts } = replay(loaded.model, loaded.changes);
  const handshakes = new PeerHandshakes();
  const keys = new DirectAndDeviceKeys();
  for (const network of fleet.networks()) keys.load(network);
  const running = new RunningDelivery(options, fleet, { handshakes, keys });
  const { dispatcher } = running;
  for (const [accountId, sequence] of loaded.sequences) dispatcher.load(accountId, sequence);
  fillNodes(dispatcher.nodes, { fleet, table: dispatcher.table, impacts, loaded });
  for (const network of fleet.networks()) {
    for (const peer of network.peers()) {
      const last = loaded.lastHandshakes.get(peer.publicKey) ?? null;
      handshakes.load(network.network.accountId, peer, last, options.clock.now());
    }
  }
  running.presence.load({ machines: loaded.instances, unreachable: loaded.unreachable });
  running.start();
  return running;
}

class RunningDelivery implements Delivery {
  readonly dispatcher: Dispatcher;
  readonly presence: Presence;
  readonly #lost = Promise.withResolvers<ProductError>();
  readonly lost = this.#lost.promise;
  readonly #options: DeliveryOptions;
  readonly #counters = new DeliveryCounters();
  readonly #reports: Reports;
  readonly #streams: Streams;
  readonly #jobs: JobRunner;
  readonly #unsubscribe: () => void;
  readonly #listeners: NodeListener[] = [];
  readonly #endedCertificates: EndedCertificates;
  readonly #lastHandshakeMs: (publicKey: PublicKey) => number | null;
  #subscriber: FleetSubscriber = { ...ignoringSubscriber, onDelta: () => undefined };
  #closed = false;

  constructor(
    options: DeliveryOptions,
    fleet: FleetIndex,
    { handshakes, keys }: { readonly handshakes: PeerHandshakes; readonly keys: DirectAndDeviceKeys },
  ) {
    const { store, bus, clock, log, platformVersion, onObserved, onDirectEndpoint } = options;
    this.#options = options;
    this.#lastHandshakeMs = (publicKey) => handshakes.of(publicKey)?.lastHandshakeMs ?? null;
    this.#endedCertificates = new EndedCertificates(store, clock);
    const subscribers: DeltaSubscriber[] = [];
    this.dispatcher = new Dispatcher({
      fleet,
      source: changeSource(store, this.#lost.resolve),
      clock,
      soon: setImmediate,
      counters: this.#counters,
      log,
      subscribers,
    });
    const processId = uuidv7();
    const parts = { store, bus, clock, log, fleet };
    this.presence = new Presence({
      ...parts,
      processId,
      hostnameOf: (instanceId) => this.dispatcher.nodes.get(instanceId)?.hostname,
      handshakeMs: this.#lastHandshakeMs,
    });
    this.#reports = new Reports({
      ...parts,
      handshakes,
      keys,
      onObserved,
      onDirectEndpoint,
      changed: (accountId, sequence, changes) => {
        this.dispatcher.changed(accountId, sequence, changes);
        bus.publish({ kind: 'changed', accountId, sequence });
      },
      isHeard: (instanceId) => this.dispatcher.nodes.get(instanceId)?.stream != null,
      deleted: (node) => this.#ended(node.accountId, node.instanceId),
    });
    const subscriber: DeltaSubscriber = { onDelta: (delta) => this.#subscriber.onDelta(delta) };
    subscribers.push(this.presence, handshakes, keys, this.#reports, this.#retiredKeys(), subscriber);
    this.#streams = new Streams({
      dispatcher: this.dispatcher,
      reports: this.#reports,
      subscriber: this.#streamSubscriber(),
      counters: this.#counters,
      clock,
      log,
      platformVersion,
      others: { processId, bus, holderOf: (instanceId) => this.presence.holderElsewhere(instanceId) },
    });
    this.#jobs = new JobRunner({ clock, log, random: Math.random, leader: null });
    this.#unsubscribe = bus.subscribe((message) => this.#onBusMessage(message));
  }

  /** What streams say goes to presence and to the subscriber of nodes. */
  #streamSubscriber(): ConstructorParameters<typeof Streams>[0]['subscriber'] {
    return {
      arrived: (node, stream, hello) => {
        this.presence.arrived(node);
        this.#publishCapability(node);
        this.#subscriber.arrived(node, stream, hello);
      },
      left: (node, stream) => {
        // Not so when another stream of the machine took over.
        if (node.stream === null) this.presence.left(node);
        this.#subscriber.left(node, stream);
      },
      probed: (node, _stream, message) => this.presence.probed(node, message),
      applied: (node, stream) => this.#subscriber.applied(node, stream),
      paths: (node, stream, message) => this.#subscriber.paths(node, stream, this.#ofItsOwn(node, message)),
      renewLeases: (node, stream, message) => this.#subscriber.renewLeases(node, stream, message),
      checked: (node, stream, found) => this.#subscriber.checked(node, stream, found),
    };
  }

  /** Tells nodes which of their keys are spent. */
  #retiredKeys(): DeltaSubscriber {
    return {
      onDelta: (delta) => {
        for (const { instanceId, publicKey } of keysRetiredBy(delta)) {
          this.dispatcher.nodes.get(instanceId)?.stream?.retireKeys([publicKey]);
        }
      },
    };
  }

  start(): void {
    const { dispatcher } = this;
    const reports = this.#reports;
    const streams = this.#streams;
    const every = (name: string, intervalMs: number, run: () => void | Promise<void>, firstMs = intervalMs) =>
      this.#jobs.add({ name, intervalMs, firstMs, runsOn: 'every_process', run });
    every('stream_pings', nodeStreamLimits.streamPingMs / nodeStreamLimits.streamGroups, () =>
      streams.tick(),
    );
    every('ended_certificates', requestsLimits.rightsLookMs, () => this.#endOutlived());
    every('presence', presenceLimits.presenceTickMs, () => this.presence.tick());
    every('missed_changes', nodeStreamLimits.catchUpMs, () => dispatcher.catchUp());
    every('heartbeats', nodeStreamLimits.heartbeatFlushMs, () => reports.heartbeats(streams.nodes()));
    const firstSweepMs = nodeStreamLimits.silenceGraceMs + nodeStreamLimits.silenceSweepMs;
    every('silent_peers', nodeStreamLimits.silenceSweepMs, () => reports.sweepSilence(), firstSweepMs);
  }

  async listen(address: Address, served: Served = nothingServed): Promise<{ readonly port: number }> {
    const { store, authority } = this.#options;
    const listener = await openNodeListener(
      {
        ...this.#options,
        ...served,
        counters: this.#counters,
        enrol: createEnrolment(this.#options),
        renew: createRenewal({ store, authority }),
        check: createCertificateCheck(store),
        uses: new CertificateUses(),
        waitMs: (node) => this.#streams.waitMs(node),
        leave: (identity) => this.#leave(identity),
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

  nodeDelivery(instanceId: InstanceId): NodeDelivery {
    const node = this.dispatcher.nodes.get(instanceId);
    const connected = this.presence.isOnline(instanceId);
    // It may have its stream in another process and be in no network yet.
    if (node === undefined) return { ...unknownNode(this.dispatcher.fleet.digest(instanceId)), connected };
    return {
      desiredRevision: node.desiredRevision,
      desiredHash: formatDigest(node.digest),
      appliedRevision: node.applied?.revision ?? null,
      appliedHash: node.applied?.hash ?? null,
      connected,
      lastHeartbeatAt: node.lastHeartbeatMs === null ? null : new Date(node.lastHeartbeatMs),
    };
  }

  plan: Deliverer['plan'] = (changes, hostnameOf) => planChanges(this.dispatcher.fleet, changes, hostnameOf);

  reached: Deliverer['reached'] = (changes, missing = []) =>
    instancesReached(this.dispatcher.fleet, { changes, missing });

  network: Deliverer['network'] = (networkId) => this.dispatcher.fleet.network(networkId);

  hubInUse: Deliverer['hubInUse'] = (instanceId, networkId) =>
    hubInUse(this.dispatcher.fleet, this.dispatcher.nodes.get(instanceId), networkId);

  directPeers: Deliverer['directPeers'] = (instanceId, networkId) =>
    directPeers(this.dispatcher.fleet, this.dispatcher.nodes.get(instanceId), networkId);

  connectedCount: Deliverer['connectedCount'] = () => this.#streams.count;

  problemCounts: Deliverer['problemCounts'] = () => {
    const counts = new Map<string, number>();
    for (const node of this.#streams.nodes()) {
      for (const { code } of node.problems) counts.set(code, (counts.get(code) ?? 0) + 1);
    }
    return counts;
  };

  connectedInstances: Deliverer['connectedInstances'] = (accountId) =>
    this.presence.view.onlineInstances(accountId);

  instancePresence: Deliverer['instancePresence'] = (instanceId) => this.presence.view.instance(instanceId);

  peerPresence: Deliverer['peerPresence'] = (peerId) => this.presence.view.peer(peerId);

  peersThat: Deliverer['peersThat'] = (accountId, reachable) =>
    this.presence.view.peersThat(accountId, reachable);

  tunnelAnswers: Deliverer['tunnelAnswers'] = (instanceId, hubPeerId) =>
    this.presence.view.answers(instanceId, hubPeerId);

  instanceEnded: Deliverer['instanceEnded'] = (accountId, instanceId) => {
    this.#ended(accountId, instanceId);
    this.#options.bus.publish({ kind: 'instance_ended', accountId, instanceId });
  };

  /** Only published: the bus calls this process as well, and a node that is asked twice would try twice. */
  retryRolledBack: Deliverer['retryRolledBack'] = (instanceId) =>
    this.#options.bus.publish({ kind: 'retry', instanceId });

  subscribe(subscriber: FleetSubscriber): void {
    this.#subscriber = subscriber;
  }

  node(instanceId: InstanceId): NodeState | undefined {
    return this.dispatcher.nodes.get(instanceId);
  }

  networks(): IterableIterator<NetworkIndex> {
    return this.dispatcher.fleet.networks();
  }

  figures(): Omit<OverlaySources, 'stored'> {
    return overlayFigures({
      networks: () => this.dispatcher.fleet.networks(),
      presence: this.presence.view,
      nodes: this.dispatcher.nodes,
      lastHandshakeMs: this.#lastHandshakeMs,
    });
  }

  sequenceOf(accountId: AccountId): number {
    return this.dispatcher.sequenceOf(accountId);
  }

  counters(): Readonly<Record<string, number>> {
    return this.#counters.list();
  }

  jobs(): readonly JobFigures[] {
    return this.#jobs.figures();
  }

  onBatch(observe: (elapsedMs: number) => void): void {
    this.#counters.onBatch = observe;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#unsubscribe();
    const jobsEnded = this.#jobs.stop();
    this.dispatcher.close();
    await this.#streams.close();
    await Promise.all(this.#listeners.map((listener) => listener.close()));
    await this.#reports.close();
    await this.presence.close();
    await jobsEnded;
  }

  #onBusMessage(message: BusMessage): void {
    if (message.kind === 'changed') this.dispatcher.changed(message.accountId, message.sequence);
    if (message.kind === 'instance_ended') this.#ended(message.accountId, message.instanceId);
    if (message.kind === 'capability') this.#onCapability(message);
    if (message.kind === 'retry') this.dispatcher.nodes.get(message.instanceId)?.stream?.retry();
    if (message.kind === 'event' && message.event.kind === 'system.instance.updated') {
      this.#renamed(message.event.payload['after']);
    }
  }

  /** Other processes compare the document of the node with what it has applied, too. */
  #publishCapability(node: NodeState): void {
    const { instanceId, capability } = node;
    if (capability === node.publishedCapability) return;
    node.publishedCapability = capability;
    this.#options.bus.publish({ kind: 'capability', instanceId, capability });
  }

  /** The stream is in another process; a node with a stream here has said its capability in its hello. */
  #onCapability({ instanceId, capability }: Extract<BusMessage, { kind: 'capability' }>): void {
    const node = this.dispatcher.nodes.get(instanceId);
    if (node === undefined || node.stream !== null) return;
    node.publishedCapability = capability;
    node.speaks(capability, this.dispatcher);
  }

  /** Later events and reports name the instance by its new hostname. */
  #renamed(after: unknown): void {
    const { id, hostname } = after as Instance;
    this.dispatcher.nodes.get(id)?.name(hostname);
  }

  /** A machine that leaves has ended its own stream: whoever still answers on it is another one with its identity. */
  async #leave({ accountId, instanceId }: InstanceIdentity): Promise<void> {
    const node = this.dispatcher.nodes.get(instanceId);
    if (node !== undefined && (await this.#streams.isThere(node))) {
      throw new ProductError(
        'conflict',
        'Another instance is connected with this identity, so the platform keeps it. To leave locally only, run "powernode agent leave --local".',
      );
    }
    await this.#options.onLeave({ accountId, instanceId });
  }

  /** What a machine says of peers that are in none of its networks is nothing to keep. */
  #ofItsOwn(node: NodeState, message: PathsMessage): PathsMessage {
    const networks = this.dispatcher.fleet.networksOf(node.instanceId);
    const peers = message.peers.filter(({ peer_id }) =>
      networks.some((one) => one.peer(peer_id) !== undefined),
    );
    return { ...message, peers };
  }

  /** What the machine is to remove is sent first, but the end of its stream waits for nothing for long. */
  #ended(accountId: AccountId, instanceId: InstanceId): void {
    const node = this.dispatcher.nodes.get(instanceId);
    if (node === undefined || node.ended) return;
    node.ended = true;
    const late = new Promise<void>((resolve) =>
      this.#options.clock.after(nodeStreamLimits.lastDocumentMs, resolve),
    );
    this.presence.ended(instanceId);
    void Promise.race([this.dispatcher.settled(accountId), late]).then(() => {
      this.#streams.revoke(instanceId);
      this.dispatcher.nodes.delete(instanceId);
    });
  }

  /** Ends streams whose certificate has expired, and those that another process ended while its message was lost. */
  async #endOutlived(): Promise<void> {
    this.#streams.endExpired();
    if (this.#streams.count === 0) return;
    for (const ended of await this.#endedCertificates.look()) {
      if (ended.isTerminated) this.#ended(ended.accountId, ended.instanceId);
      else this.#streams.endOthers(ended.instanceId, ended.serials);
    }
  }

  async #nodeOf(identity: InstanceIdentity): Promise<NodeState | null> {
    const { nodes } = this.dispatcher;
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
    const node = nodeFromRow(row, this.dispatcher);
    nodes.set(node.instanceId, node);
    return node;
  }
}
