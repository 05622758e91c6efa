// What the rest of the platform may ask of delivery. The machinery behind it is next door.
import type { Change } from '@powernode/core/compile/fleet-index';
import type { NetworkIndex } from '@powernode/core/compile/network-index';
import type { Plan } from '@powernode/core/intent/autonomy';

/** What is known of one node's state of delivery. Revisions are numbers of the account's changes. */
export interface NodeDelivery {
  readonly desiredRevision: number;
  readonly desiredHash: string;
  readonly appliedRevision: number | null;
  readonly appliedHash: string | null;
  readonly connected: boolean;
  readonly lastHeartbeatAt: Date | null;
}

export interface Deliverer {
  /** Takes committed changes of an account up to `sequence` and sends them to the nodes they reach. */
  changed(accountId: string, sequence: number, changes?: readonly Change[]): void;
  /** Resolves when every change up to `sequence` has been taken into memory and written to the streams. */
  caughtUp(accountId: string, sequence: number): Promise<void>;
  nodeDelivery(instanceId: string): NodeDelivery;
  /** What the changes would do to which nodes; nothing is changed. `hostnames` names those in the plan. */
  plan(changes: readonly Change[], hostnameOf: (instanceId: string) => string): Plan;
  network(networkId: string): NetworkIndex | undefined;
  /** The hub peer that the node's route into the network goes through now, as it last said; null: unknown. */
  hubInUse(instanceId: string, networkId: string): string | null;
  /** The spokes that the node reaches without a hub now, as it last said. */
  directPeers(instanceId: string, networkId: string): string[];
  connectedCount(): number;
  /** Ids of the account's machines whose stream is open. */
  connectedInstances(accountId: string): string[];
  /** The machine was terminated: its last (empty) document is sent, then its stream ends with `revoked`. */
  instanceEnded(accountId: string, instanceId: string): void;
}
