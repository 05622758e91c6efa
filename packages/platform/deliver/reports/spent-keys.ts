// Keys that peers gave up. A machine that never saw a document with such a key (it was away, or two changes reached it
// as one) would go on offering it, and once all that it offers are of that kind it could not be attached any more.
import type { Change, FleetIndex } from '@powernode/core/compile/fleet-index';

export interface SpentKey {
  readonly instanceId: string;
  readonly publicKey: string;
}

/** What a change takes from the machines that had it. `fleet` is as it was before. */
export function keysSpentBy(change: Change, fleet: FleetIndex): SpentKey[] {
  switch (change.kind) {
    case 'network_created':
    case 'network_updated':
      return [];
    case 'network_deleted':
      return Array.from(fleet.network(change.networkId)?.peers() ?? [], ({ instanceId, publicKey }) => {
        return { instanceId, publicKey };
      });
    case 'peer_changed': {
      const { before, after } = change;
      if (before === null || before.publicKey === after?.publicKey) return [];
      return [{ instanceId: before.instanceId, publicKey: before.publicKey }];
    }
  }
}
