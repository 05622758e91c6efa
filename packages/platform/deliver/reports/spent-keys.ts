// Keys that peers gave up. A machine that never saw a document with such a key (it was away, or two changes reached it
// as one) would go on offering it, and once all that it offers are of that kind it could not be attached any more.
import type { Change, FleetIndex } from '@powernode/core/compile/fleet-index';
import type { PeerModel } from '@powernode/core/compile/model';

export interface SpentKey {
  readonly instanceId: string;
  readonly publicKey: string;
}

/** What a change takes from the machines that had it. `fleet` is as it was before. */
export function keysSpentBy(change: Change, fleet: FleetIndex): SpentKey[] {
  switch (change.kind) {
    case 'network_created':
    case 'network_updated':
    case 'item_changed':
      return [];
    case 'network_deleted':
      return [...(fleet.network(change.networkId)?.peers() ?? [])].flatMap((peer) => goneKeys(peer, null));
    case 'peer_changed':
      return change.before === null ? [] : goneKeys(change.before, change.after);
  }
}

function goneKeys(before: PeerModel, after: PeerModel | null): SpentKey[] {
  const kept = after === null ? [] : keysOf(after);
  const gone = keysOf(before).filter((key) => !kept.includes(key));
  return gone.map((publicKey) => ({ instanceId: before.instanceId, publicKey }));
}

/** Of its tunnels to hubs, and of its leaf interface where that has one of its own. */
function keysOf({ publicKey, directKey }: PeerModel): string[] {
  return directKey === null ? [publicKey] : [publicKey, directKey];
}
