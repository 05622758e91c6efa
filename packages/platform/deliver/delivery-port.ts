// What delivery is given, and what it does for the rest of the platform.
import type { DeltaSubscriber } from '@powernode/core/compile/deltas';
import type { NetworkIndex } from '@powernode/core/compile/network-index';
import type { ProductError } from '@powernode/core/errors';
import type { AccountId, InstanceId } from '@powernode/core/ids';
import type { Logger } from 'pino';
import type { JobFigures } from '../coordination/jobs.ts';
import type { EventBus } from '../events/event-bus.ts';
import type { Downloads } from '../install/packages.ts';
import type { OverlaySources } from '../observe/overlay-metrics.ts';
import type { Store } from '../store/open-store.ts';
import type { Authority, ServerKey } from '../trust/authority.ts';
import type { Clock } from '../trust/clock.ts';
import type { Deliverer } from './deliverer.ts';
import type { LoadFleet } from './load.ts';
import type { NodeState } from './nodes/node-state.ts';
import type { OnDirectEndpoint } from './reports/direct-endpoints.ts';
import type { OnObserved } from './reports/placement.ts';
import type { Address } from './stream/node-listener.ts';
import type { NodeStreamSubscriber } from './stream/node-stream-subscriber.ts';

export interface DeliveryOptions {
  readonly store: Pick<Store, 'db'>;
  readonly bus: EventBus;
  readonly authority: Authority;
  readonly log: Logger;
  readonly clock: Clock;
  readonly platformVersion: string;
  readonly loadFleet: LoadFleet;
  /** Decides what follows for a machine's peers when it is elsewhere than before. Called again after a failure. */
  readonly onObserved: OnObserved;
  /** Decides what follows when hubs see where a spoke's leaf interface is. Called again after a failure. */
  readonly onDirectEndpoint: OnDirectEndpoint;
  /** Ends the instance of a machine that has left. */
  readonly onLeave: (machine: {
    readonly accountId: AccountId;
    readonly instanceId: InstanceId;
  }) => Promise<void>;
}

export interface Delivery extends Deliverer {
  /** Opens the listener for nodes; port 0 takes a free one. */
  listen(address: Address, served?: Served): Promise<{ readonly port: number }>;
  counters(): Readonly<Record<string, number>>;
  /** From here on, the subscriber gets the leases, path reports and applied revisions of nodes, and each delta. */
  subscribe(subscriber: FleetSubscriber): void;
  /** What is held in memory of a machine. */
  node(instanceId: InstanceId): NodeState | undefined;
  networks(): IterableIterator<NetworkIndex>;
  /** What the overlays are like now, as far as it is in memory. */
  figures(): Omit<OverlaySources, 'stored'>;
  /** Of its periodic jobs in this process. */
  jobs(): readonly JobFigures[];
  /** Called with the time from the commit of a batch of changes until all streams that it reaches were written. */
  onBatch(observe: (elapsedMs: number) => void): void;
  /** Settles when this process cannot follow the fleet any more and has to start anew. */
  readonly lost: Promise<ProductError>;
  close(): Promise<void>;
}

/** What the listener for nodes has for machines that are none yet. */
export interface Served {
  readonly downloads: Downloads | null;
  /** The key that their install command pins. */
  readonly key?: ServerKey | undefined;
}

/** Called for messages of nodes, and with what each change did to the fleet in memory. */
export interface FleetSubscriber extends Omit<NodeStreamSubscriber, 'probed'>, DeltaSubscriber {}
