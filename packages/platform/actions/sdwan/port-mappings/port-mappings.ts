// Handlers: port mappings, by which hubs of a network are reached from outside.

import { ProductError } from '@powernode/core/errors';
import { portMappingsPerNetworkMax } from '@powernode/core/limits/overlay';
import { familyOf } from '@powernode/core/net/address';
import { type ActionContext, checkRevision, type HandlersOf, type Input, notFound } from '../../context.ts';
import { page, pageAnswer } from '../../paging.ts';
import { itemChanged } from '../item-changed.ts';
import { type NetworkRow, networkRow, peerRow } from '../rows.ts';
import { hubAt, type Place, placesOf, refuseTakenPort, refuseUncallable } from './external-port.ts';
import { type PortMappingRow, portMappingModel } from './model.ts';
import { showPortMapping, showPortMappings, statusIs } from './present-port-mapping.ts';
import { refuseUnfitTarget, targetOf } from './target.ts';

export const portMappingHandlers: HandlersOf<
  'createPortMapping' | 'listPortMappings' | 'getPortMapping' | 'updatePortMapping' | 'deletePortMapping'
> = {
  async createPortMapping(context, input) {
    await context.lock();
    const network = await networkRow(context, input.network_id);
    await refuseTooMany(context, network);
    refuseUncallable(input.external_address);
    const target = targetOf(input);
    await refuseUnfitTarget(context, { network, externalAddress: input.external_address, target });
    const sourceCidrs = input.source_cidrs ?? [];
    refuseOtherFamily(input.external_address, sourceCidrs);
    const hub = hubAt(await placesOf(context, network.id), input.external_address);
    await refuseTakenPort(context, { ...externalPortOf(hub, input), mappingId: null });
    const row = await context.trx
      .insertInto('port_mappings')
      .values({
        id: context.services.newId(),
        account_id: context.accountId,
        network_id: network.id,
        hub_peer_id: hub.peer.id,
        hub_instance_id: hub.peer.instance_id,
        external_address: input.external_address,
        external_port: input.external_port,
        protocol: input.protocol,
        ...target,
        internal_port: input.internal_port,
        source_cidrs: JSON.stringify(sourceCidrs),
        rate_limit: input.rate_limit ?? null,
        max_connections: input.max_connections ?? null,
      })
      .returningAll()
      .executeTakeFirstOrThrow();
    itemChanged(context, portMappingModel, { before: null, after: row });
    const mapping = await showPortMapping(context, row);
    context.event('sdwan.port_mapping.created', { before: null, after: mapping });
    return { port_mapping: mapping };
  },

  async listPortMappings(context, input) {
    if (input.network_id !== undefined) await networkRow(context, input.network_id);
    if (input.hub_peer_id !== undefined) await peerRow(context, input.hub_peer_id);
    let query = context.trx
      .selectFrom('port_mappings')
      .selectAll('port_mappings')
      .where('account_id', '=', context.accountId);
    if (input.network_id !== undefined) query = query.where('network_id', '=', input.network_id);
    if (input.hub_peer_id !== undefined) query = query.where('hub_peer_id', '=', input.hub_peer_id);
    if (input.status !== undefined) query = query.where(statusIs(input.status));
    const found = await page(query, input, { by: 'id', direction: 'asc' });
    return { port_mappings: await showPortMappings(context, found.rows), ...pageAnswer(found) };
  },

  async getPortMapping(context, input) {
    return { port_mapping: await showPortMapping(context, await mappingRow(context, input.port_mapping_id)) };
  },

  async updatePortMapping(context, input) {
    await context.lock();
    const before = await mappingRow(context, input.port_mapping_id);
    checkRevision(before, input);
    const shownBefore = await showPortMapping(context, before);
    const columns = await changedColumns(context, { before, input });
    const after = await context.trx
      .updateTable('port_mappings')
      .set({
        ...columns,
        internal_port: input.internal_port ?? before.internal_port,
        rate_limit: input.rate_limit === undefined ? before.rate_limit : input.rate_limit,
        max_connections: input.max_connections === undefined ? before.max_connections : input.max_connections,
        updated_at: context.now,
        revision: before.revision + 1,
      })
      .where('id', '=', before.id)
      .returningAll()
      .executeTakeFirstOrThrow();
    itemChanged(context, portMappingModel, { before, after });
    const mapping = await showPortMapping(context, after);
    context.event('sdwan.port_mapping.updated', { before: shownBefore, after: mapping });
    return { port_mapping: mapping };
  },

  async deletePortMapping(context, input) {
    await context.lock();
    const before = await mappingRow(context, input.port_mapping_id);
    checkRevision(before, input);
    const mapping = await showPortMapping(context, before);
    await context.trx.deleteFrom('port_mappings').where('id', '=', before.id).execute();
    itemChanged(context, portMappingModel, { before, after: null });
    context.event('sdwan.port_mapping.deleted', { before: mapping, after: null });
    return { port_mapping: mapping };
  },
};

async function mappingRow(context: ActionContext, id: string): Promise<PortMappingRow> {
  const row = await context.trx
    .selectFrom('port_mappings')
    .selectAll()
    .where('id', '=', id)
    .where('account_id', '=', context.accountId)
    .executeTakeFirst();
  if (row === undefined) throw notFound('port mapping', id);
  return row;
}

async function refuseTooMany(context: ActionContext, network: NetworkRow): Promise<void> {
  const { count } = await context.trx
    .selectFrom('port_mappings')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('network_id', '=', network.id)
    .executeTakeFirstOrThrow();
  if (count < portMappingsPerNetworkMax) return;
  throw new ProductError(
    'limit_reached',
    `The network has ${count} port mappings, which is the limit. Delete one that is not used.`,
  );
}

type Given = Input<'updatePortMapping'>;

/** What follows from the given fields. The hub is looked for again, so that a mapping that lost it finds another. */
async function changedColumns(
  context: ActionContext,
  { before, input }: { readonly before: PortMappingRow; readonly input: Given },
) {
  const network = await networkRow(context, before.network_id);
  const externalAddress = input.external_address ?? before.external_address;
  const isTargetGiven = input.internal_peer_id !== undefined || input.internal_virtual_ip_id !== undefined;
  const target = targetOf(isTargetGiven ? input : before);
  const sourceCidrs = input.source_cidrs ?? before.source_cidrs;
  refuseOtherFamily(externalAddress, sourceCidrs);
  if (externalAddress !== before.external_address) refuseUncallable(externalAddress);
  if (isTargetGiven || externalAddress !== before.external_address) {
    await refuseUnfitTarget(context, { network, externalAddress, target });
  }
  const mapping = {
    external_address: externalAddress,
    external_port: input.external_port ?? before.external_port,
    protocol: input.protocol ?? before.protocol,
  };
  const places = await placesOf(context, network.id);
  const present = places.find(({ peer }) => peer.id === before.hub_peer_id && peer.hub_slot !== null);
  const stays = present !== undefined && externalAddress === before.external_address;
  const hub = stays ? present : hubAt(places, externalAddress);
  await refuseTakenPort(context, { ...externalPortOf(hub, mapping), mappingId: before.id });
  return {
    ...mapping,
    ...target,
    hub_peer_id: hub.peer.id,
    hub_instance_id: hub.peer.instance_id,
    source_cidrs: JSON.stringify(sourceCidrs),
  };
}

function externalPortOf(
  hub: Place,
  of: Pick<PortMappingRow, 'external_address' | 'external_port' | 'protocol'>,
) {
  return {
    instanceId: hub.peer.instance_id,
    hostname: hub.hostname,
    address: of.external_address,
    port: of.external_port,
    protocol: of.protocol,
  };
}

/** A range of the other family names nobody who could come. */
function refuseOtherFamily(externalAddress: string, sourceCidrs: readonly string[]): void {
  const family = familyOf(externalAddress);
  const wrong = sourceCidrs.findIndex((cidr) => familyOf(cidr) !== family);
  if (wrong < 0) return;
  const message = `${sourceCidrs[wrong]} is not of the same address family as ${externalAddress}`;
  throw new ProductError(
    'validation_failed',
    `source_cidrs: ${message}, so no client can match it. Remove it, or create a port mapping of that family.`,
    { fields: [{ path: `source_cidrs.${wrong}`, code: 'other_family', message }] },
  );
}
