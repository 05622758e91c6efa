// What columns of virtual IPs have that are more than a value.
import type { InstanceId, PeerId } from '@powernode/core/ids';
import type { Reason } from '@powernode/core/virtual-ips/state';
import type { LeaseTerms, Terms } from '@powernode/core/virtual-ips/terms';

/** A peer that a virtual IP was taken from because its health check failed; recovered: a later holder's succeeded. */
export interface FailedCheckRow {
  readonly peer_id: PeerId;
  readonly recovered: boolean;
  /** When it was taken from the peer (RFC 3339); absent in rows of an earlier version. */
  readonly at?: string;
}

/** Terms in a row. Rows of earlier versions are read too, so the quorum keeps the name that it has on the wire. */
type StoredTerms = (Omit<LeaseTerms, 'quorum'> & { readonly enough: number }) | null | 'unknown';

export function storedTerms(terms: Terms): StoredTerms {
  if (terms === null || terms === 'unknown') return terms;
  return { witnesses: terms.witnesses, enough: terms.quorum };
}

export function termsOfStored(stored: StoredTerms): Terms {
  if (stored === null || stored === 'unknown') return stored;
  return { witnesses: stored.witnesses, quorum: stored.enough };
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
  readonly terms: readonly StoredTerms[];
  /** The account's change that gave it to its holder; null: nobody has got it yet. */
  readonly given_sequence: number | null;
}
