// Handlers: peers.
import { ProductError } from '@powernode/core/errors';
import * as limits from '@powernode/core/limits/overlay';
import { sql } from 'kysely';
import { firstIdAt } from '../../../events/write-events.ts';
import { type ActionContext, checkRevision, type HandlersOf } from '../../context.ts';
import { noteDependents } from '../dependents.ts';
import { fitNetwork } from '../networks/attach-blocks.ts';
import { noteFewPeers } from '../networks/routing-mode.ts';
import { attachSlice, releaseSlice, setSlice } from '../pods/set-slice.ts';
import { forgetTunnels } from '../reachability/observations.ts';
import { noteReach } from '../reachability/reach-members.ts';
import {
  type InstanceRow,
  instanceRow,
  type NetworkRow,
  networkRow,
  type PeerRow,
  peerRow,
} from '../rows.ts';
import { type Leaving, leaveVirtualIps, rejoinVirtualIps } from '../virtual-ips/leave.ts';
import { releaseAddresses, takeAddresses, takeKeys } from './allocation.ts';
import { endpointColumns } from './endpoints.ts';
import { asBefore, type FormerPeer, recallPeer, rememberPeer } from './former-peers.ts';
import { listPeers } from './list-peers.ts';
import { peerModel } from './model.ts';
import { showPeer } from './present-peer.ts';
import { endUnreachableHub } from './unreachable-hub.ts';
import { beforeAndAfter, writePeer } from './write-peer.ts';

export const peerHandlers: HandlersOf<
  'attachPeer' | 'listPeers' | 'getPeer' | 'updatePeer' | 'setPeerTags' | 'rotatePeerKey' | 'detachPeer'
> = {
  async attachPeer(context, input) {
    const sequence = await context.lock();
    const found = await networkRow(context, input.network_id);
    const instance = await instanceRow(context, input.node_instance_id);
    await refuseUnfit(context, { network: found, instance });
    const { network, ipv4Refused } = await fitNetwork(context, { network: found, instance });
    const former = await recallPeer(context, { networkId: network.id, instanceId: instance.id });
    const place = { networkId: network.id, instance, before: null, input: asBefore(input, former) };
    const endpoints = await endpointColumns(context, place);
    // It may have been in the network before: what it saw then says nothing of the tunnels that it gets now.
    await forgetTunnels(context, { handle: network.handle, instanceId: instance.id });
    const { address, ipv4Address } = await takeAddresses(context, {
      network,
      instanceId: instance.id,
      withoutIpv4: ipv4Refused !== null,
    });
    const row = await context.trx
      .insertInto('peers')
      .values({
        id: former?.peer_id ?? context.services.newId(),
        // An edit of what it was before is refused as one of an older revision.
        revision: former === null ? 1 : former.revision + 1,
        account_id: context.accountId,
        network_id: network.id,
        instance_id: instance.id,
        host_address: address,
        ipv4_address: ipv4Address,
        ipv4_refused: ipv4Refused,
        ipv4_refused_at: ipv4Refused === null ? null : context.now,
        ...(await takeKeys(context, instance)),
        ...endpoints,
        tags: JSON.stringify(input.tags ?? former?.tags ?? instance.tags),
        attached_sequence: sequence,
        routing_daemon_missing: instance.routing_daemon?.missing != null,
      })
      .returningAll()
      .executeTakeFirstOrThrow();
    context.change({ kind: 'peer_changed', networkId: network.id, before: null, after: peerModel(row) });
    if (former !== null) await returned(context, { row, former });
    const attached = await attachSlice(context, { network, peer: row, wanted: input.pod_subnet });
    // A hub sees what it relays for those that are there, also where it is detected as one, or is one again.
    if (row.hub_slot !== null && found.peers_count > 0) context.needsPerson();
    await noteReach(context, { network, peerId: row.id });
    const peer = await showPeer(context, attached);
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
    const instance = await instanceRow(context, before.instance_id);
    const network = await networkRow(context, before.network_id);
    const shownBefore = await showPeer(context, before);
    const written = await writePeer(context, before, {
      tags: JSON.stringify(input.tags ?? before.tags),
      ...(await endpointColumns(context, { networkId: network.id, instance, before, input })),
    });
    const after = await setSlice(context, { network, peer: written, wanted: input.pod_subnet });
    await noteReach(context, { network, peerId: after.id });
    const shown = { before: shownBefore, after: await showPeer(context, after) };
    context.event('sdwan.peer.updated', shown);
    return { peer: shown.after };
  },

  async setPeerTags(context, input) {
    await context.lock();
    const before = await peerRow(context, input.peer_id);
    checkRevision(before, input);
    const after = await writePeer(context, before, { tags: JSON.stringify(input.tags) });
    const shown = await beforeAndAfter(context, { before, after });
    context.event('sdwan.peer.tags_set', shown);
    return { peer: shown.after };
  },

  async rotatePeerKey(context, input) {
    await context.lock();
    const before = await peerRow(context, input.peer_id);
    checkRevision(before, input);
    const instance = await instanceRow(context, before.instance_id);
    if (await hasRotatedLately(context, before.id)) context.needsPerson();
    const after = await writePeer(context, before, {
      ...(await takeKeys(context, instance)),
      direct_endpoint: null,
      nat_kind: 'unknown',
    });
    const shown = await beforeAndAfter(context, { before, after });
    context.event('sdwan.peer.key_rotated', shown);
    return { peer: shown.after };
  },

  async detachPeer(context, input) {
    await context.lock();
    const before = await peerRow(context, input.peer_id);
    checkRevision(before, input);
    const peer = await showPeer(context, before);
    await noteDependents(context, { peers: [before], isForGood: false });
    await removePeer(context, before);
    context.event('sdwan.peer.detached', { before: peer, after: null });
    return { peer };
  },
};

async function hasRotatedLately(context: ActionContext, peerId: string): Promise<boolean> {
  const since = new Date(context.now.getTime() - limits.keyRotationQuietMs);
  const found = await context.trx
    .selectFrom('events')
    .select('id')
    .where('account_id', '=', context.accountId)
    .where('id', '>', firstIdAt(since))
    .where('kind', '=', 'sdwan.peer.key_rotated')
    .where(sql<boolean>`payload -> 'after' ->> 'id' = ${peerId}`)
    .limit(1)
    .executeTakeFirst();
  return found !== undefined;
}

/** Takes a peer out of its network; its address rests before another peer can get it. */
export async function removePeer(
  context: ActionContext,
  peer: PeerRow,
  leaving: Leaving = { terminated: false },
): Promise<void> {
  await releaseSlice(context, peer);
  const candidacies = await leaveVirtualIps(context, peer, leaving);
  if (!leaving.terminated) await rememberPeer(context, peer, candidacies);
  await releaseAddresses(context, {
    networkId: peer.network_id,
    ownerId: peer.instance_id,
    addresses: [peer.host_address, peer.ipv4_address],
  });
  await endUnreachableHub(context, peer, 'The hub was detached from the network.');
  await context.trx.deleteFrom('peers').where('id', '=', peer.id).execute();
  context.change({
    kind: 'peer_changed',
    networkId: peer.network_id,
    before: peerModel(peer),
    after: null,
  });
  noteFewPeers(context, await networkRow(context, peer.network_id));
}

/** It was in this network a short while ago, and is the same peer again. */
async function returned(
  context: ActionContext,
  of: { readonly row: PeerRow; readonly former: FormerPeer },
): Promise<void> {
  const names = await rejoinVirtualIps(context, of.row.id, of.former.virtual_ips);
  const since = of.former.detached_at.toISOString();
  const candidate = names.length === 0 ? '' : ` It is a candidate of ${names.join(', ')} again.`;
  context.note(
    'peer_returns',
    `The instance left this network at ${since}. It becomes the same peer again, with its rules, addresses, port mappings and tags.${candidate}`,
  );
}

async function refuseUnfit(
  context: ActionContext,
  wanted: { readonly network: NetworkRow; readonly instance: InstanceRow },
): Promise<void> {
  const { network, instance } = wanted;
  if (instance.status !== 'running') {
    throw new ProductError(
      'conflict',
      `The instance "${instance.hostname}" is ${instance.status}; only a running instance can be attached.`,
    );
  }
  const present = await context.trx
    .selectFrom('peers')
    .select('id')
    .where('network_id', '=', network.id)
    .where('instance_id', '=', instance.id)
    .executeTakeFirst();
  if (present !== undefined) {
    throw new ProductError(
      'already_exists',
      `The instance "${instance.hostname}" is already in this network, as peer ${present.id}.`,
      { members: { peer_id: present.id } },
    );
  }
  if (network.peers_count >= limits.peersPerNetworkMax) {
    throw new ProductError(
      'limit_reached',
      `The network has ${network.peers_count} peers, which is the limit.`,
    );
  }
}
