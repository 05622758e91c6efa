// Virtual IPs: contract §4.
import { z } from 'zod';
import * as common from '../intent/common.ts';
import {
  failoverHolders,
  healthCheck,
  virtualIp,
  virtualIpCandidate,
  virtualIpState,
  virtualIpWithHistory,
} from '../intent/virtual-ip.ts';
import { mutate, pageInput, pageOutput, read } from './define.ts';

const area = 'services' as const;
const path = '/sdwan/virtual_ips';
const noun = 'virtual-ip';

const settings = {
  preempt: z
    .boolean()
    .optional()
    .meta({ description: 'Return to the primary holder once it is healthy again; false by default' }),
  hold_down_seconds: z
    .int()
    .min(0)
    .max(86_400)
    .optional()
    .meta({ description: 'Minimum time between two automatic moves; 10 by default' }),
};

export const virtualIpActions = {
  createVirtualIp: mutate({
    area,
    name: 'system_sdwan_create_virtual_ip',
    title: 'Create a virtual IP',
    description:
      'An overlay address that one peer holds at a time, with others that take over in order; with anycast, all holders answer for it, packets go to the nearest, and a holder whose health_check fails is left out. Without address it gets a free one. When its holder fails, or the health_check on it, the policy system.sdwan_vip_failover decides whether it moves automatically.',
    input: {
      network_id: common.id,
      name: common.name,
      primary_holder_peer_id: common.id,
      failover_holder_peer_ids: failoverHolders.default([]),
      anycast: z.boolean().default(false),
      address: common.address.optional(),
      ...settings,
      health_check: healthCheck.optional().meta({
        description: 'What each holder asks the service at the address on its own instance',
      }),
    },
    output: { virtual_ip: virtualIp },
    permission: 'system.sdwan.virtual_ips.manage',
    category: 'sdwan.virtual_ip_create',
    kind: 'create',
    // An address of one's choice may be one that rules name, or that another had.
    needsPerson: {
      network_id: 'free',
      name: 'free',
      primary_holder_peer_id: 'free',
      failover_holder_peer_ids: 'free',
      anycast: 'free',
      address: 'given',
      preempt: 'free',
      hold_down_seconds: 'free',
      health_check: 'given',
    },
    route: { method: 'POST', path },
    cli: { noun, verb: 'create' },
  }),
  listVirtualIps: read({
    area,
    name: 'system_sdwan_list_virtual_ips',
    title: 'List virtual IPs',
    description: 'Virtual IPs with their state and current holder.',
    input: {
      ...pageInput,
      network_id: common.id.optional(),
      holder_peer_id: common.id.optional(),
      state: virtualIpState.optional(),
    },
    output: { virtual_ips: z.array(virtualIp), ...pageOutput },
    columns: {
      virtual_ips: [
        'id',
        'name',
        'address',
        'state',
        'current_holder_peer_id',
        'ipv4_address',
        'state_detail',
      ],
    },
    permission: 'system.sdwan.virtual_ips.read',
    route: { method: 'GET', path },
    cli: { noun, verb: 'list' },
  }),
  getVirtualIp: read({
    area,
    name: 'system_sdwan_get_virtual_ip',
    title: 'Get a virtual IP',
    description: 'One virtual IP with its holders and its last 20 transitions.',
    input: { virtual_ip_id: common.id },
    output: { virtual_ip: virtualIpWithHistory },
    columns: {
      transitions: ['at', 'from_peer_id', 'to_peer_id', 'reason', 'detail', 'took_ms'],
      holders: ['peer_id', 'hostname', 'health', 'since', 'last_error'],
    },
    permission: 'system.sdwan.virtual_ips.read',
    subject: 'virtual_ip_id',
    route: { method: 'GET', path: `${path}/{virtual_ip_id}` },
    cli: { noun, verb: 'get' },
  }),
  updateVirtualIp: mutate({
    area,
    name: 'system_sdwan_update_virtual_ip',
    title: 'Change a virtual IP',
    description:
      'Changes the given fields. The address cannot change. A holder that is no longer a candidate hands the address over.',
    input: {
      virtual_ip_id: common.id,
      name: common.name.optional(),
      primary_holder_peer_id: common.id.optional(),
      failover_holder_peer_ids: failoverHolders.optional(),
      ...settings,
      health_check: healthCheck.nullable().optional().meta({ description: 'null removes it' }),
    },
    output: { virtual_ip: virtualIp },
    permission: 'system.sdwan.virtual_ips.manage',
    category: 'sdwan.virtual_ip_update',
    kind: 'update',
    needsPerson: {
      virtual_ip_id: 'free',
      name: 'free',
      primary_holder_peer_id: 'given',
      failover_holder_peer_ids: 'given',
      preempt: 'given',
      hold_down_seconds: 'given',
      health_check: 'given',
    },
    subject: 'virtual_ip_id',
    route: { method: 'PATCH', path: `${path}/{virtual_ip_id}` },
    cli: { noun, verb: 'update' },
  }),
  deleteVirtualIp: mutate({
    area,
    name: 'system_sdwan_delete_virtual_ip',
    title: 'Delete a virtual IP',
    description:
      'Removes the address from its holder. For 7 days it is assigned only to a virtual IP that requests it explicitly.',
    input: { virtual_ip_id: common.id },
    output: { virtual_ip: virtualIp },
    permission: 'system.sdwan.virtual_ips.manage',
    category: 'sdwan.virtual_ip_delete',
    kind: 'destroy',
    revised: true,
    subject: 'virtual_ip_id',
    route: { method: 'DELETE', path: `${path}/{virtual_ip_id}` },
    cli: { noun, verb: 'delete' },
  }),
  failoverVirtualIp: mutate({
    area,
    name: 'system_sdwan_failover_virtual_ip',
    title: 'Move a virtual IP',
    description:
      'Moves it to the target, or to the best candidate. The current holder releases the address before the new one takes it. With a single candidate it does not move (resolved false). A dry run also answers resolved false; new_holder is the peer that would get it.',
    input: { virtual_ip_id: common.id, target_peer_id: common.id.optional() },
    output: {
      resolved: z.boolean(),
      previous_holder: common.id.nullable(),
      new_holder: common.id.nullable(),
      anycast: z
        .boolean()
        .default(false)
        .meta({ description: 'true: all of its holders answer, and routing decides; nothing moves' }),
      dry_run: z.boolean(),
      candidates: z.array(virtualIpCandidate),
      explanation: z.string(),
    },
    columns: { candidates: ['peer_id', 'hostname', 'score', 'reasons'] },
    permission: 'system.sdwan.virtual_ips.manage',
    category: 'sdwan.virtual_ip_failover',
    kind: 'destroy',
    idempotent: false,
    revised: true,
    subject: 'virtual_ip_id',
    route: { method: 'POST', path: `${path}/{virtual_ip_id}/failover` },
    cli: { noun, verb: 'failover' },
  }),
} as const;
