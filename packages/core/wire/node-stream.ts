// The messages of a node's stream (JSON text frames of a WebSocket under mutual TLS at /node/v1/stream), both ways.
// Bump `nodeProtocol` with every change of meaning and add a line to its history.
import { z } from 'zod';
import * as limits from '../limits.ts';
import { entryValue } from './document.ts';

/** 1 (2026-11-21): hello, keys, applied, failed, observed; welcome, document, delta, current, spent.
 * 2 (2026-11-22): paths, hold, held, rules in observed; probes, firewall, virtual addresses, doors in documents. */
export const nodeProtocol = 2;
export const nodeStreamPath = '/node/v1/stream';

/** Close codes of the stream (RFC 6455 §7.4.2, private range). */
export const closeCodes = {
  /** The certificate was revoked or the instance terminated: do not come back. */
  revoked: 4403,
  /** Another stream of the same node took over. */
  replaced: 4409,
  /** A frame could not be read: come back after a back-off. */
  malformed: 4400,
  /** The two sides share no protocol version. */
  protocol: 4426,
} as const;

const hash = z.string().regex(/^[0-9a-f]{32}$/);
const held = z.strictObject({ revision: z.int().min(0), hash });
const publicKeys = z.array(z.string().length(44)).max(limits.unusedKeysMax);

/** First frame of the node: who it is in version, what document it holds, which keys may be used. */
export const hello = z.strictObject({
  kind: z.literal('hello'),
  protocol: z.int(),
  agent_version: z.string().max(50),
  hostname: z.string().max(253),
  /** The document on the node's disk; null before the first one. */
  held: held.nullable(),
  /** What the machine was last seen to be equal to. */
  applied: held.nullable(),
  /** Addresses of the machine outside overlays, canonical text. */
  addresses: z.array(z.string()).max(200),
  unused_keys: publicKeys,
});

/** More unused public keys, after some were taken. */
export const keys = z.strictObject({ kind: z.literal('keys'), unused_keys: publicKeys });

/** The machine was read back and equals this document. */
export const applied = z.strictObject({ kind: z.literal('applied'), ...held.shape });

/** Applying failed; the node keeps trying. `message` is for people. */
export const failed = z.strictObject({
  kind: z.literal('failed'),
  revision: z.int().min(0),
  message: z.string().max(2000),
});

/** The held document does not have the hash that the platform named: send it whole. */
export const resync = z.strictObject({ kind: z.literal('resync') });

export const tunnelObservation = z.strictObject({
  interface: z.string().max(15),
  public_key: z.string().length(44),
  /** RFC 3339, or null: never. */
  last_handshake_at: z.string().nullable(),
  rx_bytes: z.int().min(0),
  tx_bytes: z.int().min(0),
  endpoint: z.string().max(60).nullable(),
});

export const subsystemObservation = z.strictObject({
  name: z.string().max(50),
  state: z.enum(['ok', 'degraded', 'failed']),
  message: z.string().max(1000),
  observed_at: z.string(),
});

/** Something on the machine was not as applied, and was mended. */
export const driftObservation = z.strictObject({
  at: z.string(),
  key: z.string().max(300),
  detail: z.string().max(1000),
});

/** What the node sees. Only what changed since the last one, and everything once after hello. */
export const observed = z.strictObject({
  kind: z.literal('observed'),
  tunnels: z.array(tunnelObservation).max(limits.peersPerNetworkMax),
  subsystems: z.array(subsystemObservation).max(50),
  drift: z.array(driftObservation).max(100),
  /** For each route that has a choice (prefixes, and peers met without a hub): where it goes now; null: nowhere. */
  routes: z.array(z.strictObject({ destination: z.string(), via: z.string().nullable() })).max(1000),
  /** What the firewall counted for each rule since the agent came. Absent: nothing new. */
  rules: z
    .array(z.strictObject({ rule_id: z.string(), packets: z.int().min(0), bytes: z.int().min(0) }))
    .max(limits.rulesPerFrameMax)
    .optional(),
});

/**
 * A hub's word on peers that it was told to watch: whether their probes arrive. Dead means that none was answered for
 * `addressLeaseMs`, so that a lease which rests on this hub has lapsed. Everything after hello, then what changed.
 * A hub that has said dead is no witness for that peer again (wire/probe.ts) until the platform is known to have taken
 * its word that it is alive. It says dead of nobody within `addressLeaseMs` of its start: it may have answered before.
 */
export const paths = z.strictObject({
  kind: z.literal('paths'),
  peers: z.array(z.strictObject({ peer_id: z.string(), alive: z.boolean() })).max(limits.watchedPeersMax),
});

const leases = z
  .array(z.strictObject({ virtual_ip_id: z.string(), epoch: z.int().min(0) }))
  .max(limits.virtualIpsPerNodeMax);

/** The node asks to go on holding addresses. The platform answers with those that are still its own. */
export const hold = z.strictObject({ kind: z.literal('hold'), sequence: z.int().min(0), leases });

export const nodeMessage = z.discriminatedUnion('kind', [
  hello,
  keys,
  applied,
  failed,
  resync,
  observed,
  paths,
  hold,
]);
export type Hello = z.infer<typeof hello>;
export type PathsMessage = z.infer<typeof paths>;
export type HoldMessage = z.infer<typeof hold>;
export type Observed = z.infer<typeof observed>;
export type TunnelObservation = z.infer<typeof tunnelObservation>;
export type NodeMessage = z.infer<typeof nodeMessage>;

/** First frame of the platform. */
export const welcome = z.strictObject({
  kind: z.literal('welcome'),
  protocol: z.int(),
  platform_version: z.string(),
  instance_id: z.string(),
  unused_keys_target: z.int(),
});

/** The whole document; replaces what the node holds. */
export const document = z.strictObject({
  kind: z.literal('document'),
  revision: z.int(),
  hash,
  entries: z.array(entryValue),
});

/** What changed since `base`. Applied to a document of that revision it gives one of `revision` and `hash`. */
export const delta = z.strictObject({
  kind: z.literal('delta'),
  base: z.int(),
  revision: z.int(),
  hash,
  set: z.array(entryValue),
  remove: z.array(z.string()),
});

/** The document that the node named is the newest. */
export const current = z.strictObject({ kind: z.literal('current'), revision: z.int(), hash });

/** Of the keys that the node offered: they were given to peers that are gone, and no document will name them. */
export const spent = z.strictObject({
  kind: z.literal('spent'),
  public_keys: z.array(z.string().length(44)),
});

/**
 * The answer to `hold` of that sequence: these epochs are the newest, and for `addressLeaseMs` from here on the
 * platform will not take the node for gone. It counts from when that `hold` was sent, and means nothing, not even
 * that a lease may begin anew, once that is `addressLeaseMs` ago or the stream is another one.
 */
export const heldAnswer = z.strictObject({ kind: z.literal('held'), sequence: z.int().min(0), leases });

export const platformMessage = z.discriminatedUnion('kind', [
  welcome,
  document,
  delta,
  current,
  spent,
  heldAnswer,
]);
export type PlatformMessage = z.infer<typeof platformMessage>;
export type DocumentMessage = z.infer<typeof document>;
export type DeltaMessage = z.infer<typeof delta>;
