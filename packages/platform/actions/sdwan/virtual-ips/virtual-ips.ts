// Handlers: virtual IPs. Who holds one is decided elsewhere (autonomy/failover); what is written here may take it
// from its holder, and never gives it to anybody but at its creation, when nobody can have it.

import { isDeepStrictEqual } from 'node:util';
import { ProductError } from '@powernode/core/errors';
import { healthChecksPerNodeMax } from '@powernode/core/limits/anycast';
import * as failoverLimits from '@powernode/core/limits/failover';
import * as overlayLimits from '@powernode/core/limits/overlay';
import { sql } from 'kysely';
import type { VirtualIpMove } from '../../../store/virtual-ip-columns.ts';
import { type ActionContext, checkRevision, type HandlersOf, type Input } from '../../context.ts';
import { page, pageAnswer } from '../../paging.ts';
import { noteDependents } from '../dependents.ts';
import { itemChanged } from '../item-changed.ts';
import { releaseAddresses } from '../peers/allocation.ts';
import { networkRow, peerRow } from '../rows.ts';
import { addressesFor } from './address.ts';
import { bestCandidate, termsOfHolder } from './fitness.ts';
import { holdersOf } from './holders.ts';
import { candidateIds, type VirtualIpRow, virtualIpModel } from './model.ts';
import { recordTransition, revokeAddress, writeVirtualIp } from './moves.ts';
import { lockVirtualIp, showVirtualIp, transitionsOf, virtualIpRow } from './present-virtual-ip.ts';
import { endSilentHolder } from './silent-holder.ts';

export const virtualIpHandlers: HandlersOf<
  'createVirtualIp' | 'listVirtualIps' | 'getVirtualIp' | 'updateVirtualIp' | 'deleteVirtualIp'
> = {
  async createVirtualIp(context, input) {
    const sequence = await context.lock();
    const network = await networkRow(context, input.network_id);
    await refuseTooMany(context, network.id);
    await refuseNameTaken(context, { networkId: network.id, name: input.name, except: null });
    const candidates = { primary: input.primary_holder_peer_id, failover: input.failover_holder_peer_ids };
    const healthCheck = input.health_check ?? null;
    await refuseUnfitCandidates(context, {
      ...{ networkId: network.id, virtualIpId: null, isChecked: healthCheck !== null },
      ...candidates,
    });
    const id = context.services.newId();
    const { address, ipv4Address } = await addressesFor(context, { network, id, wanted: input.address });
    const move = creation(context, sequence);
    const row = await context.trx
      .insertInto('virtual_ips')
      .values({
        id,
        account_id: context.accountId,
        network_id: network.id,
        name: input.name,
        address,
        ipv4_address: ipv4Address,
        anycast: input.anycast,
        primary_holder_peer_id: candidates.primary,
        failover_holder_peer_ids: JSON.stringify(candidates.failover),
        preempt: input.preempt ?? false,
        hold_down_seconds: input.hold_down_seconds ?? failoverLimits.holdDownSecondsDefault,
        epoch: 1,
        health_check: healthCheck === null ? null : JSON.stringify(healthCheck),
        ...(input.anycast
          ? { state: 'active' as const }
          : {
              state: 'pending' as const,
              current_holder_peer_id: candidates.primary,
              transition: JSON.stringify(move),
              last_transition_at: context.now,
            }),
      })
      .returningAll()
      .executeTakeFirstOrThrow();
    if (!input.anycast) await recordTransition(context, { row, move, to: candidates.primary });
    itemChanged(context, virtualIpModel, { before: null, after: row });
    const virtualIp = showVirtualIp(row);
    context.event('sdwan.virtual_ip.created', { before: null, after: virtualIp });
    return { virtual_ip: virtualIp };
  },

  async listVirtualIps(context, input) {
    if (input.network_id !== undefined) await networkRow(context, input.network_id);
    if (input.holder_peer_id !== undefined) await peerRow(context, input.holder_peer_id);
    let query = context.trx.selectFrom('virtual_ips').selectAll().where('account_id', '=', context.accountId);
    if (input.network_id !== undefined) query = query.where('network_id', '=', input.network_id);
    if (input.holder_peer_id !== undefined) {
      query = query.where('current_holder_peer_id', '=', input.holder_peer_id);
    }
    if (input.state !== undefined) query = query.where('state', '=', input.state);
    const found = await page(query, input, { by: 'id', direction: 'asc' });
    return { virtual_ips: found.rows.map(showVirtualIp), ...pageAnswer(found) };
  },

  async getVirtualIp(context, input) {
    const row = await virtualIpRow(context, input.virtual_ip_id);
    const [transitions, holders] = [await transitionsOf(context, row.id), await holdersOf(context, row)];
    return { virtual_ip: { ...showVirtualIp(row), transitions, holders } };
  },

  async updateVirtualIp(context, input) {
    await context.lock();
    const before = await lockVirtualIp(context, input.virtual_ip_id);
    checkRevision(before, input);
    if (input.name !== undefined) {
      await refuseNameTaken(context, { networkId: before.network_id, name: input.name, except: before.id });
    }
    const changed = await writeVirtualIp(context, before, await changedColumns(context, before, input));
    const after = await handOver(context, changed);
    const virtualIp = showVirtualIp(after);
    context.event('sdwan.virtual_ip.updated', { before: showVirtualIp(before), after: virtualIp });
    return { virtual_ip: virtualIp };
  },

  async deleteVirtualIp(context, input) {
    await context.lock();
    const before = await lockVirtualIp(context, input.virtual_ip_id);
    checkRevision(before, input);
    await noteDependents(context, { virtualIps: [before], isForGood: true });
    await releaseAddresses(context, {
      networkId: before.network_id,
      ownerId: before.id,
      ofVirtualIp: true,
      addresses: [before.address, before.ipv4_address],
    });
    await endSilentHolder(context, before, 'The virtual IP was deleted.');
    await context.trx.deleteFrom('virtual_ips').where('id', '=', before.id).execute();
    itemChanged(context, virtualIpModel, { before, after: null });
    const virtualIp = showVirtualIp(before);
    context.event('sdwan.virtual_ip.deleted', { before: virtualIp, after: null });
    return { virtual_ip: virtualIp };
  },
};

/** A holder that is no candidate any more hands it over. */
async function handOver(context: ActionContext, row: VirtualIpRow): Promise<VirtualIpRow> {
  const holder = row.current_holder_peer_id;
  if (holder === null || candidateIds(row).includes(holder)) return row;
  return revokeAddress(context, row, {
    successor: bestCandidate(context, row, [holder]),
    reason: 'holder_changed',
    detail: 'Its holder is no longer a candidate.',
    terms: await termsOfHolder(context, row),
  });
}

async function changedColumns(context: ActionContext, before: VirtualIpRow, input: Input<'updateVirtualIp'>) {
  const primary = input.primary_holder_peer_id ?? before.primary_holder_peer_id;
  // Whoever becomes the primary one does not stay behind itself.
  const failover =
    input.failover_holder_peer_ids ?? before.failover_holder_peer_ids.filter((id) => id !== primary);
  const healthCheck = input.health_check === undefined ? before.health_check : input.health_check;
  const isGiven =
    input.primary_holder_peer_id !== undefined ||
    input.failover_holder_peer_ids !== undefined ||
    (healthCheck !== null && before.health_check === null);
  const { id: virtualIpId, network_id: networkId } = before;
  const isChecked = healthCheck !== null;
  if (isGiven) await refuseUnfitCandidates(context, { networkId, virtualIpId, primary, failover, isChecked });
  const { successor_peer_id: successor } = before;
  return {
    name: input.name ?? before.name,
    primary_holder_peer_id: primary,
    failover_holder_peer_ids: JSON.stringify(failover),
    preempt: input.preempt ?? before.preempt,
    hold_down_seconds: input.hold_down_seconds ?? before.hold_down_seconds,
    health_check: healthCheck === null ? null : JSON.stringify(healthCheck),
    // What failed by another check says nothing of this one.
    ...(isDeepStrictEqual(healthCheck, before.health_check) ? {} : { failed_checks: '[]' }),
    successor_peer_id: successor !== null && [primary, ...failover].includes(successor) ? successor : null,
  };
}

function creation(context: ActionContext, sequence: number): VirtualIpMove {
  return {
    reason: 'created',
    detail: 'It was created.',
    actor: context.caller.operatorName,
    decided_at: context.now.toISOString(),
    from_peer_id: null,
    from_instance_id: null,
    from_terminated: false,
    terms: [],
    given_sequence: sequence,
  };
}

interface Candidates {
  readonly networkId: string;
  /** The one that they are for; null: a new one. */
  readonly virtualIpId: string | null;
  readonly primary: string;
  readonly failover: readonly string[];
  /** Each of them is to run a health check. */
  readonly isChecked: boolean;
}

async function refuseUnfitCandidates(context: ActionContext, candidates: Candidates): Promise<void> {
  const { networkId, virtualIpId, primary, failover, isChecked } = candidates;
  if (failover.includes(primary)) {
    const message = 'the primary holder cannot also be a fail-over holder';
    throw new ProductError('validation_failed', `failover_holder_peer_ids: ${message}. Remove it.`, {
      fields: [{ path: 'failover_holder_peer_ids', code: 'duplicate', message }],
    });
  }
  for (const [i, peerId] of [primary, ...failover].entries()) {
    const peer = await peerRow(context, peerId);
    const path = i === 0 ? 'primary_holder_peer_id' : `failover_holder_peer_ids.${i - 1}`;
    if (peer.network_id !== networkId) {
      const message = `the peer ${peerId} is in another network`;
      throw new ProductError(
        'validation_failed',
        `${path}: ${message}. Only a peer in the network can hold it.`,
        {
          fields: [{ path, code: 'other_network', message }],
        },
      );
    }
    await refuseBusyNode(context, { peerId, instanceId: peer.instance_id, virtualIpId, path, isChecked });
  }
}

/** A machine names all that it holds in one frame. */
async function refuseBusyNode(
  context: ActionContext,
  of: {
    readonly peerId: string;
    readonly instanceId: string;
    readonly virtualIpId: string | null;
    readonly path: string;
    readonly isChecked: boolean;
  },
): Promise<void> {
  const { rows } = await sql<{ count: number; checked: number }>`
    select count(distinct v.id) as count,
      count(distinct v.id) filter (where v.health_check is not null) as checked
    from peers p
    join virtual_ips v on v.network_id = p.network_id
     and (v.primary_holder_peer_id = p.id or jsonb_exists(v.failover_holder_peer_ids, p.id::text))
    where p.instance_id = ${of.instanceId} and v.id is distinct from ${of.virtualIpId}::uuid
  `.execute(context.trx);
  const { count = 0, checked = 0 } = rows[0] ?? {};
  if (of.isChecked && checked >= healthChecksPerNodeMax) {
    throw new ProductError(
      'limit_reached',
      `${of.path}: the instance of the peer ${of.peerId} runs ${checked} health checks already, which is the limit.`,
    );
  }
  if (count < overlayLimits.virtualIpsPerNodeMax) return;
  throw new ProductError(
    'limit_reached',
    `${of.path}: the instance of the peer ${of.peerId} can hold ${count} other virtual IPs already, which is the limit.`,
  );
}

async function refuseTooMany(context: ActionContext, networkId: string): Promise<void> {
  const { count } = await context.trx
    .selectFrom('virtual_ips')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('network_id', '=', networkId)
    .executeTakeFirstOrThrow();
  if (count < overlayLimits.virtualIpsPerNetworkMax) return;
  throw new ProductError('limit_reached', `The network has ${count} virtual IPs, which is the limit.`);
}

async function refuseNameTaken(
  context: ActionContext,
  wanted: { readonly networkId: string; readonly name: string; readonly except: string | null },
): Promise<void> {
  const other = await context.trx
    .selectFrom('virtual_ips')
    .select('id')
    .where('network_id', '=', wanted.networkId)
    .where('name', '=', wanted.name)
    .executeTakeFirst();
  if (other === undefined || other.id === wanted.except) return;
  throw new ProductError(
    'already_exists',
    `The network already has a virtual IP "${wanted.name}" (${other.id}). Choose another name.`,
    { fields: [{ path: 'name', code: 'taken', message: 'is taken' }], members: { virtual_ip_id: other.id } },
  );
}
