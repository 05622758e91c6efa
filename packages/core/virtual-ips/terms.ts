// What a holder's lease rests on, as the platform counts it: the same quorum that compile/items/virtual-ip.ts gives to the node,
// with hubs named by their peers. Pure.
import { leaseOf, witnessesOf } from '../compile/items/virtual-ip.ts';
import type { PeerModel, VirtualIpModel } from '../compile/model.ts';

/** `enough` of the witnesses and the platform have to hear the holder. */
export interface LeaseTerms {
  /** Hubs, by peer. */
  readonly witnesses: readonly string[];
  readonly enough: number;
}

/**
 * What a node may be acting on. null: it answers without asking anybody. unknown: something older, and which is not
 * known any more.
 */
export type Terms = LeaseTerms | null | 'unknown';

export function termsOf(
  item: VirtualIpModel,
  holder: PeerModel,
  lookup: Parameters<typeof leaseOf>[2],
): LeaseTerms | null {
  const lease = leaseOf(item, holder, lookup);
  if (lease === null) return null;
  return { witnesses: witnessesOf(holder, lookup).map((hub) => hub.id), enough: lease.enough };
}

/** So many that do not hear a holder mean that it may not answer. */
export function tooFew(terms: LeaseTerms): number {
  return terms.witnesses.length + 1 - terms.enough + 1;
}

/** So many witnesses have to say so when the platform, which is one that counts, is silent by itself. */
export function witnessesNeeded(terms: LeaseTerms): number {
  return tooFew(terms) - 1;
}

export function sameTerms(a: Terms, b: Terms): boolean {
  if (a === null || b === null || a === 'unknown' || b === 'unknown') return a === b;
  return (
    a.enough === b.enough &&
    a.witnesses.length === b.witnesses.length &&
    a.witnesses.every((id) => b.witnesses.includes(id))
  );
}
