// Handlers: peers.
import { ProductError } from '@powernode/core/errors';
import * as limits from '@powernode/core/limits';
import { peerModel } from '../../deliver/models.ts';
import { type ActionContext, checkRevision, type HandlersOf } from '../context.ts';
import { listPeers } from './list-peers.ts';
import { forgetTunnels } from './observations.ts';
import { releaseAddresses, takeAddresses, takeHubSlot, takeKeys, takePort } from './peer-allocation.ts';
import { showPeer } from './present-peer.ts';
import { reachOf } from './reach.ts';
import { type InstanceRow, instanceRow, networkRow, type PeerRow, peerRow } from './rows.ts';
import { type Leaving, leaveVirtualIps } from './virtual-ips/leave.ts';

export const peerHandlers: HandlersOf<
  'attachPeer' | 'listPeers' | 'getPeer' | 'updatePeer' | 'setPeerTags' | 'rotatePeerKey' | 'detachPeer'
> = {
  async attachPeer(context, input) {
    const sequence = await context.lock();
    const network = await networkRow(context, input.network_id);
    const instance = await instanceRow(context, input.node_instance_id);
    await refuseUnfit(context, { networkId: network.id, instance });
    const endpointAddress = input.endpoint_address ?? null;
    const listenPort = await takePort(context, { instance, endpointAddress, peerId: null });
    const reach = reachOf({
      declared: input.publicly_reachable ?? null,
      endpointAddress,
      listenPort,
      observedAddress: instance.observed_address,
      detected: instance.publicly_reachable,
    });
    // It may have been in the network before: what it saw then says nothing of the tunnels that it gets now.
    await forgetTunnels(context, { handle: network.handle, instanceId: instance.id });
    const { address, ipv4Address } = await takeAddresses(context, { network, instanceId: instance.id });
    const row = await context.trx
      .insertInto('peers')
      .values({
        id: context.services.newId(),
        account_id: context.accountId,
        network_id: network.id,
        instance_id: instance.id,
        host_address: address,
        ipv4_address: ipv4Address,
        ...(await takeKeys(context, instance)),
        publicly_reachable: input.publicly_reachable ?? null,
        endpoint_address: endpointAddress,
        listen_port: listenPort,
        hub_slot: reach.hub ? await takeHubSlot(context, network.id) : null,
        endpoint: reach.endpoint,
        tags: JSON.stringify(input.tags ?? instance.tags),
        attached_sequence: sequence,
      })
      .returningAll()
      .executeTakeFirstOrThrow();
    context.change({ kind: 'peer_changed', networkId: network.id, before: null, after: peerModel(row) });
    const peer = await showPeer(context, row);
    context.event('sdwan.peer.attached', { before: null, after: peer });
    return { peer };
  },

  listPeers,

  async getPeer(context, input) {
    return { peer: await showPeer(context, await peerRow(context, input.peer_id)) };
  },

  async updatePeer(context, input) {
    await context.lock();
    const before = await peerRow(context, input.peer_id);
    checkRevision(before, input);
    const declared =
      input.publicly_reachable === undefined ? before.publicly_reachable : input.publicly_reachable;
    const endpointAddress =
      input.endpoint_address === undefined ? before.endpoint_address : input.endpoint_address;
    const instance = await instanceRow(context, before.instance_id);
    const after = await writePeer(context, before, {
      publicly_reachable: declared,
      endpoint_address: endpointAddress,
      tags: JSON.stringify(input.tags ?? before.tags),
      ...(await reachColumns(context, { before, instance, declared, endpointAddress })),
    });
    context.event('sdwan.peer.updated', await beforeAndAfter(context, { before, after }));
    return { peer: await showPeer(context, after) };
  },

  async setPeerTags(context, input) {
    await context.lock();
    const before = await peerRow(context, input.peer_id);
    checkRevision(before, input);
    const after = await writePeer(context, before, { tags: JSON.stringify(input.tags) });
    context.event('sdwan.peer.tags_set', await beforeAndAfter(context, { before, after }));
    return { peer: await showPeer(context, after) };
  },

  async rotatePeerKey(context, input) {
    await context.lock();
    const before = await peerRow(context, input.peer_id);
    checkRevision(before, input);
    const instance = await instanceRow(context, before.instance_id);
    const after = await writePeer(context, before, {
      ...(await takeKeys(context, instance)),
      direct_endpoint: null,
      nat_kind: 'unknown',
    });
    context.event('sdwan.peer.key_rotated', await beforeAndAfter(context, { before, after }));
    return { peer: await showPeer(context, after) };
  },

  async detachPeer(context, input) {
    await context.lock();
    const before = await peerRow(context, input.peer_id);
    checkRevision(before, input);
    const peer = await showPeer(context, before);
    await removePeer(context, before);
    context.event('sdwan.peer.detached', { before: peer, after: null });
    return { peer };
  },
};

/** Takes a peer out of its network; its address rests before another peer can get it. */
export async function removePeer(
  context: ActionContext,
  peer: PeerRow,
  leaving: Leaving = { terminated: false },
): Promise<void> {
  await leaveVirtualIps(context, peer, leaving);
  await releaseAddresses(context, {
    networkId: peer.network_id,
    ownerId: peer.instance_id,
    addresses: [peer.host_address, peer.ipv4_address],
  });
  await context.trx.deleteFrom('peers').where('id', '=', peer.id).execute();
  context.change({
    kind: 'peer_changed',
    networkId: peer.network_id,
    before: peerModel(peer),
    after: null,
  });
}

async function refuseUnfit(
  context: ActionContext,
  wanted: { readonly networkId: string; readonly instance: InstanceRow },
): Promise<void> {
  const { networkId, instance } = wanted;
  if (instance.status !== 'running') {
    throw new ProductError(
      'conflict',
      `The machine "${instance.hostname}" is ${instance.status}; only a running one can be attached.`,
    );
  }
  const rows = await context.trx
    .selectFrom('peers')
    .select(['id', 'instance_id'])
    .where('network_id', '=', networkId)
    .execute();
  const present = rows.find((row) => row.instance_id === instance.id);
  if (present !== undefined) {
    throw new ProductError(
      'already_exists',
      `The machine "${instance.hostname}" is already in this network, as peer ${present.id}.`,
      { members: { peer_id: present.id } },
    );
  }
  if (rows.length >= limits.peersPerNetworkMax) {
    throw new ProductError('limit_reached', `The network has ${rows.length} peers, which is the limit.`);
  }
}

type PeerColumns = Partial<
  Pick<
    PeerRow,
    | 'publicly_reachable'
    | 'endpoint_address'
    | 'listen_port'
    | 'hub_slot'
    | 'endpoint'
    | 'public_key'
    | 'direct_key'
    | 'direct_endpoint'
    | 'nat_kind'
  >
> & { readonly tags?: string };

async function writePeer(context: ActionContext, before: PeerRow, columns: PeerColumns): Promise<PeerRow> {
  const after = await context.trx
    .updateTable('peers')
    .set({ ...columns, updated_at: context.now, revision: before.revision + 1 })
    .where('id', '=', before.id)
    .returningAll()
    .executeTakeFirstOrThrow();
  context.change({
    kind: 'peer_changed',
    networkId: before.network_id,
    before: peerModel(before),
    after: peerModel(after),
  });
  return after;
}

/** Port, place and hub's number that follow from what is declared and observed. A hub keeps its number. */
async function reachColumns(
  context: ActionContext,
  facts: {
    readonly before: PeerRow;
    readonly instance: InstanceRow;
    readonly declared: boolean | null;
    readonly endpointAddress: string | null;
  },
): Promise<Pick<PeerRow, 'listen_port' | 'hub_slot' | 'endpoint'>> {
  const { before, instance, declared, endpointAddress } = facts;
  const listenPort =
    endpointAddress === before.endpoint_address
      ? before.listen_port
      : await takePort(context, { instance, endpointAddress, peerId: before.id });
  const reach = reachOf({
    declared,
    endpointAddress,
    listenPort,
    observedAddress: instance.observed_address,
    detected: instance.publicly_reachable,
  });
  const hubSlot = reach.hub ? (before.hub_slot ?? (await takeHubSlot(context, before.network_id))) : null;
  return { listen_port: listenPort, hub_slot: hubSlot, endpoint: reach.endpoint };
}

async function beforeAndAfter(
  context: ActionContext,
  rows: { readonly before: PeerRow; readonly after: PeerRow },
): Promise<Record<string, unknown>> {
  return { before: await showPeer(context, rows.before), after: await showPeer(context, rows.after) };
}
