// Port mappings: contract §4.
import { z } from 'zod';
import * as common from '../intent/common.ts';
import {
  mappingProtocol,
  maxConnections,
  port,
  portMapping,
  rateLimit,
  sourceCidrs,
} from '../intent/port-mapping.ts';
import { mutate, pageInput, pageOutput, read } from './define.ts';

const area = 'services' as const;
const path = '/sdwan/port_mappings';
const noun = 'port-mapping';

export const portMappingActions = {
  createPortMapping: mutate({
    area,
    name: 'system_sdwan_create_port_mapping',
    title: 'Create a port mapping',
    description:
      'Forwards an external address and port of a public hub to a peer or a virtual IP. IPv4 addresses serve IPv4 clients (the network needs an IPv4 prefix), IPv6 addresses serve IPv6 clients. Exactly one of internal_peer_id and internal_virtual_ip_id.',
    input: {
      network_id: common.id,
      external_address: common.address,
      external_port: port,
      internal_peer_id: common.id.optional(),
      internal_virtual_ip_id: common.id.optional(),
      internal_port: port,
      protocol: mappingProtocol,
      source_cidrs: sourceCidrs.optional(),
      rate_limit: rateLimit.nullable().optional(),
      max_connections: maxConnections.nullable().optional(),
    },
    output: { port_mapping: portMapping },
    permission: 'system.sdwan.port_mappings.manage',
    category: 'sdwan.port_mapping_create',
    kind: 'create',
    needsPerson: 'always',
    route: { method: 'POST', path },
    cli: { noun, verb: 'create' },
  }),
  listPortMappings: read({
    area,
    name: 'system_sdwan_list_port_mappings',
    title: 'List port mappings',
    description: 'Port mappings with their current targets.',
    input: {
      ...pageInput,
      network_id: common.id.optional(),
      hub_peer_id: common.id.optional(),
      status: z.enum(['active', 'target_missing', 'hub_missing']).optional(),
    },
    output: { port_mappings: z.array(portMapping), ...pageOutput },
    permission: 'system.sdwan.port_mappings.read',
    route: { method: 'GET', path },
    cli: { noun, verb: 'list' },
  }),
  getPortMapping: read({
    area,
    name: 'system_sdwan_get_port_mapping',
    title: 'Get a port mapping',
    description: 'One port mapping.',
    input: { port_mapping_id: common.id },
    output: { port_mapping: portMapping },
    permission: 'system.sdwan.port_mappings.read',
    subject: 'port_mapping_id',
    route: { method: 'GET', path: `${path}/{port_mapping_id}` },
    cli: { noun, verb: 'get' },
  }),
  updatePortMapping: mutate({
    area,
    name: 'system_sdwan_update_port_mapping',
    title: 'Change a port mapping',
    description: 'Changes the given fields. Open connections keep their target.',
    input: {
      port_mapping_id: common.id,
      external_address: common.address.optional(),
      external_port: port.optional(),
      internal_peer_id: common.id.optional(),
      internal_virtual_ip_id: common.id.optional(),
      internal_port: port.optional(),
      protocol: mappingProtocol.optional(),
      source_cidrs: sourceCidrs.optional(),
      rate_limit: rateLimit.nullable().optional(),
      max_connections: maxConnections.nullable().optional(),
    },
    output: { port_mapping: portMapping },
    permission: 'system.sdwan.port_mappings.manage',
    category: 'sdwan.port_mapping_update',
    kind: 'update',
    needsPerson: 'always',
    subject: 'port_mapping_id',
    route: { method: 'PATCH', path: `${path}/{port_mapping_id}` },
    cli: { noun, verb: 'update' },
  }),
  deletePortMapping: mutate({
    area,
    name: 'system_sdwan_delete_port_mapping',
    title: 'Delete a port mapping',
    description: 'Closes the external port. Open connections end.',
    input: { port_mapping_id: common.id },
    output: { port_mapping: portMapping },
    permission: 'system.sdwan.port_mappings.manage',
    category: 'sdwan.port_mapping_delete',
    kind: 'destroy',
    revised: true,
    subject: 'port_mapping_id',
    route: { method: 'DELETE', path: `${path}/{port_mapping_id}` },
    cli: { noun, verb: 'delete' },
  }),
} as const;
