// What a node and a platform know of each other's protocol: one rising number, a dated line for each step of it, and the
// range of steps that this version serves. A node says its number in its first frame; from there on each side says only
// what the other one knows.

/**
 * Every step, oldest first. A step is taken with each change of meaning: a new kind of entry, of message or of problem, a
 * new member that must not be passed over, a new value where there is a list. The old ones never change their meaning.
 * Each step has its frames as literals in `fixtures/`.
 */
export const capabilityHistory = [
  {
    capability: 1,
    date: '2026-11-21',
    change: 'hello, keys, applied, failed, observed; welcome, document, delta, current, spent',
  },
  {
    capability: 2,
    date: '2026-11-22',
    change:
      'paths, hold, held, rules in observed; probes, firewall, virtual addresses, port mappings in documents',
  },
  {
    capability: 3,
    date: '2026-11-29',
    change:
      'problems; underlay in hello and observed; probed, beats on the stream; families in hello, fallback_endpoints of peers; the hostname of a hello is one; retry',
  },
  {
    capability: 4,
    date: '2026-11-30',
    change:
      'capability in hello and welcome instead of protocol; unknown members, messages, entries and problems are passed over; the problem unsupported; lease_renew, lease_ack, keys_retired instead of hold, held, spent',
  },
  {
    capability: 5,
    date: '2026-12-01',
    change:
      'subnet, lan, pods, bgp, bgp_neighbor, route_policy, bgp_reset, anycast_holder and health_check in documents; bgp_sessions, with what is refused, virtual_ip_health, pod_slices and routing_daemon in observed; problems of routing daemons, and of filters between the overlay and LANs or port mappings; health and round trips in probes',
  },
] as const;

/** Of this version. */
export const newestCapability = 5;

/**
 * The oldest one that this version serves: every step of the last two releases. 3 is what agents and platforms spoke that
 * compared one `protocol` number for equality; nothing older was given to anybody.
 */
export const earliestCapability = 3;

/** From here on a receiver passes over what it does not know. Before, one unknown member was a malformed frame. */
export const tolerantCapability = 4;

/** What one side serves. `earliest` <= `newest`. */
export interface CapabilityRange {
  readonly earliest: number;
  readonly newest: number;
}

export const servedCapabilities: CapabilityRange = {
  earliest: earliestCapability,
  newest: newestCapability,
};

/** The newest step that both serve; null: none. */
export function sharedCapability(ours: CapabilityRange, theirs: CapabilityRange): number | null {
  const shared = Math.min(ours.newest, theirs.newest);
  return shared >= Math.max(ours.earliest, theirs.earliest) ? shared : null;
}

/** `3`, or `3 to 5`. */
export function rangeText({ earliest, newest }: CapabilityRange): string {
  return earliest >= newest ? `${newest}` : `${earliest} to ${newest}`;
}

/** For people: why two sides cannot speak, with both ranges, in at most the 123 bytes of a close frame (RFC 6455 §5.5). */
export function windowSentence(sides: {
  readonly platform: CapabilityRange;
  readonly node: CapabilityRange;
}): string {
  const { platform, node } = sides;
  const older = node.newest < platform.earliest ? 'agent' : 'platform';
  return `the platform serves capability ${rangeText(platform)}, the agent ${rangeText(node)}: upgrade the ${older}`;
}

/**
 * Header of the answer that opens a stream (HTTP 101): what the platform serves, as `3-5`. A platform without it speaks
 * capability 3, and reads no first frame that says more. So an agent can speak to it at once.
 */
export const capabilityHeader = 'powernode-capability';

export function formatCapabilityHeader({ earliest, newest }: CapabilityRange): string {
  return `${earliest}-${newest}`;
}

/** What such a platform, or one before the header, serves. Null: the header cannot be read. */
export function parseCapabilityHeader(text: string | undefined): CapabilityRange | null {
  if (text === undefined) return { earliest: beforeCapabilities, newest: beforeCapabilities };
  const match = /^(\d{1,6})-(\d{1,6})$/.exec(text);
  if (match === null) return null;
  const [earliest, newest] = [Number(match[1]), Number(match[2])];
  return earliest <= newest ? { earliest, newest } : null;
}

/** The step of agents and platforms that say `protocol: 3` and no capability. */
export const beforeCapabilities = 3;
