// Handlers: networks.
import { canonicalJson } from '@powernode/core/compile/digest';
import { ProductError } from '@powernode/core/errors';
import * as limits from '@powernode/core/limits/overlay';
import type { Insertable } from 'kysely';
import type { Database } from '../../../store/tables.ts';
import { type ActionContext, checkRevision, type HandlersOf } from '../../context.ts';
import { page, pageAnswer } from '../../paging.ts';
import { noteContents } from '../dependents.ts';
import { giveSlices, refusePinned, refuseUnfitPods, refuseWithoutIpv4 } from '../pods/network-prefix.ts';
import { switchDirectPaths } from '../reachability/direct-paths.ts';
import { forgetTunnels } from '../reachability/observations.ts';
import { type NetworkRow, networkRow } from '../rows.ts';
import { chooseBlocks, chooseIpv4Prefix, refuseBlocks, restBlocks } from './blocks.ts';
import { exchangeIpv4Prefix, refusePortMappingsOn } from './ipv4-prefix.ts';
import { accountAsNumber, networkModel } from './model.ts';
import { showNetworks } from './present-network.ts';
import { followRoutingMode } from './routing-mode.ts';
import { platformUnderlay, refuseCovering, refuseOutside, underlaysOf, withoutClusters } from './underlay.ts';

export const networkHandlers: HandlersOf<
  'createNetwork' | 'listNetworks' | 'getNetwork' | 'updateNetwork' | 'deleteNetwork'
> = {
  async createNetwork(context, input) {
    await context.lock();
    const others = await networksOf(context);
    if (others.length >= limits.networksPerAccountMax) {
      throw new ProductError(
        'limit_reached',
        `The account has ${others.length} networks, which is the limit. Delete one that is not used.`,
      );
    }
    refuseNameTaken(others, { name: input.name });
    const machines = await underlaysOf(context.trx, { accountId: context.accountId });
    await refuseGiven(context, input, null);
    const chosen = await chooseBlocks(context, {
      machines,
      prefix: input.prefix,
      pods: input.pod_subnet_prefix ?? null,
      ipv4: input.ipv4_prefix,
      others,
    });
    await refuseUnfitPods(context, { pods: chosen.pod_subnet_prefix, ipv4: chosen.ipv4_prefix });
    const row = await insertWithHandle(context, {
      id: context.services.newId(),
      account_id: context.accountId,
      name: input.name,
      description: input.description ?? '',
      ...chosen,
      direct_paths: input.direct_paths ?? true,
      rematch_connections: input.rematch_connections ?? true,
      routing_mode: input.routing_mode,
      topology_strategy: input.topology_strategy,
      firewall_default_policy: input.firewall_default_policy ?? 'accept',
      mtu: input.mtu ?? limits.overlayMtuDefault,
    });
    const asNumber = await accountAsNumber(context.trx, context.accountId);
    context.change({ kind: 'network_created', network: networkModel(row, asNumber) });
    const network = await showOne(context, row);
    context.event('sdwan.network.created', { before: null, after: network });
    return { network };
  },

  async listNetworks(context, input) {
    let query = context.trx.selectFrom('networks').selectAll().where('account_id', '=', context.accountId);
    if (input.name !== undefined) query = query.where('name', '=', input.name);
    const found = await page(query, input, { by: 'id', direction: 'asc' });
    return { networks: await showNetworks(context, found.rows), ...pageAnswer(found) };
  },

  async getNetwork(context, input) {
    return { network: await showOne(context, await networkRow(context, input.network_id)) };
  },

  async updateNetwork(context, input) {
    await context.lock();
    const before = await networkRow(context, input.network_id);
    checkRevision(before, input);
    const others = (await networksOf(context)).filter((other) => other.id !== before.id);
    if (input.name !== undefined) refuseNameTaken(others, { name: input.name });
    const pods = input.pod_subnet_prefix === undefined ? before.pod_subnet_prefix : input.pod_subnet_prefix;
    const ipv4 = input.ipv4_prefix === undefined ? before.ipv4_prefix : input.ipv4_prefix;
    const hasNewIpv4Prefix = ipv4 !== before.ipv4_prefix;
    const given = {
      ...(hasNewIpv4Prefix ? { ipv4_prefix: ipv4 } : {}),
      ...(pods === before.pod_subnet_prefix ? {} : { pod_subnet_prefix: pods }),
    };
    await refuseGiven(context, given, before);
    refuseBlocks(others, { prefix: before.prefix, pods, ipv4 });
    const hasNewPods = pods !== before.pod_subnet_prefix;
    if (hasNewPods) {
      await refusePinned(context, before);
      await refuseUnfitPods(context, { pods, ipv4 });
    } else if (hasNewIpv4Prefix) refuseWithoutIpv4({ pods, ipv4 }, 'ipv4_prefix');
    if (hasNewIpv4Prefix && ipv4 === null) await refusePortMappingsOn(context, before);
    const after = await context.trx
      .updateTable('networks')
      .set({
        name: input.name ?? before.name,
        description: input.description ?? before.description,
        topology_strategy: input.topology_strategy ?? before.topology_strategy,
        routing_mode: input.routing_mode ?? before.routing_mode,
        firewall_default_policy: input.firewall_default_policy ?? before.firewall_default_policy,
        mtu: input.mtu ?? before.mtu,
        direct_paths: input.direct_paths ?? before.direct_paths,
        rematch_connections: input.rematch_connections ?? before.rematch_connections,
        pod_subnet_prefix: pods,
        ...(hasNewIpv4Prefix ? await chooseIpv4Prefix(context, ipv4) : {}),
        updated_at: context.now,
        revision: before.revision + 1,
      })
      .where('id', '=', before.id)
      .returningAll()
      .executeTakeFirstOrThrow();
    const asNumber = await accountAsNumber(context.trx, context.accountId);
    const model = networkModel(after, asNumber);
    if (canonicalJson(model) !== canonicalJson(networkModel(before, asNumber))) {
      context.change({ kind: 'network_updated', network: model });
    }
    await followRoutingMode(context, { before, after });
    if (hasNewPods) await giveSlices(context, after);
    if (hasNewIpv4Prefix) await exchangeIpv4Prefix(context, { before, after });
    if (before.direct_paths !== after.direct_paths) await switchDirectPaths(context, after);
    const [shownBefore, network] = [await showOne(context, before), await showOne(context, after)];
    context.event('sdwan.network.updated', { before: shownBefore, after: network });
    return { network };
  },

  async deleteNetwork(context, input) {
    await context.lock();
    const before = await networkRow(context, input.network_id);
    checkRevision(before, input);
    const network = await showOne(context, before);
    await noteContents(context, before.id);
    await context.trx.deleteFrom('peers').where('network_id', '=', before.id).execute();
    await forgetTunnels(context, { handle: before.handle });
    await context.trx.deleteFrom('networks').where('id', '=', before.id).execute();
    await restBlocks(context, before);
    context.change({ kind: 'network_deleted', networkId: before.id });
    context.event('sdwan.network.deleted', { before: network, after: null });
    return { network };
  },
};

async function showOne(context: ActionContext, row: NetworkRow) {
  const [network] = await showNetworks(context, [row]);
  if (network === undefined) throw new Error('a network that was just read is not shown');
  return network;
}

function networksOf(context: ActionContext): Promise<NetworkRow[]> {
  return context.trx.selectFrom('networks').selectAll().where('account_id', '=', context.accountId).execute();
}

function refuseNameTaken(others: readonly NetworkRow[], wanted: { readonly name: string }): void {
  if (others.every((other) => other.name !== wanted.name)) return;
  throw new ProductError('already_exists', `There is already a network named "${wanted.name}".`, {
    fields: [{ path: 'name', code: 'already_exists', message: 'must be unique in the account' }],
  });
}

/**
 * The handle is up to five characters of the name and random ones after, eight together: an interface name of 15
 * then has room for a hub's number. Unique on the platform, so that one machine never meets two alike.
 */
async function insertWithHandle(
  context: ActionContext,
  values: Omit<Insertable<Database['networks']>, 'handle'>,
): Promise<NetworkRow> {
  const stem = values.name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, '')
    .slice(0, 5);
  for (let attempt = 0; attempt < handleAttemptsMax; attempt++) {
    const row = await context.trx
      .insertInto('networks')
      .values({ ...values, handle: `${stem}${context.services.randomName(8 - stem.length)}` })
      .onConflict((conflict) => conflict.column('handle').doNothing())
      .returningAll()
      .executeTakeFirst();
    if (row !== undefined) return row;
  }
  throw new ProductError('pool_exhausted', 'No free handle was found for that name. Choose another name.');
}

/** Three random characters have 46,656 values; twenty misses in a row mean that a name is used that often. */
const handleAttemptsMax = 20;

interface GivenBlocks {
  readonly prefix?: string | undefined;
  readonly pod_subnet_prefix?: string | null | undefined;
  readonly ipv4_prefix?: string | null | undefined;
}

/** Refuses blocks that are not private, and those that cover what a member needs, or the platform. */
async function refuseGiven(
  context: ActionContext,
  given: GivenBlocks,
  network: NetworkRow | null,
): Promise<void> {
  const { prefix, pod_subnet_prefix, ipv4_prefix } = given;
  const blocks = Object.entries({ prefix, pod_subnet_prefix, ipv4_prefix }).flatMap(([path, text]) =>
    text === undefined || text === null ? [] : [{ path, text }],
  );
  if (blocks.length === 0) return;
  for (const { path, text } of blocks) refuseOutside(path, text);
  const { trx, accountId } = context;
  const members = network === null ? [] : await underlaysOf(trx, { accountId, networkId: network.id });
  const machines = [...(await platformUnderlay(trx, accountId)), ...members];
  for (const { path, text } of blocks) {
    const others =
      path === 'pod_subnet_prefix' ? machines.map((one) => withoutClusters(one, text)) : machines;
    refuseCovering(path, text, others);
  }
}
