// Peers as the outside sees them: what they should be, and what is observed of them.
import { preferredHubs, tunnelEndpoint } from '@powernode/core/compile/entries';
import type { Peer, PeerStatus } from '@powernode/core/intent/peer';
import { directSpokesMax, silentAfterMs } from '@powernode/core/limits/overlay';
import type { NodeProblem } from '@powernode/core/wire/node-problems';
import { plannedOnce } from '../../../store/planned-once.ts';
import { stored, timeOfMs, timeOrNull } from '../../accounts/present.ts';
import type { ActionContext } from '../../context.ts';
import { isUncallable, peerProblemOf } from '../../fleet/problems.ts';
import { tunnelsModel } from '../networks/model.ts';
import { observationsOf, type PeerObservation } from '../reachability/observations.ts';
import { calledFrom, reachProblemOf } from '../reachability/present-reach.ts';
import { type NetworkRow, type PeerRow } from '../rows.ts';
import { peerModel } from './model.ts';

export async function showPeer(context: ActionContext, row: PeerRow): Promise<Peer> {
  const [peer] = await showPeers(context, [row]);
  if (peer === undefined) throw new Error('a peer that was just read is not shown');
  return peer;
}

export async function showPeers(context: ActionContext, rows: readonly PeerRow[]): Promise<Peer[]> {
  if (rows.length === 0) return [];
  const networkIds = [...new Set(rows.map((row) => row.network_id))];
  const networks = await context.trx
    .selectFrom('networks')
    .modifyFront(plannedOnce('networks_of_peers'))
    .selectAll()
    .where('account_id', '=', context.accountId)
    .where((eb) => eb('id', '=', eb.fn.any(eb.val(networkIds))))
    .execute();
  const instanceIds = [...new Set(rows.map((row) => row.instance_id))];
  const instances = await context.trx
    .selectFrom('instances')
    .modifyFront(plannedOnce('instances_of_peers'))
    .select(['id', 'hostname', 'problems'])
    .where('account_id', '=', context.accountId)
    .where((eb) => eb('id', '=', eb.fn.any(eb.val(instanceIds))))
    .execute();
  const networkOf = new Map(networks.map((network) => [network.id, network]));
  const instanceOf = new Map(instances.map((instance) => [instance.id, instance]));
  const observed = await observationsOf(context, rows);
  const full = await fullNetworks(context, rows);
  const behind = await behindPeers(context, rows);
  return rows.map((row) => {
    const network = networkOf.get(row.network_id);
    if (network === undefined) throw new Error(`peer ${row.id} has no network`);
    return show(context, {
      row,
      network,
      hostname: instanceOf.get(row.instance_id)?.hostname ?? '',
      problems: instanceOf.get(row.instance_id)?.problems ?? [],
      observation: observed(row),
      isFull: full.has(row.network_id),
      behind: behind.get(row.id) ?? nothingBehind,
    });
  });
}

interface Parts {
  readonly row: PeerRow;
  readonly network: NetworkRow;
  readonly hostname: string;
  readonly problems: readonly NodeProblem[];
  readonly observation: PeerObservation;
  /** As many spokes of the network have direct paths as may. */
  readonly isFull: boolean;
  readonly behind: Behind;
}

function show(context: ActionContext, parts: Parts): Peer {
  const { row, network, hostname, problems, observation, isFull } = parts;
  const delivery = context.services.deliverer.nodeDelivery(row.instance_id);
  const applied = delivery.appliedRevision;
  return {
    ...stored(row),
    network_id: row.network_id,
    node_instance_id: row.instance_id,
    hostname,
    public_key: row.public_key,
    host_address: row.host_address,
    ipv4_address: row.ipv4_address,
    role: row.hub_slot === null ? 'spoke' : 'hub',
    publicly_reachable: row.hub_slot !== null,
    publicly_reachable_source: row.publicly_reachable === null ? 'detected' : 'declared',
    role_because: row.role_because,
    endpoint_address: row.endpoint_addresses[0] ?? null,
    endpoint_addresses: row.endpoint_addresses,
    endpoint: row.endpoint,
    endpoints: row.endpoint === null ? [] : [row.endpoint, ...row.fallback_endpoints],
    listen_port: row.listen_port,
    called: calledFrom({ row, network, observation }),
    tags: row.tags,
    ...parts.behind,
    status: statusOf({ row, problems, observation, applied, now: context.now }),
    ...presenceOf(context, row.id),
    ...pathOf(context, { row, network }),
    direct_path: directPathOf({ row, network, isFull }),
    draining: row.draining,
    last_handshake_at: timeOrNull(observation.lastHandshakeAt),
    rx_bytes: observation.rxBytes,
    tx_bytes: observation.txBytes,
    applied_revision: applied,
    desired_revision: delivery.desiredRevision,
    problem:
      peerProblemOf(row.network_id, problems) ??
      reachProblemOf({ row, network, hostname, observation }) ??
      refusedIpv4PrefixOf(row) ??
      refusedSliceOf(row),
  };
}

type Behind = Pick<Peer, 'lan_subnets' | 'pod_subnet' | 'pod_subnet_source'>;

const nothingBehind: Behind = { lan_subnets: [], pod_subnet: null, pod_subnet_source: null };

/** By peer, the prefixes behind it. */
async function behindPeers(context: ActionContext, rows: readonly PeerRow[]): Promise<Map<string, Behind>> {
  const ids = rows.map((row) => row.id);
  const found = await context.trx
    .selectFrom('subnet_advertisements')
    .modifyFront(plannedOnce('subnets_of_peers'))
    .select(['peer_id', 'source', 'slice_source', 'prefix', 'local_prefix'])
    .select(['description', 'preference', 'source_nat'])
    .where('account_id', '=', context.accountId)
    .where((eb) => eb('peer_id', '=', eb.fn.any(eb.val(ids))))
    .where('withdrawn_at', 'is', null)
    .orderBy('id')
    .execute();
  return new Map(
    [...Map.groupBy(found, (one) => one.peer_id)].map(([peerId, list]) => {
      const slice = list.find(({ source }) => source === 'pod_subnet');
      const lans = list.filter(({ source }) => source === 'declared_lan_subnet');
      return [
        peerId,
        {
          lan_subnets: lans.map(({ peer_id: _peer, source: _source, slice_source: _slice, ...lan }) => lan),
          pod_subnet: slice?.prefix ?? null,
          pod_subnet_source: slice?.slice_source ?? null,
        },
      ];
    }),
  );
}

/** Known by the platform alone: the machine's word is not followed. */
function refusedSliceOf(row: PeerRow): Peer['problem'] {
  if (row.pod_subnet_refused === null) return null;
  const since = row.pod_subnet_refused_at ?? row.updated_at;
  return { code: 'pod_subnet_refused', detail: row.pod_subnet_refused, since: since.toISOString() };
}

/** Known by the platform and not by the machine, which was told of no IPv4 address. */
function refusedIpv4PrefixOf(row: PeerRow): Peer['problem'] {
  if (row.ipv4_refused === null) return null;
  const since = row.ipv4_refused_at ?? row.created_at;
  return { code: 'ipv4_refused', detail: row.ipv4_refused, since: since.toISOString() };
}

function presenceOf(
  { services }: Pick<ActionContext, 'services'>,
  peerId: string,
): Pick<Peer, 'reachable' | 'reachable_since' | 'unreachable_because'> {
  const { reachable, sinceMs, because } = services.deliverer.peerPresence(peerId);
  return { reachable, reachable_since: timeOfMs(sinceMs), unreachable_because: because };
}

/** Those networks of peers that wait for a direct path in which there is no room for one more. */
async function fullNetworks(context: ActionContext, rows: readonly PeerRow[]): Promise<Set<string>> {
  const waiting = rows.filter((row) => row.nat_kind === 'cone' && row.direct_endpoint === null);
  if (waiting.length === 0) return new Set();
  const full = await context.trx
    .selectFrom('peers')
    .select('network_id')
    .where('account_id', '=', context.accountId)
    .where('network_id', 'in', [...new Set(waiting.map((row) => row.network_id))])
    .where('direct_endpoint', 'is not', null)
    .groupBy('network_id')
    .having((eb) => eb.fn.countAll<number>(), '>=', directSpokesMax)
    .execute();
  return new Set(full.map((row) => row.network_id));
}

function statusOf(facts: {
  readonly row: Pick<PeerRow, 'attached_sequence' | 'network_id' | 'hub_slot'>;
  readonly problems: readonly NodeProblem[];
  readonly observation: PeerObservation;
  readonly applied: number | null;
  readonly now: Date;
}): PeerStatus {
  const { lastHandshakeAt } = facts.observation;
  if (lastHandshakeAt !== null && !isUncallable(facts.row, facts.problems)) {
    return facts.now.getTime() - lastHandshakeAt.getTime() > silentAfterMs ? 'silent' : 'connected';
  }
  const applied = facts.applied !== null && facts.applied >= facts.row.attached_sequence;
  return applied ? 'handshaking' : 'handshake_pending';
}

/** A peer that others can call is met directly; others' spokes reach the rest through a hub, or where hubs see them. */
function pathOf(
  context: Pick<ActionContext, 'services'>,
  { row, network }: { readonly row: PeerRow; readonly network: NetworkRow },
): Pick<Peer, 'path' | 'via_hub_peer_id' | 'direct_peer_ids'> {
  if (isCallable({ row, network })) return { path: 'direct', via_hub_peer_id: null, direct_peer_ids: [] };
  const { deliverer } = context.services;
  const direct = deliverer.directPeers(row.instance_id, network.id);
  const transit = deliverer.network(network.id)?.transit ?? [];
  const used = deliverer.hubInUse(row.instance_id, network.id);
  return {
    path: direct.length > 0 ? 'direct' : 'via hub',
    via_hub_peer_id: used ?? preferredHubs(network, transit)[0]?.id ?? null,
    direct_peer_ids: direct,
  };
}

function isCallable({ row, network }: { readonly row: PeerRow; readonly network: NetworkRow }): boolean {
  return row.hub_slot !== null || tunnelEndpoint(tunnelsModel(network), peerModel(row)) !== null;
}

function directPathOf(of: Pick<Parts, 'row' | 'network' | 'isFull'>): Peer['direct_path'] {
  const { row, network } = of;
  if (isCallable(of)) return { state: 'not_needed', detail: 'Other peers reach it at its endpoint.' };
  if (!network.direct_paths)
    return { state: 'switched_off', detail: 'direct_paths of the network is false.' };
  if (row.nat_kind === 'symmetric') {
    const detail = 'Its NAT uses a different mapping for each peer (symmetric NAT), so it stays on its hubs.';
    return { state: 'symmetric_nat', detail };
  }
  if (row.direct_endpoint !== null) {
    return { state: 'possible', detail: `Hubs see it at ${row.direct_endpoint}.` };
  }
  if (row.nat_kind === 'unknown') {
    return { state: 'unknown', detail: 'No hub has observed its endpoint yet.' };
  }
  if (!of.isFull)
    return { state: 'unknown', detail: 'Its endpoint, as observed by hubs, is being checked again.' };
  const detail = `${directSpokesMax} spokes of the network have direct paths already.`;
  return { state: 'limit', detail };
}
