// Handler: the topology of a network, as its nodes would be given it, without key material.

import { tunnelEndpoint } from '@powernode/core/compile/entries';
import type { NetworkIndex } from '@powernode/core/compile/network-index';
import type { CompiledEntry } from '@powernode/core/compile/patch';
import type { Peer, Topology } from '@powernode/core/intent/peer';
import { namedInErrorMax } from '@powernode/core/limits/overlay';
import { topologyNodesMax } from '@powernode/core/limits/requests';
import type { EntryValue } from '@powernode/core/wire/document';
import type { NodeProblem } from '@powernode/core/wire/node-problems';
import type { ActionContext, Handler } from '../../context.ts';
import { problemsOfPeers } from '../../fleet/problems.ts';
import { tunnelsModel } from '../networks/model.ts';
import { showPeers } from '../peers/present-peer.ts';
import { type NetworkRow, networkRow, type PeerRow } from '../rows.ts';
import { warningsBetween } from './reach-members.ts';

type Node = Topology['nodes'][number];
type Link = Topology['links'][number];

export const getTopology: Handler<'getTopology'> = async (context, input) => {
  const network = await networkRow(context, input.network_id);
  const rows = await context.trx
    .selectFrom('peers')
    .selectAll()
    .where('network_id', '=', network.id)
    .where('account_id', '=', context.accountId)
    // Hubs first: a picture that has to be cut still shows what holds it together.
    .orderBy('hub_slot')
    .orderBy('id')
    .limit(topologyNodesMax + 1)
    .execute();
  const shown = rows.slice(0, topologyNodesMax);
  const index = context.services.deliverer.network(network.id);
  const peers = await showPeers(context, shown);
  const handshakes = await handshakesOf(context, shown);
  const peerIds = new Set(rows.map((row) => row.id));
  const nodes: Node[] = [];
  const links: Link[] = [];
  for (const [i, row] of shown.entries()) {
    const peer = peers[i];
    const entries = index?.compile(row.instance_id) ?? [];
    if (peer === undefined) continue;
    nodes.push({
      peer_id: peer.id,
      node_instance_id: peer.node_instance_id,
      hostname: peer.hostname,
      role: peer.role,
      host_address: peer.host_address,
      status: peer.status,
      reachable: peer.reachable,
      reachable_since: peer.reachable_since,
      unreachable_because: peer.unreachable_because,
      connected: context.services.deliverer.nodeDelivery(row.instance_id).connected,
      path: peer.path,
      via_hub_peer_id: peer.via_hub_peer_id,
      desired_revision: peer.desired_revision,
      applied_revision: peer.applied_revision,
      ...partsOf(entries),
    });
    const answers = (hubId: string) => context.services.deliverer.tunnelAnswers(row.instance_id, hubId);
    links.push(...linksOf(entries, { row, peerIds, handshakes, answers }));
  }
  return {
    topology: {
      network_id: network.id,
      handle: network.handle,
      prefix: network.prefix,
      topology_strategy: network.topology_strategy,
      revision: Math.max(0, ...nodes.map((node) => node.desired_revision)),
      nodes,
      links: links.slice(0, topologyLinksMax),
      warnings: [
        ...warningsOf(network, index),
        ...refusedLegs(shown, peers),
        ...(await warningsBetween(context, network)),
        ...rolledBack(peers, await problemsOfPeers(context, network.id)),
      ],
      truncated: rows.length > topologyNodesMax || links.length > topologyLinksMax,
    },
  };
};

/** A full mesh of 300 has 90,000 tunnels; a picture of more helps nobody. */
const topologyLinksMax = 100_000;

type Parts = Pick<
  Node,
  'interfaces' | 'routes' | 'virtual_ips' | 'firewall' | 'port_mappings' | 'user_devices_count'
>;

/** Everything but tunnels, which are links, and what nodes only need to agree among themselves. */
function partsOf(entries: readonly CompiledEntry[]): Parts {
  const values = entries.map(({ value }) => value);
  const of = <K extends EntryValue['kind']>(kind: K) =>
    values.filter((value): value is Extract<EntryValue, { kind: K }> => value.kind === kind);
  const [firewall] = of('firewall');
  return {
    interfaces: of('interface').map(({ name, purpose, listen_port, mtu, addresses }) => ({
      name,
      purpose,
      listen_port,
      mtu,
      addresses,
    })),
    routes: of('route').map(({ destination, via }) => ({ destination, via })),
    virtual_ips: of('virtual_ip').map(({ virtual_ip_id, addresses }) => ({ virtual_ip_id, addresses })),
    firewall:
      firewall === undefined
        ? null
        : { default_policy: firewall.default_policy, rules_count: of('rule').length },
    port_mappings: of('port_mapping').map((mapping) => ({
      port_mapping_id: mapping.port_mapping_id,
      protocol: mapping.protocol,
      external_address: mapping.external_address,
      external_port: mapping.external_port,
      target_address: mapping.target_address,
      target_port: mapping.target_port,
    })),
    user_devices_count: of('device').length,
  };
}

function linksOf(
  entries: readonly CompiledEntry[],
  from: {
    readonly row: PeerRow;
    readonly peerIds: ReadonlySet<string>;
    readonly handshakes: ReadonlyMap<string, Date>;
    /** What the node's own probes say of its tunnel to a hub. */
    readonly answers: (hubId: string) => boolean | null;
  },
): Link[] {
  return entries.flatMap(({ value }): Link[] => {
    if (value.kind !== 'peer') return [];
    // A tunnel without addresses only shows a hub where the other side is; a device is no peer.
    if (value.allowed_ips.length === 0 || !from.peerIds.has(value.peer_id)) return [];
    const isTransit = value.allowed_ips.includes('::/0');
    const key = `${from.row.instance_id}/${value.interface}/${value.public_key}`;
    return [
      {
        peer_id: from.row.id,
        remote_peer_id: value.peer_id,
        interface: value.interface,
        purpose: isTransit ? 'transit' : 'leaf',
        endpoint: value.endpoint,
        allowed_ips: value.allowed_ips,
        last_handshake_at: from.handshakes.get(key)?.toISOString() ?? null,
        answers: isTransit ? from.answers(value.peer_id) : null,
      },
    ];
  });
}

async function handshakesOf(context: ActionContext, rows: readonly PeerRow[]): Promise<Map<string, Date>> {
  if (rows.length === 0) return new Map();
  const seen = await context.trx
    .selectFrom('tunnel_observations')
    .select(['instance_id', 'interface', 'public_key', 'last_handshake_at'])
    .where('account_id', '=', context.accountId)
    .where(
      'instance_id',
      'in',
      rows.map((row) => row.instance_id),
    )
    .where('last_handshake_at', 'is not', null)
    .execute();
  return new Map(
    seen.flatMap((row) =>
      row.last_handshake_at === null
        ? []
        : [[`${row.instance_id}/${row.interface}/${row.public_key}`, row.last_handshake_at] as const],
    ),
  );
}

/** What keeps a network from working although everything in it is applied. */
function warningsOf(network: NetworkRow, index: NetworkIndex | undefined): Topology['warnings'] {
  const peers = [...(index?.peers() ?? [])];
  const hubs = peers.filter((peer) => peer.hubSlot !== null);
  const warnings: Topology['warnings'] = [];
  if (peers.length > 1 && hubs.length === 0) {
    warnings.push({
      code: 'no_hub',
      detail: `No peer of "${network.name}" is publicly reachable, so its peers cannot connect. Set publicly_reachable on one of them and, if its router forwards a port, endpoint_address.`,
    });
  }
  for (const hub of hubs.filter((peer) => tunnelEndpoint(tunnelsModel(network), peer) === null)) {
    warnings.push({
      code: 'hub_without_endpoint',
      detail: `No peer can reach the hub ${hub.id}: its instance was never observed, or only at an address that other peers cannot use. Start its agent, or set endpoint_address.`,
    });
  }
  return warnings;
}

/** Peers that do without the network's IPv4 prefix; the first of them, or they would hide all other warnings. */
function refusedLegs(rows: readonly PeerRow[], peers: readonly Peer[]): Topology['warnings'] {
  return rows
    .flatMap((row, i) => {
      const detail = `"${peers[i]?.hostname ?? ''}": ${row.ipv4_refused}`;
      return row.ipv4_refused === null ? [] : [{ code: 'ipv4_refused', detail }];
    })
    .slice(0, namedInErrorMax);
}

/** Peers whose machines went back to what they had before the last change; the first of them. */
function rolledBack(
  peers: readonly Peer[],
  problems: ReadonlyMap<string, readonly NodeProblem[]>,
): Topology['warnings'] {
  return peers
    .flatMap(({ id, hostname }) => {
      const problem = problems.get(id)?.find(({ code }) => code === 'change_rolled_back');
      return problem === undefined
        ? []
        : [{ code: problem.code, detail: `"${hostname}": ${problem.detail}` }];
    })
    .slice(0, namedInErrorMax);
}
