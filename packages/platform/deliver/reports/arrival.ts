// What is known of a machine when its stream begins: where it is, and what it says of itself in its hello.
import type { AccountId, InstanceId } from '@powernode/core/ids';
import type { UnderlayFact } from '@powernode/core/net/underlay';

/** Where a machine is, as its stream and its own reports show. */
export interface ObservedMachine {
  readonly accountId: AccountId;
  readonly instanceId: InstanceId;
  readonly observedAddress: string | null;
  /** Its observed address is its own and is routable. */
  readonly publiclyReachable: boolean;
}

export interface Facts {
  readonly agentVersion: string;
  readonly observedAddress: string | null;
  readonly addresses: readonly string[];
  readonly publiclyReachable: boolean;
  readonly underlay: readonly UnderlayFact[];
  /** IP families in which it reaches others, as it says; empty: not known. */
  readonly families: readonly (4 | 6)[];
}

/** Why FRR cannot be used on a machine, as it says, for people; null: it can. */
export interface RoutingDaemon {
  readonly missing: string | null;
}
