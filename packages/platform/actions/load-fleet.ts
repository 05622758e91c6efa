// Networks with their peers and items, from rows: what delivery compiles at a start.
import type { Item } from '@powernode/core/compile/model';
import type { FleetModel } from '../deliver/nodes/replay.ts';
import type { Trx } from './context.ts';
import { nouns } from './nouns.ts';
import { loadNetworks } from './sdwan/networks/model.ts';
import { loadPeers } from './sdwan/peers/model.ts';

/** Of all networks that the transaction sees. */
export async function loadFleet(trx: Trx): Promise<FleetModel> {
  const networks = await loadNetworks(trx);
  const peers = Map.groupBy(await loadPeers(trx), ({ networkId }) => networkId);
  const items = Map.groupBy(await loadItems(trx), ({ networkId }) => networkId);
  return new Map(
    networks.map((network) => [
      network.id,
      {
        network,
        peers: new Map((peers.get(network.id) ?? []).map((peer) => [peer.id, peer])),
        items: new Map((items.get(network.id) ?? []).map((item) => [item.id, item])),
      },
    ]),
  );
}

async function loadItems(trx: Trx): Promise<Item[]> {
  const items: Item[] = [];
  for (const noun of nouns) items.push(...((await noun.items?.(trx)) ?? []));
  return items;
}
