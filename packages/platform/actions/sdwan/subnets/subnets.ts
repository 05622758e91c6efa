// Handlers: prefixes behind peers.
import { canonicalJson } from '@powernode/core/compile/digest';
import { ProductError } from '@powernode/core/errors';
import type { LanSubnet } from '@powernode/core/intent/subnet';
import { subnetsPerNetworkMax } from '@powernode/core/limits/overlay';
import { type ActionContext, checkRevision, type HandlersOf } from '../../context.ts';
import { page, pageAnswer } from '../../paging.ts';
import { showPeer } from '../peers/present-peer.ts';
import { networkRow, type PeerRow, peerRow } from '../rows.ts';
import { advertisements } from './advertisements.ts';
import { refuseUnfitSubnets } from './checks.ts';
import type { SubnetRow } from './model.ts';
import { showSubnets } from './present-subnet.ts';
import { advertise, writeSubnet } from './write-subnet.ts';

export const subnetHandlers: HandlersOf<'declareLanSubnets' | 'listSubnetAdvertisements'> = {
  async declareLanSubnets(context, input) {
    await context.lock();
    const peer = await peerRow(context, input.peer_id);
    checkRevision(peer, input);
    await refuseUnfitSubnets(context, peer, input.subnets);
    const before = await declaredBy(context, peer);
    await refuseTooMany(context, peer, { before, wanted: input.subnets.length });
    const shownBefore = await showPeer(context, peer);
    const wanted = new Map(input.subnets.map((one) => [one.prefix, one]));
    for (const row of before) {
      const one = wanted.get(row.prefix);
      if (one !== undefined) await update(context, row, one);
      else if (isAdvertised(row)) await writeSubnet(context, row, { withdrawn_at: context.now });
    }
    const known = new Set(before.map(({ prefix }) => prefix));
    for (const one of input.subnets) if (!known.has(one.prefix)) await create(context, peer, one);
    const after = (await declaredBy(context, peer)).filter(isAdvertised);
    const unmarked = await showPeer(context, peer);
    const isSame = canonicalJson(unmarked.lan_subnets) === canonicalJson(shownBefore.lan_subnets);
    const shown = isSame ? shownBefore : await showPeer(context, await markChanged(context, peer));
    if (!isSame) context.event('sdwan.peer.lan_subnets_updated', { before: shownBefore, after: shown });
    return { peer: shown, subnet_advertisements: await showSubnets(context, after) };
  },

  async listSubnetAdvertisements(context, input) {
    if (input.network_id !== undefined) await networkRow(context, input.network_id);
    if (input.peer_id !== undefined) await peerRow(context, input.peer_id);
    let query = advertisements(context).where('account_id', '=', context.accountId);
    if (input.withdrawn !== undefined) {
      query = query.where('withdrawn_at', input.withdrawn ? 'is not' : 'is', null);
    }
    if (input.network_id !== undefined) query = query.where('network_id', '=', input.network_id);
    if (input.peer_id !== undefined) query = query.where('peer_id', '=', input.peer_id);
    if (input.source !== undefined) query = query.where('source', '=', input.source);
    const found = await page(query, input, { by: 'id', direction: 'asc' });
    return { subnet_advertisements: await showSubnets(context, found.rows), ...pageAnswer(found) };
  },
};

/** The list is a part of the peer, and so a change of it is one of the peer. */
function markChanged(context: ActionContext, peer: PeerRow): Promise<PeerRow> {
  return context.trx
    .updateTable('peers')
    .set({ updated_at: context.now, revision: peer.revision + 1 })
    .where('id', '=', peer.id)
    .returningAll()
    .executeTakeFirstOrThrow();
}

function isAdvertised(row: SubnetRow): boolean {
  return row.withdrawn_at === null;
}

/** Withdrawn ones too. */
function declaredBy(context: ActionContext, peer: PeerRow): Promise<SubnetRow[]> {
  return context.trx
    .selectFrom('subnet_advertisements')
    .selectAll()
    .where('account_id', '=', context.accountId)
    .where('peer_id', '=', peer.id)
    .where('source', '=', 'declared_lan_subnet')
    .orderBy('id')
    .execute();
}

async function refuseTooMany(
  context: ActionContext,
  peer: PeerRow,
  { before, wanted }: { readonly before: readonly SubnetRow[]; readonly wanted: number },
): Promise<void> {
  const declared = before.filter(isAdvertised).length;
  if (wanted <= declared) return;
  const { advertised } = await context.trx
    .selectFrom('subnet_advertisements')
    .select((eb) => eb.fn.countAll<number>().as('advertised'))
    .where('account_id', '=', context.accountId)
    .where('network_id', '=', peer.network_id)
    .where('withdrawn_at', 'is', null)
    .executeTakeFirstOrThrow();
  const count = advertised - declared + wanted;
  if (count <= subnetsPerNetworkMax) return;
  throw new ProductError(
    'limit_reached',
    `The network would have ${count} prefixes behind peers; the limit is ${subnetsPerNetworkMax}. Declare fewer, wider prefixes.`,
  );
}

function columnsOf(one: LanSubnet) {
  return {
    local_prefix: one.local_prefix ?? one.prefix,
    description: one.description ?? '',
    preference: one.preference,
    source_nat: one.source_nat,
  };
}

async function create(context: ActionContext, peer: PeerRow, one: LanSubnet): Promise<void> {
  const lan = { prefix: one.prefix, source: 'declared_lan_subnet', slice_source: null } as const;
  await advertise(context, peer, { ...lan, ...columnsOf(one) });
}

async function update(context: ActionContext, before: SubnetRow, one: LanSubnet): Promise<void> {
  const columns = columnsOf(one);
  const isSame =
    isAdvertised(before) &&
    before.local_prefix === columns.local_prefix &&
    before.description === columns.description &&
    before.preference === columns.preference &&
    before.source_nat === columns.source_nat;
  if (!isSame) await writeSubnet(context, before, { ...columns, withdrawn_at: null });
}
