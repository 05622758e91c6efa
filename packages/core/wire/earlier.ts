// What is said otherwise to the side that is one step earlier: the only place that knows how it was. Whatever is not
// here is said to every capability of the window alike.
import { beforeCapabilities, tolerantCapability } from './capability.ts';
import { problemCapability } from './node-problems.ts';
import type { Hello, NodeMessage } from './node-stream.ts';

/** Kinds of messages that have another name since capability 4, with the one of before. */
const namesBefore: Readonly<Record<string, string>> = {
  lease_renew: 'hold',
  lease_ack: 'held',
  keys_retired: 'spent',
};
const namesNow = new Map(Object.entries(namesBefore).map(([now, before]) => [before, now]));

function isNamed(value: unknown): value is { readonly kind: string } {
  return typeof value === 'object' && value !== null && 'kind' in value && typeof value.kind === 'string';
}

/** A message of a side of this capability, as it is called now. */
export function fromEarlier(value: unknown, capability: number): unknown {
  if (capability >= tolerantCapability || !isNamed(value)) return value;
  const kind = namesNow.get(value.kind);
  return kind === undefined ? value : { ...value, kind };
}

/** What both sides say alike but for its name. */
export function toEarlier(
  message: { readonly kind: string; readonly [member: string]: unknown },
  capability: number,
): object {
  const kind = capability < tolerantCapability ? namesBefore[message.kind] : undefined;
  return kind === undefined ? message : { ...message, kind };
}

/** What a node says to a platform of this capability. */
export function toPlatform(message: NodeMessage, capability: number): object {
  if (message.kind === 'hello') return capability < tolerantCapability ? earlierHello(message) : message;
  if (message.kind === 'observed' && capability < tolerantCapability) {
    const { bgp_sessions: _sessions, virtual_ip_health: _health, ...others } = message;
    const { pod_slices: _slices, routing_daemon: _daemon, ...rest } = others;
    return rest;
  }
  if (message.kind !== 'problems') return toEarlier(message, capability);
  const problems = message.problems.filter(({ code }) => problemCapability(code) <= capability);
  return problems.length === message.problems.length ? message : { ...message, problems };
}

/** A platform of before knows no member `capability`, and refuses one that it does not know. */
function earlierHello({ capability: _capability, capability_min: _min, ...rest }: Hello): object {
  return { ...rest, protocol: beforeCapabilities };
}

export interface WelcomeFacts {
  readonly capability: number;
  readonly platform_version: string;
  readonly instance_id: string;
  readonly unused_keys_target: number;
}

/** First frame of a platform, for a node of this capability. */
export function welcomeFor({ capability, ...facts }: WelcomeFacts): object {
  const version = capability < tolerantCapability ? { protocol: beforeCapabilities } : { capability };
  return { kind: 'welcome', ...version, ...facts };
}
