// Networks, peers and the topology they make: contract §4.
import { z } from 'zod';
import * as common from '../intent/common.ts';
import { firewallPolicy, mtu, network, routingMode, topologyStrategy } from '../intent/network.ts';
import { peer, peerStatus, topology } from '../intent/peer.ts';
import { mutate, pageInput, pageOutput, read } from './define.ts';

const area = 'sdwan' as const;
const networks = '/sdwan/networks';
const peers = '/sdwan/peers';

const networkSettings = {
  description: common.description.optional(),
  firewall_default_policy: firewallPolicy.optional(),
  mtu: mtu.optional(),
  direct_paths: z.boolean().optional().meta({
    description: 'Let spokes behind NATs meet without a hub where their NATs allow it; true by default',
  }),
};
const reachability = {
  publicly_reachable: z.boolean().nullable().optional().meta({
    description: 'Whether others can reach it from outside, which makes it a hub; detected when omitted',
  }),
  endpoint_address: common.endpoint
    .nullable()
    .optional()
    .meta({ description: 'Where others meet it, instead of the address that the platform observes' }),
};

export const sdwanActions = {
  createNetwork: mutate({
    area,
    name: 'system_sdwan_create_network',
    title: 'Create a network',
    description:
      'An encrypted IPv6 overlay. Without prefix it gets a free /64 of the account. In hub_and_spoke, spokes reach each other through hubs; in full_mesh, peers meet directly wherever one of the two can be reached.',
    input: {
      name: common.name,
      prefix: common.prefix.optional().meta({ description: 'A /64 of fd00::/8, unique in the account' }),
      routing_mode: routingMode.default('static'),
      topology_strategy: topologyStrategy.default('hub_and_spoke'),
      pod_subnet_prefix: common.prefix.optional(),
      ipv4_prefix: common.prefix.nullable().optional().meta({
        description: 'Block of the IPv4 leg; a free one of 100.64.0.0/10 when omitted, none when null',
      }),
      ...networkSettings,
    },
    output: { network },
    permission: 'system.sdwan.networks.manage',
    category: 'sdwan.network_create',
    kind: 'create',
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
      'Changes the given fields. The prefix and the handle stay for life. A new topology_strategy, mtu or ipv4_prefix reaches every node of the network. A new ipv4_prefix gives every peer, virtual IP and device another IPv4 address; devices have to be issued again for it.',
    input: {
      network_id: common.id,
      name: common.name.optional(),
      topology_strategy: topologyStrategy.optional(),
      routing_mode: routingMode.optional(),
      pod_subnet_prefix: common.prefix.nullable().optional(),
      ipv4_prefix: common.prefix.nullable().optional().meta({
        description: 'Block of the IPv4 leg, such as one of 100.64.0.0/10; null takes the leg away',
      }),
      ...networkSettings,
    },
    output: { network },
    permission: 'system.sdwan.networks.manage',
    category: 'sdwan.network_update',
    kind: 'update',
    subject: 'network_id',
    route: { method: 'PATCH', path: `${networks}/{network_id}` },
    cli: { noun: 'network', verb: 'update' },
  }),
  deleteNetwork: mutate({
    area,
    name: 'system_sdwan_delete_network',
    title: 'Delete a network',
    description: 'Detaches all of its peers; their nodes remove its interfaces, addresses and routes.',
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
    title: 'Attach a machine to a network',
    description:
      'Gives the machine an address and a key in the network and tells every node that has to know. A publicly reachable peer is a hub. The first peers of a network should include one.',
    input: {
      network_id: common.id,
      node_instance_id: common.id,
      ...reachability,
      tags: common.tags.optional(),
    },
    output: { peer },
    permission: 'system.sdwan.peers.manage',
    category: 'sdwan.peer_attach',
    kind: 'create',
    route: { method: 'POST', path: peers },
    cli: { noun: 'peer', verb: 'attach' },
  }),
  listPeers: read({
    area,
    name: 'system_sdwan_list_peers',
    title: 'List peers',
    description: 'Peers with what their nodes observe: handshakes, traffic, path, applied revision.',
    input: {
      ...pageInput,
      network_id: common.id.optional(),
      node_instance_id: common.id.optional(),
      status: peerStatus.optional(),
      tag: common.tag.optional(),
      role: peer.shape.role.optional(),
    },
    output: { peers: z.array(peer), ...pageOutput },
    permission: 'system.sdwan.peers.read',
    route: { method: 'GET', path: peers },
    cli: { noun: 'peer', verb: 'list' },
  }),
  getPeer: read({
    area,
    name: 'system_sdwan_get_peer',
    title: 'Get a peer',
    description: 'One peer with what its node observes.',
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
      'Declares whether the peer is publicly reachable and where (null: go back to detecting it), or sets its tags. Its address stays.',
    input: { peer_id: common.id, ...reachability, tags: common.tags.optional() },
    output: { peer },
    permission: 'system.sdwan.peers.manage',
    category: 'sdwan.peer_update',
    kind: 'update',
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
    subject: 'peer_id',
    route: { method: 'POST', path: `${peers}/{peer_id}/set_tags` },
    cli: { noun: 'peer', verb: 'set-tags' },
  }),
  rotatePeerKey: mutate({
    area,
    name: 'system_sdwan_rotate_peer_key',
    title: "Rotate a peer's key",
    description:
      'Takes the next key that the node has published. The old key stops working on every node that knew it; the address stays.',
    input: { peer_id: common.id },
    output: { peer },
    permission: 'system.sdwan.peers.manage',
    category: 'sdwan.peer_rotate_key',
    kind: 'update',
    idempotent: false,
    subject: 'peer_id',
    route: { method: 'POST', path: `${peers}/{peer_id}/rotate_key` },
    cli: { noun: 'peer', verb: 'rotate-key' },
  }),
  detachPeer: mutate({
    area,
    name: 'system_sdwan_detach_peer',
    title: 'Detach a peer',
    description: 'Takes the machine out of the network. Its address is not given to another peer for 7 days.',
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
      'What each node of the network would be given: interfaces, routes and tunnels, without key material, and which tunnels have shaken hands.',
    input: { network_id: common.id },
    output: { topology },
    permission: 'system.sdwan.networks.read',
    subject: 'network_id',
    route: { method: 'GET', path: `${networks}/{network_id}/topology` },
    cli: { noun: 'network', verb: 'topology' },
  }),
} as const;
