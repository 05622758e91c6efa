// The quorum of a holder's lease as the platform counts it: the quorum that compile/items/virtual-ip.ts gives to the
// node, with hubs named by their peers. Pure.
import { leaseOf, witnessesOf } from '../compile/items/virtual-ip.ts';
import type { PeerModel, VirtualIpModel } from '../compile/model.ts';
import type { PeerId } from '../ids.ts';

/** A quorum among the witnesses and the platform has to hear the holder. */
export interface LeaseTerms {
  /** Hubs, by peer. */
  readonly witnesses: readonly PeerId[];
  readonly quorum: number;
}

/**
 * Terms that a node may be acting on. null: it answers without a lease. unknown: older terms that the platform does not
 * know any more.
 */
export type Terms = LeaseTerms | null | 'unknown';

export function termsOf(
  item: VirtualIpModel,
  holder: PeerModel,
  lookup: Parameters<typeof leaseOf>[2],
): LeaseTerms | null {
  const lease = leaseOf(item, holder, lookup);
  if (lease === null) return null;
  return { witnesses: witnessesOf(holder, lookup).map((hub) => hub.id), quorum: lease.enough };
}

/** The size of a blocking set: without that many of the witnesses and the platform there is no quorum. */
export function blockingSetSize(terms: LeaseTerms): number {
  return terms.witnesses.length + 1 - terms.quorum + 1;
}

/** The same for witnesses alone, when the platform is one member of the blocking set. */
export function witnessBlockingSetSize(terms: LeaseTerms): number {
  return blockingSetSize(terms) - 1;
}

export function sameTerms(a: Terms, b: Terms): boolean {
  if (a === null || b === null || a === 'unknown' || b === 'unknown') return a === b;
  return (
    a.quorum === b.quorum &&
    a.witnesses.length === b.witnesses.length &&
    a.witnesses.every((id) => b.witnesses.includes(id))
  );
}
