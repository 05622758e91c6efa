// Changes of a peer's role that follow from where its machine is seen: proposed as an approval with the evidence, or
// made at once where the account's policy says so. Only roles that were detected; what an operator declares stays.
import { definitionOf } from '@powernode/core/actions/catalogue';
import { peerRoleCategory } from '@powernode/core/actions/sdwan';
import { ProductError } from '@powernode/core/errors';
import type { PolicyMode } from '@powernode/core/intent/autonomy';
import {
  namedInErrorMax,
  roleRefusedKeptMs,
  roleUnansweredKeptMs,
  roleWithdrawnKeptMs,
  roleWithdrawnPauseMs,
} from '@powernode/core/limits/overlay';
import { sql } from 'kysely';
import { type ActionContext, checkRevision, type Handler } from '../../context.ts';
import { requestOfPlatform, withdrawRequests } from '../../gate/approvals.ts';
import { fieldsOf } from '../../gate/plan-fields.ts';
import { hostnames } from '../../gate/plan-names.ts';
import { policyMode } from '../../gate/policies.ts';
import { addressOf, detectionInWords, reachOf } from '../reachability/reach.ts';
import { type InstanceRow, instanceRow, type PeerRow, peerRow } from '../rows.ts';
import { takeHubSlot } from './allocation.ts';
import { overlayPrefixes, refuseUncallableHub } from './endpoint-checks.ts';
import { knownOf } from './endpoints.ts';
import { peerModel } from './model.ts';
import { showPeer } from './present-peer.ts';
import { beforeAndAfter, writePeer } from './write-peer.ts';

const action = definitionOf('changePeerRole').name;
type Role = 'hub' | 'spoke';

/**
 * Asks for what the peers of a machine should become by where it is seen, and takes back what is not so any more.
 * Answers in how long something is asked that was asked and taken back too lately; null: there is no such thing.
 */
export async function proposeRoles(context: ActionContext, instanceId: string): Promise<number | null> {
  const instance = await instanceRow(context, instanceId);
  const peers = await context.trx
    .selectFrom('peers')
    .selectAll()
    .where('account_id', '=', context.accountId)
    .where('instance_id', '=', instanceId)
    .orderBy('id')
    .execute();
  const wanted: Role = instance.publicly_reachable ? 'hub' : 'spoke';
  const pauses: number[] = [];
  for (const peer of peers) {
    const differs = peer.publicly_reachable === null && roleOf(peer) !== wanted;
    const request = { peer, instance, role: wanted };
    await withdrawOthers(context, { peer, kept: differs ? request : null });
    const pauseMs = differs ? await propose(context, request) : null;
    if (pauseMs !== null) pauses.push(pauseMs);
  }
  return pauses.length === 0 ? null : Math.min(...pauses);
}

interface Request {
  readonly peer: PeerRow;
  readonly instance: InstanceRow;
  readonly role: Role;
}

/** Answers in how long it may be asked; null: it was done, or nothing is to be. */
async function propose(context: ActionContext, request: Request): Promise<number | null> {
  const mode = await modeOf(context);
  if (mode === 'blocked') return null;
  if (mode === 'require_approval') {
    if (await isAnswered(context, inputOf(request))) return null;
    const pauseMs = await pauseOf(context, request.peer);
    if (pauseMs > 0) return pauseMs;
    await ask(context, request);
    return null;
  }
  await context.lock();
  const peer = await peerRow(context, request.peer.id);
  if (peer.publicly_reachable === null) await changeRole(context, { ...request, peer });
  return null;
}

function modeOf(context: ActionContext): Promise<PolicyMode> {
  const defaultMode = definitionOf('changePeerRole').category?.defaultMode ?? 'require_approval';
  return policyMode(context.trx, { accountId: context.accountId, category: peerRoleCategory, defaultMode });
}

async function ask(context: ActionContext, request: Request): Promise<void> {
  const { peer, instance, role } = request;
  const input = inputOf(request);
  const evidence = await evidenceOf(context, request);
  const after = { ...peer, ...(await roleColumns(context, request)) };
  const change = { kind: 'peer_changed' as const, networkId: peer.network_id };
  const plan = context.services.deliverer.plan(
    [{ ...change, before: peerModel(peer), after: peerModel(after) }],
    await hostnames(context),
  );
  const fields = await fieldsOf(context, {
    before: await showPeer(context, peer),
    after: await showPeer(context, after),
  });
  const summary = `Make "${instance.hostname}" a ${role}: ${evidence}`;
  const approval = await requestOfPlatform(context, {
    action: 'changePeerRole',
    category: peerRoleCategory,
    summary,
    input,
    plan: { ...fields, ...plan, evidence },
  });
  context.event(
    'sdwan.peer.role_change_proposed',
    {
      peer_id: peer.id,
      network_id: peer.network_id,
      node_instance_id: instance.id,
      hostname: instance.hostname,
      from: roleOf(peer),
      to: role,
      evidence,
      approval_id: approval.id,
    },
    'warning',
  );
}

function inputOf({ peer, instance, role }: Request) {
  const seen = instance.observed_address;
  return { peer_id: peer.id, role, ...(seen === null ? {} : { observed_address: seen }) };
}

/** It waits for an answer, or was answered not long ago. */
async function isAnswered(
  context: ActionContext,
  input: Readonly<Record<string, unknown>>,
): Promise<boolean> {
  const now = context.now.getTime();
  const row = await context.trx
    .selectFrom('approvals')
    .select('id')
    .where('account_id', '=', context.accountId)
    .where('action', '=', action)
    .where('input', '@>', sql<never>`${JSON.stringify(input)}::jsonb`)
    .where('requested_by', 'is', null)
    .where((eb) =>
      eb.or([
        eb('status', '=', 'pending'),
        eb.and([eb('decided_by', 'is not', null), eb('decided_at', '>', new Date(now - roleRefusedKeptMs))]),
        eb.and([
          eb('decided_by_name', 'is', null),
          eb('created_at', '>', new Date(now - roleUnansweredKeptMs)),
        ]),
      ]),
    )
    .executeTakeFirst();
  return row !== undefined;
}

/** How long nothing is asked about the peer still, because what was asked lately was not so any more soon after. */
async function pauseOf(context: ActionContext, peer: PeerRow): Promise<number> {
  const now = context.now.getTime();
  const { count, last } = await context.trx
    .selectFrom('approvals')
    .select((eb) => [eb.fn.countAll<number>().as('count'), eb.fn.max('decided_at').as('last')])
    .where('account_id', '=', context.accountId)
    .where('action', '=', action)
    .where('requested_by', 'is', null)
    .where('status', '=', 'rejected')
    .where('decided_by', 'is', null)
    .where('decided_by_name', 'is not', null)
    .where('decided_at', '>', new Date(now - roleWithdrawnKeptMs))
    .where('input', '@>', sql<never>`${JSON.stringify({ peer_id: peer.id })}::jsonb`)
    .executeTakeFirstOrThrow();
  if (last === null) return 0;
  const pauseMs = Math.min(roleWithdrawnPauseMs * 2 ** (count - 1), roleWithdrawnKeptMs);
  return Math.max(last.getTime() + pauseMs - now, 0);
}

/** Which address, seen by whom, since when. */
async function evidenceOf(context: ActionContext, { peer, instance }: Request): Promise<string> {
  const { observed_address: seen, observed_since: since } = instance;
  const words = detectionInWords({
    detected: instance.publicly_reachable,
    observedAddress: seen,
    listed: instance.addresses,
  });
  const sentences = [`${words}${since === null ? '' : `, since ${since.toISOString()}`}.`];
  const hubs = await context.trx
    .selectFrom('tunnel_observations as o')
    .innerJoin('instances as i', 'i.id', 'o.instance_id')
    .select(['i.hostname', 'o.endpoint'])
    .distinct()
    .where('o.account_id', '=', context.accountId)
    .where('o.public_key', 'in', [peer.public_key, peer.direct_key ?? peer.public_key])
    .where('o.endpoint', 'is not', null)
    .limit(namedInErrorMax)
    .execute();
  const places = hubs.map(({ hostname, endpoint }) => `"${hostname}" at ${addressOf(endpoint ?? '')}`);
  if (places.length > 0) sentences.push(`Observed by peers: ${[...new Set(places)].sort().join(', ')}.`);
  if (peer.role_because !== null)
    sentences.push(`It is a ${roleOf(peer)} because it was ${peer.role_because}.`);
  return sentences.join(' ');
}

/** Takes back what waits for the peer, but for the request that stands. */
async function withdrawOthers(
  context: ActionContext,
  of: { readonly peer: PeerRow; readonly kept: Request | null },
): Promise<void> {
  const kept = of.kept === null ? null : JSON.stringify(inputOf(of.kept));
  const ofPeer = sql`input @> ${JSON.stringify({ peer_id: of.peer.id })}::jsonb`;
  const where = kept === null ? sql<boolean>`${ofPeer}` : sql<boolean>`${ofPeer} and input <> ${kept}::jsonb`;
  const why = 'the instance is observed differently by now.';
  await withdrawRequests(context, { action: 'changePeerRole', why, where });
}

export const changePeerRole: Handler<'changePeerRole'> = async (context, input) => {
  await context.lock();
  const peer = await peerRow(context, input.peer_id);
  checkRevision(peer, input);
  const instance = await instanceRow(context, peer.instance_id);
  if (peer.publicly_reachable !== null) {
    throw new ProductError(
      'conflict',
      'The role of this peer is declared. Change it with system_sdwan_update_peer and publicly_reachable.',
    );
  }
  if (input.observed_address !== undefined && input.observed_address !== instance.observed_address) {
    throw new ProductError(
      'conflict',
      `"${instance.hostname}" is observed at ${instance.observed_address ?? 'no address'} by now, not at ${input.observed_address}.`,
    );
  }
  if (input.role !== (instance.publicly_reachable ? 'hub' : 'spoke')) {
    throw new ProductError(
      'conflict',
      `"${instance.hostname}" is not observed as a ${input.role}. Declare it with system_sdwan_update_peer and publicly_reachable.`,
    );
  }
  if (roleOf(peer) === input.role) return { peer: await showPeer(context, peer) };
  const after = await changeRole(context, { peer, instance, role: input.role });
  return { peer: await showPeer(context, after) };
};

type RoleColumns = Pick<PeerRow, 'hub_slot' | 'endpoint' | 'fallback_endpoints'>;

async function roleColumns(
  context: ActionContext,
  { peer: before, instance, role }: Request,
): Promise<RoleColumns> {
  const overlays = await overlayPrefixes(context.trx, context.accountId);
  const hub = role === 'hub';
  const reach = reachOf({
    hub,
    endpointAddresses: before.endpoint_addresses,
    listenPort: before.listen_port,
    observedAddress: instance.observed_address,
    listed: instance.addresses,
    known: knownOf(before),
    overlays,
  });
  if (hub && reach.endpoint === null) refuseUncallableHub({ instance, overlays });
  return {
    hub_slot: hub ? (before.hub_slot ?? (await takeHubSlot(context, before.network_id))) : null,
    endpoint: reach.endpoint,
    fallback_endpoints: [...reach.fallbacks],
  };
}

async function changeRole(context: ActionContext, request: Request): Promise<PeerRow> {
  const { peer: before, instance } = request;
  const columns = await roleColumns(context, request);
  const words = detectionInWords({
    detected: instance.publicly_reachable,
    observedAddress: instance.observed_address,
    listed: instance.addresses,
  });
  const after = await writePeer(context, before, {
    ...columns,
    fallback_endpoints: JSON.stringify(columns.fallback_endpoints),
    role_because: `${words}, and accepted by ${context.caller.operatorName}`,
  });
  context.event('sdwan.peer.role_changed', await beforeAndAfter(context, { before, after }), 'warning');
  return after;
}

function roleOf(peer: Pick<PeerRow, 'hub_slot'>): Role {
  return peer.hub_slot === null ? 'spoke' : 'hub';
}
