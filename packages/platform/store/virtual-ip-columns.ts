// What columns of virtual IPs have that are more than a value.
import type { InstanceId, PeerId } from '@powernode/core/ids';
import type { Reason } from '@powernode/core/virtual-ips/state';
import type { Terms } from '@powernode/core/virtual-ips/terms';

/** A peer that a virtual IP was taken from because its health check failed; recovered: a later holder's succeeded. */
export interface FailedCheckRow {
  readonly peer_id: PeerId;
  readonly recovered: boolean;
  /** When it was taken from the peer (RFC 3339); absent in rows of an earlier version. */
  readonly at?: string;
}

/** Why a virtual IP moves, while it does. */
export interface VirtualIpMove {
  readonly reason: Reason;
  readonly detail: string;
  readonly actor: string;
  readonly decided_at: string;
  readonly from_peer_id: PeerId | null;
  /** The machine of that one, which may have been detached meanwhile. */
  readonly from_instance_id: InstanceId | null;
  /** An operator has said that this machine is no more. */
  readonly from_terminated: boolean;
  /** All that it may be acting on until it has given the address up. */
  readonly terms: readonly Terms[];
  /** The account's change that gave it to its holder; null: nobody has got it yet. */
  readonly given_sequence: number | null;
}
