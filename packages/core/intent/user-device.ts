// People's devices: an access grant opens a bootstrap page once, which makes a key pair and gets a device.
import { z } from 'zod';
import * as common from './common.ts';

export const accessGrant = z.object({
  ...common.base,
  network_id: common.id,
  device_name_hint: common.name,
  tags: common.tagsShown,
  status: z.enum(['unused', 'used', 'expired', 'revoked']),
  expires_at: common.time,
  used_at: common.time.nullable(),
  user_device_id: common.id.nullable().meta({ description: 'The device that used it, or that it is for' }),
});
export type AccessGrant = z.infer<typeof accessGrant>;

export const accessGrantOnce = accessGrant.extend({
  bootstrap_url: z.string().meta({
    description: 'Shown once; its secret is after the # and is never sent to a server as part of a URL',
  }),
  bootstrap_warning: z.string().nullable().meta({
    description: 'Why the URL does not open on other devices, and what to do; null: no problem',
  }),
});

export const userDevice = z.object({
  ...common.base,
  network_id: common.id,
  access_grant_id: common.id.nullable(),
  name: common.name,
  public_key: common.publicKey,
  host_address: z.string(),
  ipv4_address: z.string().nullable(),
  hub_peer_id: common.id,
  hub_hostname: z.string(),
  tags: common.tagsShown,
  status: z.enum(['active', 'stale', 'revoked']).meta({
    description: 'stale: the network has changed since the configuration was created; reissue it',
  }),
  stale_reason: z.string().nullable(),
  revoked_at: common.time.nullable(),
  /** On how many of the hubs that knew it the revocation is in effect. */
  revoked_on: z.object({ done: z.int(), of: z.int() }).nullable(),
  last_handshake_at: common.time.nullable(),
  rx_bytes: z.int().nullable().meta({ description: 'Received by the device, as its hub counted it' }),
  tx_bytes: z.int().nullable().meta({ description: 'Sent by the device, as its hub counted it' }),
});
export type UserDevice = z.infer<typeof userDevice>;

/** Of the endpoint of its hub that a device calls. */
export const endpointFamily = z.enum(['ipv4', 'ipv6']);
export type EndpointFamily = z.infer<typeof endpointFamily>;

/** With the text for wg-quick; the private key is not in it, and the device's owner fills it in. */
export const userDeviceWithConfig = userDevice.extend({
  config: z
    .string()
    .meta({ description: 'wg-quick(8) configuration with a placeholder for the private key' }),
});
