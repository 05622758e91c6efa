// Whether a peer can be called from outside, and where: from what was declared and what was observed. Pure.
import { formatEndpoint, parseAddress, parseEndpoint } from '@powernode/core/net/address';

/** What was declared of a peer, and what is observed of its machine. */
export interface ReachFacts {
  /** As declared; null: detect it. */
  readonly declared: boolean | null;
  /** As declared: address with or without a port; null: as observed. */
  readonly endpointAddress: string | null;
  readonly listenPort: number;
  readonly observedAddress: string | null;
  /** No translation between the machine and the platform. */
  readonly detected: boolean;
}

export interface Reach {
  /** A hub relays for those who cannot be called. */
  readonly hub: boolean;
  /** address:port, or null: unknown, or not to be called. */
  readonly endpoint: string | null;
}

/**
 * Declared false with an endpoint means: call me there, but do not relay through me. Declared false without one:
 * do not call me. Declared true: a hub, where declared or else where observed. Not declared: a hub when detected.
 */
export function reachOf(facts: ReachFacts): Reach {
  const hub = facts.declared ?? facts.detected;
  if (facts.endpointAddress !== null) {
    return { hub, endpoint: withPort(facts.endpointAddress, facts.listenPort) };
  }
  if (!hub || facts.observedAddress === null) return { hub, endpoint: null };
  return { hub, endpoint: withPort(facts.observedAddress, facts.listenPort) };
}

function withPort(text: string, port: number): string | null {
  if (parseEndpoint(text) !== null) return text;
  const address = parseAddress(text);
  return address === null ? null : formatEndpoint({ address, port });
}

/** The port that a declared endpoint asks for, or null. */
export function declaredPort(endpointAddress: string | null): number | null {
  return endpointAddress === null ? null : (parseEndpoint(endpointAddress)?.port ?? null);
}
