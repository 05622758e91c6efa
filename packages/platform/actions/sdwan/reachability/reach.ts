// Whether a peer can be called from outside, and where: from what was declared and what was observed. Pure.
import { familyOf, formatEndpoint, parseAddress, parseEndpoint } from '@powernode/core/net/address';
import type { Prefix } from '@powernode/core/net/prefix';
import { endpointRefusal, isPubliclyRoutable } from '@powernode/core/net/special-addresses';

/** What was declared of a peer, and what is observed of its machine. */
export interface ReachFacts {
  /** A hub relays for those who cannot be called. */
  readonly hub: boolean;
  /** As declared: addresses with or without a port, the preferred one first; empty: as observed. */
  readonly endpointAddresses: readonly string[];
  readonly listenPort: number;
  readonly observedAddress: string | null;
  /** The machine's own addresses, as it says. */
  readonly listed: readonly string[];
  /** Endpoints that it has already; null: it is being attached, so that a listed address may become one. */
  readonly known: readonly string[] | null;
  /** Prefixes inside of tunnels. */
  readonly overlays: readonly Prefix[];
}

/** Endpoints as address:port, the preferred one first. null: unknown, or not to be called. */
export interface Reach {
  readonly endpoint: string | null;
  readonly fallbacks: readonly string[];
}

/**
 * A spoke with declared endpoints is called there and relays for nobody; one without is not called. A hub is met where
 * declared, or else where observed, and at the address of the other family that it listed when it was attached, for as
 * long as it lists that. An address that it lists later makes no endpoint: a machine's word alone sends nobody anywhere.
 */
export function reachOf(facts: ReachFacts): Reach {
  const [endpoint = null, ...fallbacks] = [...new Set(endpointsOf(facts))];
  return { endpoint, fallbacks };
}

function endpointsOf(facts: ReachFacts): string[] {
  const { endpointAddresses, listenPort, observedAddress, overlays } = facts;
  const usable = (text: string) => endpointRefusal(text, overlays) === null;
  const declared = endpointAddresses.flatMap((text) => withPort(text, listenPort) ?? []);
  if (declared.length > 0) return declared.filter(usable);
  if (!facts.hub || observedAddress === null || !usable(observedAddress)) return [];
  return [observedAddress, ...otherFamily(facts, observedAddress).filter(usable)].flatMap(
    (text) => withPort(text, listenPort) ?? [],
  );
}

/** The address of the other family at which a hub is met too: at most one. */
function otherFamily({ listed, known }: ReachFacts, observedAddress: string): string[] {
  const other = listed.filter((text) => familyOf(text) !== familyOf(observedAddress));
  const found =
    known === null
      ? other.find((text) => isRoutable(text))
      : other.find((text) => known.some((endpoint) => addressOf(endpoint) === text));
  return found === undefined ? [] : [found];
}

function isRoutable(text: string): boolean {
  const address = parseAddress(text);
  return address !== null && isPubliclyRoutable(address);
}

/** The address of an endpoint without its port; text that is none stays as it is. */
export function addressOf(endpoint: string): string {
  return endpoint.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
}

function withPort(text: string, port: number): string | null {
  if (parseEndpoint(text) !== null) return text;
  const address = parseAddress(text);
  return address === null ? null : formatEndpoint({ address, port });
}

/** The port of a declared endpoint at one of the machine's own addresses: nothing in front of it changes ports. */
export function ownPort(endpointAddresses: readonly string[], listed: readonly string[]): number | null {
  for (const text of endpointAddresses) {
    const endpoint = parseEndpoint(text);
    if (endpoint !== null && listed.includes(addressOf(text))) return endpoint.port;
  }
  return null;
}

/** Why a machine counts as a hub or as a spoke when nobody says what it is. */
export function detectionInWords(facts: {
  readonly detected: boolean;
  readonly observedAddress: string | null;
  readonly listed: readonly string[];
}): string {
  const { detected, observedAddress, listed } = facts;
  if (observedAddress === null) return 'detected: the platform has not observed it yet';
  const seen = `detected: the platform observes it at ${observedAddress}`;
  if (detected) return `${seen}, which is a public address of its own`;
  if (!listed.includes(observedAddress)) return `${seen}, which is not its own: it is behind NAT`;
  return `${seen}, which is not a public address`;
}
