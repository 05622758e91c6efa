// At a start the fleet is known as it is; nodes that were away need to know how it came to be so. The newest changes
// are taken back as data and then run through again, which gives every node the patches that it may have missed.
// Where a change cannot be taken back (what a network was before it was changed or deleted is not in it), nodes get
// whole documents: a base is only ever accepted by its hash, so what is missing here costs bytes and nothing else.
import { type Change, FleetIndex } from '@powernode/core/compile/fleet-index';
import type { NetworkModel, PeerModel } from '@powernode/core/compile/model';
import type { Effect } from '@powernode/core/compile/network-index';
import type { NumberedChanges } from './account-queue.ts';

/** Networks with their peers by id. */
export type FleetModel = ReadonlyMap<string, NetworkWithPeers>;

export interface NetworkWithPeers {
  readonly network: NetworkModel;
  readonly peers: ReadonlyMap<string, PeerModel>;
}

export interface Replayed {
  readonly fleet: FleetIndex;
  /** What each change did, oldest first. Empty when running through them did not end where it should. */
  readonly effects: readonly Effect[];
}

/** `changes`: the newest ones of any accounts, oldest first within an account. */
export function replay(present: FleetModel, changes: readonly NumberedChanges[]): Replayed {
  const fleet = loaded(takenBack(present, changes));
  const effects = changes.flatMap(({ changes: list }) =>
    list.flatMap((change) => {
      const again = asPresent(present, change);
      return again === null ? [] : fleet.apply(again);
    }),
  );
  return isSame(fleet, present) ? { fleet, effects } : { fleet: loaded(present), effects: [] };
}

function loaded(model: FleetModel): FleetIndex {
  const fleet = new FleetIndex();
  for (const { network, peers } of model.values()) fleet.load(network, peers.values());
  return fleet;
}

/** Networks are run through as they are now: to change one again would cost as much as compiling all its nodes. */
function asPresent(present: FleetModel, change: Change): Change | null {
  if (change.kind === 'network_updated') return present.has(change.network.id) ? null : change;
  if (change.kind !== 'network_created') return change;
  return { kind: 'network_created', network: present.get(change.network.id)?.network ?? change.network };
}

interface Past {
  network: NetworkModel;
  readonly peers: Map<string, PeerModel>;
}

function takenBack(present: FleetModel, changes: readonly NumberedChanges[]): FleetModel {
  const past = new Map<string, Past>();
  for (const [id, { network, peers }] of present) past.set(id, { network, peers: new Map(peers) });
  for (const { changes: list } of changes.toReversed()) {
    for (const change of list.toReversed()) takeBack(past, change);
  }
  return past;
}

function takeBack(past: Map<string, Past>, change: Change): void {
  switch (change.kind) {
    case 'network_created':
      past.delete(change.network.id);
      return;
    case 'network_updated':
    case 'network_deleted':
      return;
    case 'peer_changed': {
      const peers = past.get(change.networkId)?.peers;
      if (change.after !== null) peers?.delete(change.after.id);
      if (change.before !== null) peers?.set(change.before.id, change.before);
    }
  }
}

function isSame(fleet: FleetIndex, present: FleetModel): boolean {
  const indexes = [...fleet.networks()];
  if (indexes.length !== present.size) return false;
  return indexes.every((index) => {
    const model = present.get(index.network.id);
    if (model === undefined || model.peers.size !== index.size) return false;
    if (!sameFields(index.network, model.network)) return false;
    return [...index.peers()].every((peer) => {
      const stored = model.peers.get(peer.id);
      return stored !== undefined && sameFields(peer, stored);
    });
  });
}

function sameFields(a: object, b: object): boolean {
  const other = new Map(Object.entries(b));
  return Object.entries(a).every(([name, value]) => other.get(name) === value);
}
