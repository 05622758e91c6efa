// Networks, peers and the topology they make: contract §4.
import { z } from 'zod';
import * as common from '../intent/common.ts';
import { firewallPolicy, mtu, network, routingMode, topologyStrategy } from '../intent/network.ts';
import { peer, peerStatus, topology } from '../intent/peer.ts';
import { peerEndpointsMax } from '../limits/overlay.ts';
import { mutate, pageInput, pageOutput, read } from './define.ts';

/** Named in the contract (§7): changes of role that the platform asks for. */
export const peerRoleCategory = 'system.sdwan_peer_role_change';

const area = 'sdwan' as const;
const networks = '/sdwan/networks';
const peers = '/sdwan/peers';

const networkSettings = {
  description: common.description.optional(),
  firewall_default_policy: firewallPolicy.optional(),
  mtu: mtu.optional(),
  direct_paths: z.boolean().optional().meta({
    description: 'Let spokes behind NAT connect without a hub where their NATs allow it; true by default',
  }),
  rematch_connections: z.boolean().optional().meta({
    description:
      'Terminate connections that are no longer allowed when rules change; true by default. When false, they continue until they close',
  }),
};
const reachability = {
  publicly_reachable: z.boolean().nullable().optional().meta({
    description: 'Whether it is publicly reachable, which makes it a hub; detected when omitted',
  }),
  endpoint_address: common.endpoint.nullable().optional().meta({
    description:
      'Endpoint, instead of the observed address; with the port if a router forwards another one than listen_port',
  }),
  endpoint_addresses: z.array(common.endpoint).max(peerEndpointsMax).optional().meta({
    description:
      'Several endpoints in order of preference; each peer uses the first one it can reach. Empty: as observed',
  }),
  listen_port: z.int().min(1).max(65535).nullable().optional().meta({
    description:
      'UDP listen port; null: chosen by the platform. A router in front forwards the port of endpoint_address to it',
  }),
};
const podSubnet = common.prefix.nullable().optional().meta({
  description: 'Slice of pod_subnet_prefix; null: observed, else assigned',
});

export const sdwanActions = {
  createNetwork: mutate({
    area,
    name: 'system_sdwan_create_network',
    title: 'Create a network',
    description:
      'An encrypted IPv6 overlay network. Without prefix it gets a free /64 of the account. In hub_and_spoke, spokes reach each other through hubs; in full_mesh, peers connect directly where one of the two is reachable.',
    input: {
      name: common.name,
      prefix: common.prefix.optional().meta({ description: 'A /64 of fd00::/8, unique in the account' }),
      routing_mode: routingMode.default('static'),
      topology_strategy: topologyStrategy.default('hub_and_spoke'),
      pod_subnet_prefix: common.prefix.optional().meta({
        description: 'Private prefix of pods; each peer has a slice of it',
      }),
      ipv4_prefix: common.prefix.nullable().optional().meta({
        description:
          'Private IPv4 prefix; when omitted, one that overlaps nothing on any instance; null: no IPv4',
      }),
      ...networkSettings,
    },
    output: { network },
    permission: 'system.sdwan.networks.manage',
    category: 'sdwan.network_create',
    kind: 'create',
    needsPerson: {
      name: 'free',
      description: 'free',
      prefix: 'free',
      routing_mode: 'free',
      topology_strategy: 'free',
      pod_subnet_prefix: 'free',
      ipv4_prefix: 'free',
      firewall_default_policy: 'free',
      mtu: 'free',
      direct_paths: 'free',
      rematch_connections: [false],
    },
    route: { method: 'POST', path: networks },
    cli: { noun: 'network', verb: 'create' },
  }),
  listNetworks: read({
    area,
    name: 'system_sdwan_list_networks',
    title: 'List networks',
    description: 'The networks of the account, with how many peers and hubs each has.',
    input: { ...pageInput, name: common.line(100).optional().meta({ description: 'Exactly this name' }) },
    output: { networks: z.array(network), ...pageOutput },
    columns: { networks: ['id', 'name', 'prefix', 'peer_count', 'hub_count', 'topology_strategy'] },
    permission: 'system.sdwan.networks.read',
    route: { method: 'GET', path: networks },
    cli: { noun: 'network', verb: 'list' },
  }),
  getNetwork: read({
    area,
    name: 'system_sdwan_get_network',
    title: 'Get a network',
    description: 'One network.',
    input: { network_id: common.id },
    output: { network },
    permission: 'system.sdwan.networks.read',
    subject: 'network_id',
    route: { method: 'GET', path: `${networks}/{network_id}` },
    cli: { noun: 'network', verb: 'get' },
  }),
  updateNetwork: mutate({
    area,
    name: 'system_sdwan_update_network',
    title: 'Change a network',
    description:
      'Changes the given fields. The prefix and the handle cannot change. A new topology_strategy, mtu or ipv4_prefix changes every instance in the network. A new ipv4_prefix renumbers every peer, virtual IP and device; devices have to be reissued.',
    input: {
      network_id: common.id,
      name: common.name.optional(),
      topology_strategy: topologyStrategy.optional(),
      routing_mode: routingMode.optional(),
      pod_subnet_prefix: common.prefix.nullable().optional().meta({
        description: 'Cannot change while a cluster uses a slice of it; null: no pods',
      }),
      ipv4_prefix: common.prefix.nullable().optional().meta({
        description: 'Private IPv4 prefix that overlaps nothing on any member; null removes IPv4',
      }),
      ...networkSettings,
    },
    output: { network },
    permission: 'system.sdwan.networks.manage',
    category: 'sdwan.network_update',
    kind: 'update',
    needsPerson: {
      network_id: 'free',
      name: 'free',
      description: 'free',
      topology_strategy: 'given',
      routing_mode: 'given',
      pod_subnet_prefix: 'given',
      ipv4_prefix: 'given',
      firewall_default_policy: 'given',
      mtu: 'given',
      direct_paths: 'given',
      rematch_connections: 'given',
    },
    subject: 'network_id',
    route: { method: 'PATCH', path: `${networks}/{network_id}` },
    cli: { noun: 'network', verb: 'update' },
  }),
  deleteNetwork: mutate({
    area,
    name: 'system_sdwan_delete_network',
    title: 'Delete a network',
    description: 'Detaches all of its peers; their instances remove its interfaces, addresses and routes.',
    input: { network_id: common.id },
    output: { network },
    permission: 'system.sdwan.networks.manage',
    category: 'sdwan.network_delete',
    kind: 'destroy',
    revised: true,
    subject: 'network_id',
    route: { method: 'DELETE', path: `${networks}/{network_id}` },
    cli: { noun: 'network', verb: 'delete' },
  }),
  attachPeer: mutate({
    area,
    name: 'system_sdwan_attach_peer',
    title: 'Attach an instance to a network',
    description:
      'Gives the instance an address and a key in the network and updates every peer that needs to know. A publicly reachable peer is a hub; over MCP, adding a hub to a network that has peers needs a person’s approval. The first peers of a network should include a hub.',
    input: {
      network_id: common.id,
      node_instance_id: common.id,
      ...reachability,
      pod_subnet: podSubnet,
      tags: common.tags.optional(),
    },
    output: { peer },
    permission: 'system.sdwan.peers.manage',
    category: 'sdwan.peer_attach',
    kind: 'create',
    // A hub that others will send through asks, declared or detected: the handler knows whether there are others.
    needsPerson: {
      network_id: 'free',
      node_instance_id: 'free',
      publicly_reachable: 'free',
      endpoint_address: 'free',
      endpoint_addresses: 'free',
      listen_port: 'free',
      pod_subnet: 'given',
      tags: 'given',
    },
    route: { method: 'POST', path: peers },
    cli: { noun: 'peer', verb: 'attach' },
  }),
  listPeers: read({
    area,
    name: 'system_sdwan_list_peers',
    title: 'List peers',
    description: 'Peers with observed handshakes, traffic, path and applied revision.',
    input: {
      ...pageInput,
      network_id: common.id.optional(),
      node_instance_id: common.id.optional(),
      status: peerStatus.optional(),
      reachable: z.boolean().optional(),
      tag: common.tag.optional(),
      role: peer.shape.role.optional(),
    },
    output: { peers: z.array(peer), ...pageOutput },
    columns: {
      peers: [
        'id',
        'hostname',
        'role',
        'status',
        'reachable',
        'path',
        'host_address',
        'tags',
        'last_handshake_at',
      ],
    },
    permission: 'system.sdwan.peers.read',
    route: { method: 'GET', path: peers },
    cli: { noun: 'peer', verb: 'list' },
  }),
  getPeer: read({
    area,
    name: 'system_sdwan_get_peer',
    title: 'Get a peer',
    description: 'One peer with its observed state.',
    input: { peer_id: common.id },
    output: { peer },
    permission: 'system.sdwan.peers.read',
    subject: 'peer_id',
    route: { method: 'GET', path: `${peers}/{peer_id}` },
    cli: { noun: 'peer', verb: 'get' },
  }),
  updatePeer: mutate({
    area,
    name: 'system_sdwan_update_peer',
    title: 'Change a peer',
    description:
      'Declares whether the peer is publicly reachable and its endpoint (null: detect again), or sets its tags or its pod_subnet. Its address does not change.',
    input: { peer_id: common.id, ...reachability, pod_subnet: podSubnet, tags: common.tags.optional() },
    output: { peer },
    permission: 'system.sdwan.peers.manage',
    category: 'sdwan.peer_update',
    kind: 'update',
    needsPerson: 'always',
    subject: 'peer_id',
    route: { method: 'PATCH', path: `${peers}/{peer_id}` },
    cli: { noun: 'peer', verb: 'update' },
  }),
  setPeerTags: mutate({
    area,
    name: 'system_sdwan_set_peer_tags',
    title: "Set a peer's tags",
    description: 'Replaces all tags of the peer.',
    input: { peer_id: common.id, tags: common.tags },
    output: { peer },
    permission: 'system.sdwan.peers.manage',
    category: 'sdwan.peer_set_tags',
    kind: 'update',
    needsPerson: 'always',
    subject: 'peer_id',
    route: { method: 'POST', path: `${peers}/{peer_id}/set_tags` },
    cli: { noun: 'peer', verb: 'set-tags' },
  }),
  rotatePeerKey: mutate({
    area,
    name: 'system_sdwan_rotate_peer_key',
    title: "Rotate a peer's key",
    description:
      'Switches to the next key that the instance has published. The old key stops working on every peer; the address does not change.',
    input: { peer_id: common.id },
    output: { peer },
    permission: 'system.sdwan.peers.manage',
    category: 'sdwan.peer_rotate_key',
    kind: 'update',
    // A second time within a minute it asks: each cuts all that the peer is in.
    needsPerson: { peer_id: 'free' },
    idempotent: false,
    subject: 'peer_id',
    route: { method: 'POST', path: `${peers}/{peer_id}/rotate_key` },
    cli: { noun: 'peer', verb: 'rotate-key' },
  }),
  changePeerRole: mutate({
    area,
    name: 'system_sdwan_change_peer_role',
    title: 'Change the role of a peer',
    description:
      'Sets the role of a peer whose role is detected to what its instance is observed to be now. The platform requests this when an instance is observed differently than when it was attached; nothing else changes a detected role. To set the role yourself, use system_sdwan_update_peer.',
    input: {
      peer_id: common.id,
      role: peer.shape.role,
      observed_address: common.address.optional().meta({
        description: 'Fail if the instance has a different observed address',
      }),
    },
    output: { peer },
    permission: 'system.sdwan.peers.manage',
    category: peerRoleCategory,
    kind: 'update',
    needsPerson: 'always',
    defaultMode: 'require_approval',
    subject: 'peer_id',
    route: { method: 'POST', path: `${peers}/{peer_id}/change_role` },
    cli: { noun: 'peer', verb: 'change-role' },
  }),
  detachPeer: mutate({
    area,
    name: 'system_sdwan_detach_peer',
    title: 'Detach a peer',
    description:
      'Removes the instance from the network. Its address is not assigned to another peer for 7 days.',
    input: { peer_id: common.id },
    output: { peer },
    permission: 'system.sdwan.peers.manage',
    category: 'sdwan.peer_detach',
    kind: 'destroy',
    revised: true,
    subject: 'peer_id',
    route: { method: 'DELETE', path: `${peers}/{peer_id}` },
    alsoAt: [{ method: 'POST', path: `${peers}/{peer_id}/detach` }],
    cli: { noun: 'peer', verb: 'detach' },
  }),
  getTopology: read({
    area,
    name: 'system_sdwan_get_topology',
    title: 'Get the topology',
    description:
      'The configuration of each peer: interfaces, routes and tunnels, without key material, with the last handshake of each tunnel.',
    input: { network_id: common.id },
    output: { topology },
    columns: {
      nodes: [
        'hostname',
        'role',
        'status',
        'reachable',
        'path',
        'host_address',
        'applied_revision',
        'desired_revision',
      ],
      links: ['peer_id', 'remote_peer_id', 'interface', 'purpose', 'endpoint', 'last_handshake_at'],
    },
    permission: 'system.sdwan.networks.read',
    subject: 'network_id',
    route: { method: 'GET', path: `${networks}/{network_id}/topology` },
    cli: { noun: 'network', verb: 'topology' },
  }),
} as const;
