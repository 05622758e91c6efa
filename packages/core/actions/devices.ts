// User devices and access grants: contract §4.
import { z } from 'zod';
import * as common from '../intent/common.ts';
import {
  accessGrant,
  accessGrantOnce,
  endpointFamily,
  userDevice,
  userDeviceWithConfig,
} from '../intent/user-device.ts';
import { accessGrantSecondsDefault, accessGrantSecondsMax } from '../limits/overlay.ts';
import { mutate, pageInput, pageOutput, read } from './define.ts';

const area = 'devices' as const;
const grants = '/sdwan/access_grants';
const devices = '/sdwan/user_devices';
const readDevices = 'system.sdwan.devices.read' as const;
const manage = 'system.sdwan.devices.manage' as const;

export const deviceActions = {
  createAccessGrant: mutate({
    area,
    name: 'system_sdwan_create_access_grant',
    title: 'Create an access grant',
    description:
      'A one-time URL of a page to open on a laptop or phone. The page generates a key pair on the device and returns a WireGuard configuration. The URL is shown once.',
    input: {
      network_id: common.id,
      device_name_hint: common.name,
      expires_in_seconds: z.int().min(1).max(accessGrantSecondsMax).default(accessGrantSecondsDefault),
      tags: common.tags.optional(),
      user_device_id: common.id
        .optional()
        .meta({ description: 'Reissue this device; it keeps its address, name and tags' }),
    },
    output: { access_grant: accessGrantOnce },
    permission: manage,
    category: 'sdwan.access_grant_create',
    kind: 'create',
    needsPerson: 'always',
    makesSecret: true,
    route: { method: 'POST', path: grants },
    cli: { noun: 'access-grant', verb: 'create' },
  }),
  listAccessGrants: read({
    area,
    name: 'system_sdwan_list_access_grants',
    title: 'List access grants',
    description: 'Access grants without their secrets, and the device that used each.',
    input: {
      ...pageInput,
      network_id: common.id.optional(),
      status: accessGrant.shape.status.optional(),
    },
    output: { access_grants: z.array(accessGrant), ...pageOutput },
    columns: { access_grants: ['id', 'device_name_hint', 'status', 'expires_at', 'user_device_id'] },
    permission: readDevices,
    route: { method: 'GET', path: grants },
    cli: { noun: 'access-grant', verb: 'list' },
  }),
  getAccessGrant: read({
    area,
    name: 'system_sdwan_get_access_grant',
    title: 'Get an access grant',
    description: 'One access grant, without its secret.',
    input: { access_grant_id: common.id },
    output: { access_grant: accessGrant },
    permission: readDevices,
    subject: 'access_grant_id',
    route: { method: 'GET', path: `${grants}/{access_grant_id}` },
    cli: { noun: 'access-grant', verb: 'get' },
  }),
  revokeAccessGrant: mutate({
    area,
    name: 'system_sdwan_revoke_access_grant',
    title: 'Revoke an access grant',
    description: 'An unused access grant stops working. A device that has used it stays.',
    input: { access_grant_id: common.id },
    output: { access_grant: accessGrant },
    permission: manage,
    category: 'sdwan.access_grant_revoke',
    kind: 'destroy',
    subject: 'access_grant_id',
    route: { method: 'POST', path: `${grants}/{access_grant_id}/revoke` },
    alsoAt: [{ method: 'DELETE', path: `${grants}/{access_grant_id}` }],
    cli: { noun: 'access-grant', verb: 'revoke' },
  }),
  issueUserDevice: mutate({
    area,
    name: 'system_sdwan_issue_user_device',
    title: 'Issue a user device',
    description:
      'Uses an access grant for a public key: the device gets an address, and its hub accepts the key at once. With user_device_id it reissues that device with the current configuration.',
    input: {
      network_id: common.id,
      access_grant_id: common.id,
      public_key: common.publicKey,
      name: common.name.optional(),
      user_device_id: common.id
        .optional()
        .meta({ description: 'Reissue this device; it keeps its address and tags' }),
      endpoint_family: endpointFamily
        .optional()
        .meta({ description: "Use a hub endpoint of this family; default: the hub's first endpoint" }),
    },
    output: {
      user_device: userDeviceWithConfig,
      endpoint_warning: z
        .string()
        .nullable()
        .meta({ description: 'Why the device may not connect; null: nothing is known to prevent it' }),
    },
    permission: manage,
    category: 'sdwan.user_device_issue',
    kind: 'create',
    needsPerson: 'always',
    route: { method: 'POST', path: devices },
    cli: { noun: 'user-device', verb: 'issue' },
  }),
  listUserDevices: read({
    area,
    name: 'system_sdwan_list_user_devices',
    title: 'List user devices',
    description: 'Devices with their last handshake and whether their configuration is out of date.',
    input: {
      ...pageInput,
      network_id: common.id.optional(),
      // Without its description, which is of a device and not of the filter.
      status: z.enum(userDevice.shape.status.options).optional(),
      tag: common.tag.optional(),
    },
    output: { user_devices: z.array(userDevice), ...pageOutput },
    columns: {
      user_devices: ['id', 'name', 'status', 'host_address', 'hub_hostname', 'tags', 'last_handshake_at'],
    },
    permission: readDevices,
    route: { method: 'GET', path: devices },
    cli: { noun: 'user-device', verb: 'list' },
  }),
  getUserDevice: read({
    area,
    name: 'system_sdwan_get_user_device',
    title: 'Get a user device',
    description: 'One device with its configuration (without the private key, which only the device has).',
    input: { user_device_id: common.id },
    output: { user_device: userDeviceWithConfig },
    permission: readDevices,
    subject: 'user_device_id',
    route: { method: 'GET', path: `${devices}/{user_device_id}` },
    cli: { noun: 'user-device', verb: 'get' },
  }),
  updateUserDevice: mutate({
    area,
    name: 'system_sdwan_update_user_device',
    title: 'Change a user device',
    description: 'Changes its name and tags. Firewall rules can select devices by tag.',
    input: { user_device_id: common.id, name: common.name.optional(), tags: common.tags.optional() },
    output: { user_device: userDevice },
    permission: manage,
    category: 'sdwan.user_device_update',
    kind: 'update',
    needsPerson: { user_device_id: 'free', name: 'free', tags: 'given' },
    subject: 'user_device_id',
    route: { method: 'PATCH', path: `${devices}/{user_device_id}` },
    cli: { noun: 'user-device', verb: 'update' },
  }),
  revokeUserDevice: mutate({
    area,
    name: 'system_sdwan_revoke_user_device',
    title: 'Revoke a user device',
    description:
      'Its hub drops it at once. revoked_on says how many of the hubs that had its key have removed it.',
    input: { user_device_id: common.id },
    output: { user_device: userDevice },
    permission: manage,
    category: 'sdwan.user_device_revoke',
    kind: 'destroy',
    revised: true,
    subject: 'user_device_id',
    route: { method: 'DELETE', path: `${devices}/{user_device_id}` },
    alsoAt: [{ method: 'POST', path: `${devices}/{user_device_id}/revoke` }],
    cli: { noun: 'user-device', verb: 'revoke' },
  }),
} as const;
