// Direct paths of a network, switched on or off by its operator. What hubs see from then on: observed/direct-endpoints.ts.
import { directSpokesMax } from '@powernode/core/limits/overlay';
import { endpointOf } from '../../../deliver/reports/direct-endpoints.ts';
import type { ActionContext } from '../../context.ts';
import { isConfirmed } from '../observed/direct-endpoints.ts';
import { peerChanged } from '../peers/write-peer.ts';
import type { NetworkRow, PeerRow } from '../rows.ts';

/** Takes every spoke's direct endpoint away, or gives back those that hubs have reported. */
export async function switchDirectPaths(context: ActionContext, network: NetworkRow): Promise<void> {
  const peers = await context.trx
    .selectFrom('peers')
    .selectAll()
    .where('network_id', '=', network.id)
    .orderBy('id')
    .execute();
  const seen = network.direct_paths ? await endpointsSeen(context, network.id) : new Map<string, string[]>();
  let given = 0;
  for (const peer of peers) {
    const evaluated = endpointOf(seen.get(peer.id) ?? []);
    const endpoint = given < directSpokesMax ? await confirmed(context, peer, evaluated) : null;
    if (endpoint !== null) given++;
    await setEndpoint(context, peer, { endpoint, natKind: evaluated?.natKind ?? peer.nat_kind });
  }
}

async function confirmed(
  context: ActionContext,
  peer: PeerRow,
  evaluated: ReturnType<typeof endpointOf>,
): Promise<string | null> {
  if (evaluated === null || evaluated.endpoint === null) return null;
  const { accountId, trx } = context;
  const { endpoint, seenBy } = evaluated;
  const claim = { accountId, instanceId: peer.instance_id, endpoint, seenBy };
  return (await isConfirmed(trx, claim)) ? endpoint : null;
}

/** By peer: where the hubs of the network see its leaf interface. */
async function endpointsSeen(context: ActionContext, networkId: string): Promise<Map<string, string[]>> {
  const rows = await context.trx
    .selectFrom('peers as p')
    .innerJoin('tunnel_observations as o', 'o.public_key', 'p.direct_key')
    .innerJoin('peers as h', (join) =>
      join.onRef('h.instance_id', '=', 'o.instance_id').onRef('h.network_id', '=', 'p.network_id'),
    )
    .select(['p.id', 'o.endpoint'])
    .where('p.network_id', '=', networkId)
    .where('o.account_id', '=', context.accountId)
    .where('h.hub_slot', 'is not', null)
    .where('o.endpoint', 'is not', null)
    .execute();
  const seen = new Map<string, string[]>();
  for (const { id, endpoint } of rows) {
    if (endpoint !== null) seen.set(id, [...(seen.get(id) ?? []), endpoint]);
  }
  return seen;
}

async function setEndpoint(
  context: ActionContext,
  peer: PeerRow,
  { endpoint, natKind }: { readonly endpoint: string | null; readonly natKind: PeerRow['nat_kind'] },
): Promise<void> {
  if (endpoint === peer.direct_endpoint && natKind === peer.nat_kind) return;
  const after = await context.trx
    .updateTable('peers')
    .set({ direct_endpoint: endpoint, nat_kind: natKind })
    .where('id', '=', peer.id)
    .returningAll()
    .executeTakeFirstOrThrow();
  peerChanged(context, { before: peer, after });
}
