// The topology of a network of the fake platform: every spoke has a tunnel with every hub, and with the spokes that it
// meets directly.
import type { Topology } from '@powernode/core/intent/peer';
import { topologyNodesMax } from '@powernode/core/limits/requests';
import type { Network, Peer, World } from './world.ts';

export function topologyOf(world: World, network: Network): Topology {
  const all = world.peers.filter((peer) => peer.network_id === network.id);
  const peers = [...all].sort((a, b) => rank(a) - rank(b)).slice(0, topologyNodesMax);
  const hubs = peers.filter((peer) => peer.role === 'hub');
  const links = peers.flatMap((peer) => [
    ...hubs.flatMap((hub) => (hub.id === peer.id ? [] : linksOf(network, peer, hub))),
    ...peers.flatMap((other) =>
      peer.direct_peer_ids.includes(other.id) ? [directLink(network, peer, other)] : [],
    ),
  ]);
  return {
    network_id: network.id,
    handle: network.handle,
    prefix: network.prefix,
    topology_strategy: network.topology_strategy,
    revision: 214,
    nodes: peers.map((peer) => nodeOf(world, { network, peer })),
    links,
    warnings:
      hubs.length === 0 && peers.length > 1 ? [{ code: 'no_hub', detail: 'No peer can be reached.' }] : [],
    truncated: all.length > peers.length,
  };
}

function rank(peer: Peer): number {
  return peer.role === 'hub' ? 0 : 1;
}

function nodeOf(
  world: World,
  { network, peer }: { readonly network: Network; readonly peer: Peer },
): Topology['nodes'][number] {
  const name = `wg-${network.handle}`;
  return {
    peer_id: peer.id,
    node_instance_id: peer.node_instance_id,
    hostname: peer.hostname,
    role: peer.role,
    host_address: peer.host_address,
    status: peer.status,
    reachable: peer.reachable,
    reachable_since: peer.reachable_since,
    unreachable_because: peer.unreachable_because,
    connected: world.instances.find((one) => one.id === peer.node_instance_id)?.connected ?? false,
    path: peer.path,
    via_hub_peer_id: peer.via_hub_peer_id,
    desired_revision: peer.desired_revision,
    applied_revision: peer.applied_revision,
    interfaces: [
      {
        name,
        purpose: 'leaf',
        listen_port: 51_820,
        mtu: network.mtu,
        addresses: [`${peer.host_address}/128`],
      },
      { name: `${name}-t0`, purpose: 'transit', listen_port: 51_821, mtu: network.mtu, addresses: [] },
    ],
    routes: [{ destination: network.prefix, via: [`${name}-t0`] }],
    virtual_ips: [],
    firewall: { default_policy: network.firewall_default_policy, rules_count: 0 },
    port_mappings: [],
    user_devices_count: world.userDevices.filter(
      (device) => device.hub_peer_id === peer.id && device.status !== 'revoked',
    ).length,
  };
}

function linksOf(network: Network, peer: Peer, hub: Peer): Topology['links'] {
  const common = {
    purpose: 'transit' as const,
    interface: `wg-${network.handle}-t0`,
    last_handshake_at: peer.last_handshake_at,
    answers: peer.reachable,
  };
  return [
    { ...common, peer_id: peer.id, remote_peer_id: hub.id, endpoint: hub.endpoint, allowed_ips: ['::/0'] },
    {
      ...common,
      peer_id: hub.id,
      remote_peer_id: peer.id,
      purpose: 'leaf',
      answers: null,
      interface: `wg-${network.handle}`,
      endpoint: null,
      allowed_ips: [`${peer.host_address}/128`],
    },
  ];
}

function directLink(network: Network, peer: Peer, other: Peer): Topology['links'][number] {
  return {
    purpose: 'leaf',
    interface: `wg-${network.handle}`,
    last_handshake_at: peer.last_handshake_at,
    answers: null,
    peer_id: peer.id,
    remote_peer_id: other.id,
    endpoint: `198.51.100.${other.host_address.length}:40000`,
    allowed_ips: [`${other.host_address}/128`],
  };
}
