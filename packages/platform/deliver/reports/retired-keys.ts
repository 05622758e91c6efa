// Retired keys: those that a peer had and has no longer. A node that never got a document with such a key (it was
// offline, or two changes reached it as one) would go on offering it. Once it offers nothing else, no peer could be
// made of it any more, so nodes are notified of retired keys.

import type { Delta } from '@powernode/core/compile/deltas';
import type { PeerModel } from '@powernode/core/compile/model';
import type { InstanceId, PublicKey } from '@powernode/core/ids';

export interface RetiredKey {
  readonly instanceId: InstanceId;
  readonly publicKey: PublicKey;
}

/** The keys that this delta retires, with the instance that made them. */
export function keysRetiredBy(delta: Delta): RetiredKey[] {
  if (delta.kind === 'peer_removed') return removedKeys(delta.before, null);
  return delta.kind === 'peer_changed' ? removedKeys(delta.before, delta.after) : [];
}

function removedKeys(before: PeerModel, after: PeerModel | null): RetiredKey[] {
  const kept = after === null ? [] : keysOf(after);
  const removed = keysOf(before).filter((key) => !kept.includes(key));
  return removed.map((publicKey) => ({ instanceId: before.instanceId, publicKey }));
}

/** Of its tunnels to hubs, and of its leaf interface where that has one of its own. */
function keysOf({ publicKey, directKey }: PeerModel): string[] {
  return directKey === null ? [publicKey] : [publicKey, directKey];
}
