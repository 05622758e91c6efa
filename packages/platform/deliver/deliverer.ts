// What the rest of the platform may ask of delivery. The machinery behind it is in delivery.ts.

import type { Change } from '@powernode/core/compile/fleet-index';
import type { NetworkIndex } from '@powernode/core/compile/network-index';
import type { AccountId, InstanceId, NetworkId, PeerId } from '@powernode/core/ids';
import type { Plan } from '@powernode/core/intent/autonomy';
import type { InstancePresence, PeerPresence } from './presence/view.ts';

/** What is known of one node's state of delivery. Revisions are numbers of the account's changes. */
export interface NodeDelivery {
  readonly desiredRevision: number;
  readonly desiredHash: string;
  readonly appliedRevision: number | null;
  readonly appliedHash: string | null;
  /** It is heard on its stream, whichever process of the platform has it. */
  readonly connected: boolean;
  readonly lastHeartbeatAt: Date | null;
}

export interface Deliverer {
  /** Takes committed changes of an account up to `sequence` and sends them to the nodes they reach. */
  changed(accountId: AccountId, sequence: number, changes?: readonly Change[]): void;
  /** Resolves when every change up to `sequence` has been applied in memory and written to the streams. */
  caughtUp(accountId: AccountId, sequence: number): Promise<void>;
  nodeDelivery(instanceId: InstanceId): NodeDelivery;
  /** What the changes would do to which nodes; nothing is changed. `hostnames` names those in the plan. */
  plan(changes: readonly Change[], hostnameOf: (instanceId: InstanceId) => string): Plan;
  /** The account's newest change that was applied in memory. */
  sequenceOf(accountId: AccountId): number;
  /** Machines whose documents the changes alter once the missing ones before them are applied; nothing is changed. */
  reached(changes: readonly Change[], missing?: readonly Change[]): ReadonlySet<string>;
  network(networkId: NetworkId): NetworkIndex | undefined;
  /** The hub peer that the node's route into the network goes through now, as it last said; null: unknown. */
  hubInUse(instanceId: InstanceId, networkId: NetworkId): string | null;
  /** The spokes that the node reaches without a hub now, as it last said. */
  directPeers(instanceId: InstanceId, networkId: NetworkId): string[];
  connectedCount(): number;
  /** How many problems nodes with a stream in this process have now, by code. */
  problemCounts(): ReadonlyMap<string, number>;
  /** Ids of the account's machines that are heard on their streams. */
  connectedInstances(accountId: AccountId): string[];
  instancePresence(instanceId: InstanceId): InstancePresence;
  peerPresence(peerId: PeerId): PeerPresence;
  /** Ids of the account's peers that are known to be reached, or known not to be. */
  peersThat(accountId: AccountId, reachable: boolean): string[];
  /** Whether a machine's own tunnel to a hub answers its probes; null: unknown. */
  tunnelAnswers(instanceId: InstanceId, hubPeerId: PeerId): boolean | null;
  /** The machine was terminated: its last (empty) document is sent, then its stream ends with `revoked`. */
  instanceEnded(accountId: AccountId, instanceId: InstanceId): void;
  /** Asks a machine, by its stream in whichever process, to apply once more what it took back. */
  retryRolledBack(instanceId: InstanceId): void;
}

/** Of a machine that this process has nothing of in memory. */
export function unknownNode(digest: string): Omit<NodeDelivery, 'connected'> {
  return {
    desiredRevision: 0,
    desiredHash: digest,
    appliedRevision: null,
    appliedHash: null,
    lastHeartbeatAt: null,
  };
}
