// Keys that peers gave up. A machine that never saw a document with such a key (it was away, or two changes reached it
// as one) would go on offering it, and once all that it offers are of that kind it could not be attached any more.

import type { Delta } from '@powernode/core/compile/deltas';
import type { PeerModel } from '@powernode/core/compile/model';
import type { InstanceId, PublicKey } from '@powernode/core/ids';

export interface SpentKey {
  readonly instanceId: InstanceId;
  readonly publicKey: PublicKey;
}

/** What the delta takes from the machine that had it. */
export function keysSpentBy(delta: Delta): SpentKey[] {
  if (delta.kind === 'peer_removed') return goneKeys(delta.before, null);
  return delta.kind === 'peer_changed' ? goneKeys(delta.before, delta.after) : [];
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
