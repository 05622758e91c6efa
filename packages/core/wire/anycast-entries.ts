// Entries of documents about anycast addresses, beside `anycast` itself: who holds one. And what holders of any virtual IP
// ask the service at it.
import { z } from 'zod';
import * as anycastLimits from '../limits/anycast.ts';
import * as textsLimits from '../limits/texts.ts';
import { openObject } from './open-object.ts';
import { address, addressWithLength, id, key, port } from './texts.ts';
import { tunnelsToPeer } from './tunnels.ts';

/**
 * A peer that holds an anycast address. Of those whose path is alive, and that do not say of themselves that their health
 * check fails (wire/probe.ts), a node sends to the nearest. Peers that speak BGP announce their own.
 */
export const anycastHolderEntry = openObject({
  kind: z.literal('anycast_holder'),
  /** `anycast_holder/<virtual_ip_id>/<peer_id>`, for agents that do not know the kind. */
  key,
  network_id: id,
  virtual_ip_id: id,
  peer_id: id,
  /** The overlay address of that peer. */
  host_address: address,
  destinations: z.array(addressWithLength).min(1).max(textsLimits.addressesPerEntryMax),
  /** By which tunnels it can be met, as in `anycast`. */
  by: tunnelsToPeer,
  /** That peer has no bgpd: it is used although BGP has no path by it. Absent: it has one. */
  is_static: z.boolean().optional(),
});

const times = z.int().min(1).max(anycastLimits.healthCheckTimesMax);

/**
 * On a holder: asks the service at the address on this machine. While it fails, an anycast address is not announced; of an
 * address that one peer holds at a time the platform is told.
 */
export const healthCheckEntry = openObject({
  kind: z.literal('health_check'),
  /** `health_check/<virtual_ip_id>`, for agents that do not know the kind. */
  key,
  network_id: id,
  virtual_ip_id: id,
  address,
  /** tcp: a connection is accepted. http: GET is answered with a status from 200 to 399. */
  protocol: z.enum(['tcp', 'http']),
  port,
  /** Of http alone. */
  path: z
    .string()
    .max(anycastLimits.healthCheckPathMax)
    .regex(/^\/[\x21-\x7e]*$/)
    .optional(),
  interval_ms: z
    .int()
    .min(anycastLimits.healthCheckIntervalMinMs)
    .max(anycastLimits.healthCheckIntervalMaxMs),
  /** Failures in a row until it fails, and successes in a row until it is well. */
  fall: times,
  rise: times,
});

export type AnycastHolderEntry = z.infer<typeof anycastHolderEntry>;
export type HealthCheckEntry = z.infer<typeof healthCheckEntry>;
