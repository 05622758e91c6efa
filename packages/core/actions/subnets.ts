// Prefixes behind peers: contract §4.
import { z } from 'zod';
import * as common from '../intent/common.ts';
import { peer } from '../intent/peer.ts';
import { lanSubnets, subnetAdvertisement, subnetSource } from '../intent/subnet.ts';
import { mutate, pageInput, pageOutput, read } from './define.ts';

const area = 'sdwan' as const;

export const subnetActions = {
  declareLanSubnets: mutate({
    area,
    name: 'system_sdwan_update_peer_lan_subnets',
    title: 'Declare the LANs behind a peer',
    description:
      'Replaces the list of LANs behind the peer. The network routes to each, and the peer forwards between the LAN and the network under its firewall rules. Clients in a LAN need a route to the network through the peer, or source_nat. Several peers may declare the same prefix.',
    input: { peer_id: common.id, subnets: lanSubnets },
    output: { peer, subnet_advertisements: z.array(subnetAdvertisement) },
    permission: 'system.sdwan.peers.manage',
    category: 'sdwan.peer_update_lan_subnets',
    kind: 'update',
    needsPerson: 'always',
    subject: 'peer_id',
    route: { method: 'POST', path: '/sdwan/peers/{peer_id}/update_lan_subnets' },
    cli: { noun: 'peer', verb: 'update-lan-subnets' },
  }),
  listSubnetAdvertisements: read({
    area,
    name: 'system_sdwan_list_subnet_advertisements',
    title: 'List prefixes behind peers',
    description:
      'Prefixes that the network routes to, with the peer in front of each; also virtual IPs, with each of their holders.',
    input: {
      ...pageInput,
      network_id: common.id.optional(),
      peer_id: common.id.optional(),
      source: subnetSource.optional(),
      withdrawn: z.boolean().optional().meta({
        description: 'true: only those no longer routed to; false: only those routed to; both by default',
      }),
    },
    output: { subnet_advertisements: z.array(subnetAdvertisement), ...pageOutput },
    columns: {
      subnet_advertisements: [
        'id',
        'prefix',
        'hostname',
        'source',
        'preference',
        'description',
        'withdrawn_at',
      ],
    },
    permission: 'system.sdwan.peers.read',
    route: { method: 'GET', path: '/sdwan/subnet_advertisements' },
    cli: { noun: 'subnet-advertisement', verb: 'list' },
  }),
} as const;
