// The ports of the failover controller: rows, bus, clock and nodes. Production gives it PostgreSQL, the event bus, the
// machine's clock and delivery; the simulation (suites/simulation/failover) gives it its own of each.

import type { NetworkIndex } from '@powernode/core/compile/network-index';
import type { AccountId, Id, InstanceId, NetworkId, PeerId } from '@powernode/core/ids';
import type { PolicyMode } from '@powernode/core/intent/autonomy';
import type { Effect } from '@powernode/core/virtual-ips/state';
import type { Terms } from '@powernode/core/virtual-ips/terms';
import type { VirtualIpRow } from '../../actions/sdwan/virtual-ips/model.ts';
import type { FleetSubscriber } from '../../deliver/delivery-port.ts';
import type { NodeState } from '../../deliver/nodes/node-state.ts';

/** A request of the platform to its operators that nobody has decided yet. */
export interface PendingRequest {
  readonly id: Id<'approval'>;
  readonly virtualIpId: Id<'virtual_ip'>;
  readonly target: PeerId;
}

export type WriteEffect = Exclude<Effect, { kind: 'acknowledge' | 'wake' | 'confirm_expiry' }>;

/** What the leader wants written. One transaction writes it, or throws and has written nothing. */
export interface Decision {
  readonly accountId: AccountId;
  readonly virtualIpId: Id<'virtual_ip'>;
  readonly effect: WriteEffect;
  /** The row that was decided about. Another epoch or holder makes the decision stale. */
  readonly expected: { readonly epoch: number; readonly holder: PeerId | null };
  /** The request that this process has waiting for the virtual IP. */
  readonly approvalId: Id<'approval'> | null;
  /**
   * Called under the account's lock with the number of the change that is about to be written. Throws StaleDecision
   * when the controller does not know all changes before it, or is not certain any more of what it decided.
   */
  readonly confirm: (sequence: number) => void;
  /** All that the holder may be acting on. Called after `confirm`. */
  readonly oldTerms: (peerId: PeerId) => readonly Terms[];
  /** Called after the commit, before any node is sent what follows. */
  readonly committed: (row: VirtualIpRow) => void;
  /** Called after the commit with the request that waits from here on; null: none does. */
  readonly requested: (request: { readonly id: Id<'approval'>; readonly target: PeerId } | null) => void;
}

/** The decision does not hold any more. `behind`: changes up to that number have to be accepted first. */
export class StaleDecision extends Error {
  readonly behind: number | null;
  constructor(why: string, behind: number | null = null) {
    super(why);
    this.behind = behind;
  }
}

/** All that a process reads before it decides anything. */
export interface LeaderSnapshot {
  readonly rows: readonly VirtualIpRow[];
  readonly modes: Map<AccountId, PolicyMode>;
  readonly requests: readonly PendingRequest[];
}

export interface FailoverRows {
  all(): Promise<readonly VirtualIpRow[]>;
  byId(ids: readonly Id<'virtual_ip'>[]): Promise<readonly VirtualIpRow[]>;
  snapshot(): Promise<LeaderSnapshot>;
  /** The fail-over policy of each account that has set one. */
  modes(): Promise<Map<AccountId, PolicyMode>>;
  /** The status of each of these requests. */
  requestStatuses(ids: readonly Id<'approval'>[]): Promise<ReadonlyMap<Id<'approval'>, string>>;
  /** Only the leading process may commit: it is checked in the same transaction. */
  write(decision: Decision): Promise<void>;
  /** The virtual IP was deleted, and with it the reason for the request. */
  withdrawRequest(accountId: AccountId, approvalId: Id<'approval'>): Promise<void>;
}

/** The fleet in memory, and the streams of its nodes in this process. */
export interface FleetNodes {
  network(networkId: NetworkId): NetworkIndex | undefined;
  networks(): Iterable<NetworkIndex>;
  node(instanceId: InstanceId): NodeState | undefined;
  /** The account's newest change that was accepted into memory. */
  sequenceOf(accountId: AccountId): number;
  /** Resolves when all changes up to this number were accepted and their nodes written to. */
  caughtUp(accountId: AccountId, sequence: number): Promise<void>;
  subscribe(subscriber: FleetSubscriber): void;
}
