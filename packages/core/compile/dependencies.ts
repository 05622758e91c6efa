// Which items of a network were made from what, so that only those are made anew whose sources change. Belongs to
// network-items.ts.
import type { PeerId } from '../ids.ts';
import type { ItemId } from './model.ts';

/** What an item was made from. */
export interface Sources {
  readonly peers: Iterable<PeerId>;
  readonly items: Iterable<ItemId>;
  /** All hubs, whichever they are. */
  readonly hubs: boolean;
  /** The hubs that spokes keep an interface to. */
  readonly transit: boolean;
}

export class Dependencies {
  readonly #sources = new Map<ItemId, Sources>();
  readonly #byPeer = new Map<PeerId, Set<ItemId>>();
  readonly #byItem = new Map<ItemId, Set<ItemId>>();
  readonly #onHubs = new Set<ItemId>();
  readonly #onTransit = new Set<ItemId>();

  /** What the item was made from, in place of what it was made from before. */
  set(itemId: ItemId, sources: Sources): void {
    this.forget(itemId);
    this.#sources.set(itemId, sources);
    for (const id of sources.peers) add(this.#byPeer, id, itemId);
    for (const id of sources.items) add(this.#byItem, id, itemId);
    if (sources.hubs) this.#onHubs.add(itemId);
    if (sources.transit) this.#onTransit.add(itemId);
  }

  forget(itemId: ItemId): void {
    const sources = this.#sources.get(itemId);
    if (sources === undefined) return;
    this.#sources.delete(itemId);
    for (const id of sources.peers) remove(this.#byPeer, id, itemId);
    for (const id of sources.items) remove(this.#byItem, id, itemId);
    this.#onHubs.delete(itemId);
    this.#onTransit.delete(itemId);
  }

  /** Items that were made from one of these. */
  dependentsOf({ peers = [], items = [], hubs = false, transit = false }: Partial<Sources>): Set<ItemId> {
    const found = new Set<ItemId>();
    const addAll = (itemIds: Iterable<ItemId>) => {
      for (const id of itemIds) found.add(id);
    };
    for (const id of peers) addAll(this.#byPeer.get(id) ?? []);
    for (const id of items) addAll(this.#byItem.get(id) ?? []);
    if (hubs) addAll(this.#onHubs);
    if (transit) addAll(this.#onTransit);
    return found;
  }
}

function add<Id>(index: Map<Id, Set<ItemId>>, id: Id, itemId: ItemId): void {
  index.set(id, (index.get(id) ?? new Set()).add(itemId));
}

function remove<Id>(index: Map<Id, Set<ItemId>>, id: Id, itemId: ItemId): void {
  const itemIds = index.get(id);
  itemIds?.delete(itemId);
  if (itemIds?.size === 0) index.delete(id);
}
