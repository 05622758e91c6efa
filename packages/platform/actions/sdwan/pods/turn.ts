// What becomes of a peer's slice. An operator's word goes before that of its machine, and that before what the platform
// assigned. The word of a machine takes no slice that another peer has: it may be wrong, or in another's hands.
import { contains, formatPrefix, type Prefix } from '@powernode/core/net/prefix';
import type { NetworkSlices, Slice } from './slices.ts';

export type SliceTurn =
  | { readonly kind: 'keep' }
  /** It has none, and gets what the platform chooses. */
  | { readonly kind: 'assign' }
  /** It is known now that a cluster uses the slice that it has. */
  | { readonly kind: 'confirm' }
  | { readonly kind: 'move'; readonly prefix: Prefix }
  /** `givesUp`: its machine says that the slice which it had is another one now. */
  | { readonly kind: 'refuse'; readonly why: string; readonly givesUp: boolean };

type Slices = Pick<NetworkSlices, 'podPrefix' | 'length' | 'of' | 'inTheWayOf'>;

/** `said`: slices that its machine says its clusters have, in any network. `nameOf`: how a peer is called. */
export async function sliceTurn(
  slices: Slices,
  peer: { readonly id: string; readonly said: readonly Prefix[] },
  nameOf: (peerId: string) => Promise<string>,
): Promise<SliceTurn> {
  const own = slices.of(peer.id);
  const said = peer.said.find((one) => contains(slices.podPrefix, one));
  if (said === undefined) return { kind: own === undefined ? 'assign' : 'keep' };
  const text = formatPrefix(said);
  if (own?.row.prefix === text) return { kind: own.source === 'assigned' ? 'confirm' : 'keep' };
  const has = `The cluster on this instance has the slice ${text}`;
  if (own?.source === 'set') {
    return refused(own, `${has}, but ${own.row.prefix} is set. Set pod_subnet to ${text}, or to null.`);
  }
  const other = slices.inTheWayOf(said, peer.id);
  if (other !== undefined) {
    const name = await nameOf(other.peerId);
    const stays = `${other.row.prefix} is the slice of "${name}" and stays routed there`;
    return refused(own, `${has}, but ${stays}. Give that peer another pod_subnet, or correct the cluster.`);
  }
  if (said.length < slices.length) {
    const larger = `which is larger than the /${slices.length} of a peer in this network`;
    return refused(own, `${has}, ${larger}. Set pod_subnet to ${text} if that is right.`);
  }
  return { kind: 'move', prefix: said };
}

function refused(own: Slice | undefined, why: string): SliceTurn {
  return { kind: 'refuse', why, givesUp: own?.source === 'observed' };
}
