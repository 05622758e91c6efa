// At a start the fleet is known as it is; nodes that were away need to know how it came to be so. The newest changes
// are reverted as data and then run through again, which gives every node the patches that it may have missed.
// Where a change cannot be reverted (what a network was before it was changed or deleted is not in it), nodes get
// whole documents: a base is only ever accepted by its hash, so what is missing here costs bytes and nothing else.

import { isDeepStrictEqual } from 'node:util';
import { type Change, FleetIndex } from '@powernode/core/compile/fleet-index';
import type { Impact } from '@powernode/core/compile/impact';
import type { Item, ItemId, NetworkModel, PeerModel } from '@powernode/core/compile/model';
import type { NetworkId, PeerId } from '@powernode/core/ids';
import type { NumberedChanges } from './account-queue.ts';

/** Networks with their peers and items, each by id. */
export type FleetModel = ReadonlyMap<NetworkId, NetworkRecord>;

export interface NetworkRecord {
  readonly network: NetworkModel;
  readonly peers: ReadonlyMap<PeerId, PeerModel>;
  readonly items: ReadonlyMap<ItemId, Item>;
}

export interface Replayed {
  readonly fleet: FleetIndex;
  /** Of each change, oldest first. Empty when running through them did not end where it should. */
  readonly impacts: readonly NumberedImpact[];
}

export interface NumberedImpact {
  /** Of the change that had it. */
  readonly sequence: number;
  readonly impact: Impact;
}

/** `changes`: the newest ones of any accounts, oldest first within an account. */
export function replay(present: FleetModel, changes: readonly NumberedChanges[]): Replayed {
  const fleet = loaded(takenBack(present, changes));
  const impacts = changes.flatMap(({ sequence, changes: list }) =>
    list.flatMap((change): NumberedImpact[] => {
      const again = asPresent(present, change);
      return again === null ? [] : [{ sequence, impact: fleet.apply(again).impact }];
    }),
  );
  return isSame(fleet, present) ? { fleet, impacts } : { fleet: loaded(present), impacts: [] };
}

function loaded(model: FleetModel): FleetIndex {
  const fleet = new FleetIndex();
  for (const { network, peers, items } of model.values()) fleet.load(network, peers.values(), items.values());
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
  readonly peers: Map<PeerId, PeerModel>;
  readonly items: Map<ItemId, Item>;
}

function takenBack(present: FleetModel, changes: readonly NumberedChanges[]): FleetModel {
  const past = new Map<NetworkId, Past>();
  for (const [id, { network, peers, items }] of present) {
    past.set(id, { network, peers: new Map(peers), items: new Map(items) });
  }
  for (const { changes: list } of changes.toReversed()) {
    for (const change of list.toReversed()) takeBack(past, change);
  }
  return past;
}

function takeBack(past: Map<NetworkId, Past>, change: Change): void {
  switch (change.kind) {
    case 'network_created':
      past.delete(change.network.id);
      return;
    case 'network_updated':
    case 'network_deleted':
      return;
    case 'peer_changed':
      takeBackOne(past.get(change.networkId)?.peers, change);
      return;
    case 'item_changed':
      takeBackOne(past.get(change.networkId)?.items, change);
  }
}

function takeBackOne<T extends { readonly id: string }>(
  from: Map<string, T> | undefined,
  { before, after }: { readonly before: T | null; readonly after: T | null },
): void {
  if (after !== null) from?.delete(after.id);
  if (before !== null) from?.set(before.id, before);
}

function isSame(fleet: FleetIndex, present: FleetModel): boolean {
  const indexes = [...fleet.networks()];
  if (indexes.length !== present.size) return false;
  return indexes.every((index) => {
    const model = present.get(index.network.id);
    return (
      model !== undefined &&
      isDeepStrictEqual(index.network, model.network) &&
      areSame([...index.peers()], model.peers) &&
      areSame([...index.items()], model.items)
    );
  });
}

function areSame<T extends { readonly id: string }>(
  held: readonly T[],
  stored: ReadonlyMap<string, T>,
): boolean {
  return held.length === stored.size && held.every((one) => isDeepStrictEqual(one, stored.get(one.id)));
}
