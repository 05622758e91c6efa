// The messages of a node's stream (JSON text frames of a WebSocket under mutual TLS at /node/v1/stream), both ways. Either
// side may be older than the other: unknown members are left out, messages of an unknown kind passed over
// (read-message.ts). A change of meaning is a step in capability.ts.
import { z } from 'zod';
import { bgpStates } from '../intent/bgp.ts';
import { holderHealth } from '../intent/virtual-ip.ts';
import * as agentLimits from '../limits/agent.ts';
import * as anycastLimits from '../limits/anycast.ts';
import * as nodeStreamLimits from '../limits/node-stream.ts';
import * as overlayLimits from '../limits/overlay.ts';
import * as presenceLimits from '../limits/presence.ts';
import * as routingLimits from '../limits/routing.ts';
import * as textsLimits from '../limits/texts.ts';
import * as trustLimits from '../limits/trust.ts';
import { hostnameRule, isHostname } from '../net/hostname.ts';
import type { CapabilityRange } from './capability.ts';
import { sentEntry } from './document.ts';
import { problems } from './node-problems.ts';
import { address, addressWithLength, hash, id, key, time } from './texts.ts';
import { underlay } from './underlay.ts';

export const nodeStreamPath = '/node/v1/stream';

/** Close codes of the stream (RFC 6455 §7.4.2, private range). */
export const closeCodes = {
  /** The certificate was revoked or the instance terminated: do not come back. */
  revoked: 4403,
  /** Another stream of the same node took over. */
  replaced: 4409,
  /** The certificate that the stream was opened with has expired, or a renewed one took its place: come back with the
   * one that counts. */
  certificate: 4401,
  /** Another machine has this identity and answers: join with a token of one's own. */
  duplicate: 4410,
  /** A frame could not be read: come back after a back-off. */
  malformed: 4400,
  /** The two sides share no capability (capability.ts): come back after the longest pause, as another version. */
  protocol: 4426,
  /** The machine cost more than its budget: come back after a while, which the platform enforces. */
  limited: 4429,
} as const;

const revision = z.int().min(0).max(textsLimits.revisionMax);
const count = z.int().min(0).max(textsLimits.countMax);
const step = z.int().min(0).max(textsLimits.capabilityMax);
const held = z.object({ revision, hash });
const interfaceText = z.string().max(textsLimits.interfaceNameLengthMax);
const publicKey = z.string().length(textsLimits.publicKeyLength);
const publicKeys = z.array(publicKey).max(trustLimits.unusedKeysMax);

const versions = {
  /** What the node knows (capability.ts). */
  capability: step.optional(),
  /** The oldest platform that it can speak to. Absent: any. */
  capability_min: step.optional(),
  /** Instead of both, before capability 4. */
  protocol: step.optional(),
};

/** What is read of the first frame before versions are compared; all else in it may be of another version. */
export const firstFrame = z
  .object({ kind: z.literal('hello'), ...versions })
  .refine(({ capability, protocol }) => (capability ?? protocol) !== undefined, {
    path: ['capability'],
    message: 'is missing',
  });

/** What a node serves, by its first frame. */
export function nodeCapabilities(first: z.infer<typeof firstFrame>): CapabilityRange {
  const { capability, capability_min: earliest, protocol = 0 } = first;
  if (capability === undefined) return { earliest: protocol, newest: protocol };
  return { earliest: earliest ?? 0, newest: capability };
}

/** First frame of the node: who it is in version, what document it holds, which keys may be used. */
export const hello = z.object({
  kind: z.literal('hello'),
  ...versions,
  /** Drawn by the program of the machine at its start: two that say the same are one, on another line. */
  run: id,
  agent_version: z.string().max(textsLimits.versionLengthMax),
  hostname: z.string().max(textsLimits.hostnameLengthMax).refine(isHostname, hostnameRule),
  /** The document on the node's disk; null before the first one. */
  held: held.nullable(),
  /** What the machine was last seen to be equal to. */
  applied: held.nullable(),
  /** Addresses of the machine outside overlays, canonical text. */
  addresses: z.array(z.string().max(textsLimits.addressTextMax)).max(agentLimits.agentAddressesMax),
  underlay,
  /** IP families in which it reaches beyond its own links. Absent: not known. */
  families: z
    .array(z.literal([4, 6]))
    .max(2)
    .optional(),
  unused_keys: publicKeys,
});

/** More unused public keys, after some were taken. */
export const keys = z.object({ kind: z.literal('keys'), unused_keys: publicKeys });

/** The machine was read back and equals this document. */
export const applied = z.object({ kind: z.literal('applied'), ...held.shape });

/** Applying failed; the node keeps trying. `message` is for people. */
export const failed = z.object({
  kind: z.literal('failed'),
  revision,
  message: z.string().max(nodeStreamLimits.failureMessageMax),
});

/** The held document does not have the hash that the platform named: send it whole. */
export const resync = z.object({ kind: z.literal('resync') });

export const tunnelObservation = z.object({
  interface: interfaceText,
  public_key: publicKey,
  /** RFC 3339, or null: never. */
  last_handshake_at: time.nullable(),
  rx_bytes: count,
  tx_bytes: count,
  /** As the kernel prints it. */
  endpoint: z.string().max(textsLimits.endpointTextMax).nullable(),
});

export const subsystemObservation = z.object({
  name: z.string().min(1).max(nodeStreamLimits.subsystemNameMax),
  state: z.enum(['ok', 'degraded', 'failed']),
  message: z.string().max(nodeStreamLimits.subsystemMessageMax),
  observed_at: time,
});

/** Something on the machine was not as applied, and was repaired. */
export const driftObservation = z.object({
  at: time,
  key,
  detail: z.string().max(nodeStreamLimits.driftDetailMax),
});

const refusedCount = z.int().min(0).max(routingLimits.refusedMax);

/** A session of BGP, by the entry of its neighbor. */
export const bgpSessionObservation = z.object({
  network_id: id,
  peer_id: id,
  /** RFC 4271 §8.2.2; null: the session is in no document any more. */
  state: z.enum(bgpStates).nullable(),
  /** Since when it is established, RFC 3339; null: it is not. */
  established_at: time.nullable(),
  prefixes_received: z.int().min(0).max(routingLimits.prefixesReceivedMax),
  /** Why it ended last or does not come up, in the words of the daemon; null: nothing is known. */
  last_error: z.string().max(routingLimits.sessionErrorMax).nullable(),
  /**
   * Announcements of the neighbor that the filter of the session refused since it began to make them, by family; one that
   * is repeated counts again. null: it makes none; absent: the node does not know yet, or accepts everything.
   */
  refused: z.object({ ipv4: refusedCount, ipv6: refusedCount, since: time }).nullable().optional(),
  /** The last `bgp_reset` that the node did for it. Absent: none. */
  reset_done: id.optional(),
});

/** The health check of a virtual IP that the node holds. */
export const virtualIpHealthObservation = z.object({
  virtual_ip_id: id,
  /** null: the node has no such check any more. */
  health: holderHealth.nullable(),
  since: time,
  /** Why the last check failed, in words of the agent; null: it did not. */
  last_error: z.string().max(anycastLimits.healthCheckErrorMax).nullable(),
});

/** What the node sees. Only what changed since the last one, and everything once after hello. */
export const observed = z.object({
  kind: z.literal('observed'),
  tunnels: z.array(tunnelObservation).max(agentLimits.agentTunnelsPerFrameMax),
  subsystems: z.array(subsystemObservation).max(nodeStreamLimits.subsystemsMax),
  drift: z.array(driftObservation).max(agentLimits.agentDriftPerFrameMax),
  /** For each route that has a choice (prefixes, and peers met without a hub): where it goes now; null: nowhere. */
  routes: z
    .array(
      z.object({ destination: z.string().max(textsLimits.addressTextMax), via: interfaceText.nullable() }),
    )
    .max(agentLimits.agentRoutesPerFrameMax),
  /** What the firewall counted for each rule since the agent came. Absent: nothing new. */
  rules: z
    .array(z.object({ rule_id: id, packets: count, bytes: count }))
    .max(overlayLimits.rulesPerFrameMax)
    .optional(),
  /** The whole list, when it is another one than was said last. */
  underlay: underlay.optional(),
  /** Sessions of BGP that are other than was said last. */
  bgp_sessions: z.array(bgpSessionObservation).max(routingLimits.sessionsPerFrameMax).optional(),
  /** Health checks that are other than was said last. */
  virtual_ip_health: z
    .array(virtualIpHealthObservation)
    .max(anycastLimits.healthChecksPerFrameMax)
    .optional(),
  /** Slices of its networks' prefixes of pods that a cluster on the machine has; all of them. Absent: nothing new. */
  pod_slices: z.array(addressWithLength).max(agentLimits.podSlicesPerNodeMax).optional(),
  /**
   * Whether FRR can be used on the machine, also while none of its networks speaks BGP. `missing`: for people, why it
   * cannot; null: it can. Absent: nothing new.
   */
  routing_daemon: z
    .object({ missing: z.string().max(nodeStreamLimits.nodeProblemDetailMax).nullable() })
    .optional(),
});

/**
 * A hub's word on peers that it was told to watch: whether their probes arrive. Dead means that none was answered for
 * `addressLeaseMs`, so that a lease which rests on this hub has lapsed. Everything after hello, then what changed.
 * A hub that has said dead is no witness for that peer again (wire/probe.ts) until the platform is known to have taken
 * its word that it is alive. It says dead of nobody within `addressLeaseMs` of its start: it may have answered before.
 */
export const paths = z.object({
  kind: z.literal('paths'),
  peers: z.array(z.object({ peer_id: id, alive: z.boolean() })).max(overlayLimits.watchedPeersMax),
});

const forMs = z.int().min(0).max(presenceLimits.probedForMsMax);

/**
 * What probes say. `heard`, of hubs: whether probes of the peer with that address arrive and are answered. `paths`: how
 * the node's own tunnel to a hub does: its probes are answered; none was; or the hub answers for itself and passes
 * nothing on to other hubs, which others do. Everything after hello, then what changed. `for_ms`: for how long it has
 * been so, by the node's clock.
 */
export const probed = z.object({
  kind: z.literal('probed'),
  heard: z
    .array(z.object({ address, heard: z.boolean(), for_ms: forMs }))
    .max(presenceLimits.probedPerFrameMax),
  paths: z
    .array(
      z.object({
        network_id: id,
        peer_id: id,
        state: z.enum(['answers', 'silent', 'forwards_nothing']),
        for_ms: forMs,
      }),
    )
    .max(presenceLimits.probedPathsMax),
});

const leases = z
  .array(z.object({ virtual_ip_id: id, epoch: revision }))
  .max(overlayLimits.virtualIpsPerNodeMax);

/** The node asks to go on holding addresses. The platform answers with those that are still its own. */
export const leaseRenew = z.object({ kind: z.literal('lease_renew'), sequence: count, leases });

export const nodeMessage = z.discriminatedUnion('kind', [
  hello,
  keys,
  applied,
  failed,
  resync,
  observed,
  paths,
  probed,
  leaseRenew,
  problems,
]);
export const nodeMessages = { schema: nodeMessage, kinds: kindsOf(nodeMessage.options) };
export type Hello = z.infer<typeof hello>;
export type PathsMessage = z.infer<typeof paths>;
export type ProbedMessage = z.infer<typeof probed>;
export type LeaseRenewMessage = z.infer<typeof leaseRenew>;
export type Observed = z.infer<typeof observed>;
export type BgpSessionObservation = z.infer<typeof bgpSessionObservation>;
export type VirtualIpHealthObservation = z.infer<typeof virtualIpHealthObservation>;
export type TunnelObservation = z.infer<typeof tunnelObservation>;
export type NodeMessage = z.infer<typeof nodeMessage>;

/** First frame of the platform. */
export const welcome = z.object({
  kind: z.literal('welcome'),
  /** What both sides speak on this stream. */
  capability: step.optional(),
  /** Instead, before capability 4. */
  protocol: step.optional(),
  platform_version: z.string().max(textsLimits.versionLengthMax),
  instance_id: id,
  unused_keys_target: z.int().min(0).max(textsLimits.countMax),
});

/** The whole document; replaces what the node holds. */
export const document = z.object({
  kind: z.literal('document'),
  revision,
  hash,
  entries: z.array(sentEntry).max(textsLimits.entriesPerDocumentMax),
});

/** What changed since `base`. Applied to a document of that revision it gives one of `revision` and `hash`. */
export const delta = z.object({
  kind: z.literal('delta'),
  base: revision,
  revision,
  hash,
  set: z.array(sentEntry).max(textsLimits.entriesPerDocumentMax),
  remove: z.array(key).max(textsLimits.entriesPerDocumentMax),
});

/** The document that the node named is the newest. */
export const current = z.object({ kind: z.literal('current'), revision, hash });

/** Of the keys that the node offered: they were given to peers that are gone, and no document will name them. */
export const keysRetired = z.object({
  kind: z.literal('keys_retired'),
  public_keys: z.array(publicKey).max(textsLimits.retiredKeysPerFrameMax),
});

/**
 * The answer to `lease_renew` of that sequence: these epochs are the newest, and for `addressLeaseMs` from here on the
 * platform will not take the node for gone. It counts from when that `lease_renew` was sent, and means nothing, not even
 * that a lease may begin anew, once that is `addressLeaseMs` ago or the stream is another one.
 */
export const leaseAck = z.object({ kind: z.literal('lease_ack'), sequence: count, leases });

/** From here on the node says so often that it runs: there are many of them. Without it, every `streamBeatMs`. */
export const beat = z.object({
  kind: z.literal('beat'),
  every_ms: z.int().min(nodeStreamLimits.streamBeatMs).max(nodeStreamLimits.streamBeatMaxMs),
});

/** What the node took back of its document (`change_rolled_back`) is to be applied once more, on trial again. */
export const retry = z.object({ kind: z.literal('retry') });

export const platformMessage = z.discriminatedUnion('kind', [
  welcome,
  beat,
  document,
  delta,
  current,
  keysRetired,
  leaseAck,
  retry,
]);
export const platformMessages = { schema: platformMessage, kinds: kindsOf(platformMessage.options) };
export type PlatformMessage = z.infer<typeof platformMessage>;
export type DocumentMessage = z.infer<typeof document>;
export type DeltaMessage = z.infer<typeof delta>;

function kindsOf(
  options: readonly { readonly shape: { readonly kind: z.ZodLiteral<string> } }[],
): ReadonlySet<string> {
  return new Set(options.map(({ shape }) => shape.kind.value));
}
