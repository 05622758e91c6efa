// What keeps members of a network from calling each other although each is as declared: shown in the topology, and in
// the plan of a change that makes it so. Pure.
import { relayPort } from '@powernode/core/compile/entries';
import { namedInErrorMax, transitHubsMax } from '@powernode/core/limits/overlay';
import { type Family, familyOf, parseEndpoint } from '@powernode/core/net/address';
import { isCallableInsideOnly, isPubliclyRoutable } from '@powernode/core/net/special-addresses';
import { addressOf } from './reach.ts';

/** One member with what is known of its machine. */
export interface Member {
  readonly peerId: string;
  readonly hostname: string;
  readonly hubSlot: number | null;
  /** Where others are told to call it; empty: nowhere. */
  readonly endpoints: readonly string[];
  readonly listenPort: number;
  readonly observedAddress: string | null;
  readonly listed: readonly string[];
  /** In which it reaches beyond its own links, as it says; empty: not known. */
  readonly families: readonly Family[];
  /** User devices that it carries as their hub. */
  readonly devices: readonly MemberDevice[];
}

export interface MemberDevice {
  readonly name: string;
  /** Where its hub sees it, address and port; null: it has never connected. */
  readonly seenAt: string | null;
}

export interface Warning {
  readonly code: string;
  readonly detail: string;
}

/** Whether the two have shaken hands: then they meet, whatever else is to be thought of it. */
export type HaveMet = (aPeerId: string, bPeerId: string) => boolean;

export function reachWarnings(
  members: readonly Member[],
  { haveMet, fullMesh }: { readonly haveMet: HaveMet; readonly fullMesh: boolean },
): Warning[] {
  const called = members.filter((one) => one.endpoints.length > 0 && (fullMesh || one.hubSlot !== null));
  return called.flatMap((one) => {
    const others = members.filter((other) => other.peerId !== one.peerId);
    const needing = others.filter((other) => one.hubSlot !== null || other.hubSlot === null);
    const found = [
      insideOnly(one, others),
      insideOnlyForDevices(one),
      noCommonFamily(one, { others: needing, haveMet }),
      forwardNeeded(one, { others, haveMet }),
    ];
    return found.filter((warning) => warning !== null);
  });
}

/** All of its endpoints are private while other members are seen from elsewhere. */
function insideOnly(one: Member, others: readonly Member[]): Warning | null {
  const endpoints = one.endpoints.flatMap((text) => parseEndpoint(text) ?? []);
  if (!endpoints.every(({ address }) => isCallableInsideOnly(address))) return null;
  const outside = others.filter(({ observedAddress }) => {
    const seen = observedAddress === null ? null : parseEndpoint(withAnyPort(observedAddress));
    return seen !== null && isPubliclyRoutable(seen.address);
  });
  if (outside.length === 0) return null;
  return {
    code: 'endpoint_only_inside',
    detail: `"${one.hostname}" has the endpoint ${one.endpoints.join(', ')}, which works only inside its own site, and ${named(outside)} ${outside.length === 1 ? 'is' : 'are'} outside that site. Set endpoint_address to an address that these reach.`,
  };
}

/** The same for devices, which come from anywhere: those that are seen outside, and those that never came. */
function insideOnlyForDevices(one: Member): Warning | null {
  const endpoints = one.endpoints.flatMap((text) => parseEndpoint(text) ?? []);
  if (!endpoints.every(({ address }) => isCallableInsideOnly(address))) return null;
  const lost = one.devices.filter(({ seenAt }) => {
    const seen = seenAt === null ? null : parseEndpoint(seenAt);
    return seen === null || isPubliclyRoutable(seen.address);
  });
  if (lost.length === 0) return null;
  const names = named(lost.map(({ name }) => ({ hostname: name })));
  return {
    code: 'endpoint_only_inside',
    detail: `"${one.hostname}" has the endpoint ${one.endpoints.join(', ')}, which works only inside its own site, and is the hub of the user ${lost.length === 1 ? 'device' : 'devices'} ${names}, which cannot connect from outside. Set endpoint_address to an address that ${lost.length === 1 ? 'it reaches' : 'they reach'}, then reissue.`,
  };
}

/** Members that have no address of a family in which it can be called. */
function noCommonFamily(
  one: Member,
  { others, haveMet }: { readonly others: readonly Member[]; readonly haveMet: HaveMet },
): Warning | null {
  const families = new Set(one.endpoints.map((text) => familyOf(addressOf(text))));
  const lost = others.filter((other) => {
    const own = familiesOf(other);
    if (own.size === 0 || [...own].some((family) => families.has(family))) return false;
    // It may be the other one that can be called.
    const back = other.endpoints.map((text) => familyOf(addressOf(text)));
    return !back.some((family) => familiesOf(one).has(family)) && !haveMet(one.peerId, other.peerId);
  });
  if (lost.length === 0) return null;
  const [family = 4] = families;
  const wanted = family === 4 ? 6 : 4;
  const listed = one.listed.filter((text) => familyOf(text) === wanted).slice(0, namedInErrorMax);
  const instead =
    listed.length === 0
      ? `It has no IPv${wanted} address of its own: give it one, or attach another hub that has.`
      : `Add one of its IPv${wanted} addresses to endpoint_addresses: ${listed.join(', ')}.`;
  return {
    code: 'no_common_family',
    detail: `"${one.hostname}" is reachable over IPv${family} only, and ${named(lost)} ${lost.length === 1 ? 'has' : 'have'} IPv${wanted} only, so they cannot connect. ${instead}`,
  };
}

/** A router in front has to forward the ports that the machine listens on. Said until somebody has come through. */
function forwardNeeded(
  one: Member,
  { others, haveMet }: { readonly others: readonly Member[]; readonly haveMet: HaveMet },
): Warning | null {
  const behind = one.endpoints.filter((text) => !one.listed.includes(addressOf(text)));
  if (one.listed.length === 0 || behind.length === 0) return null;
  if (others.some((other) => haveMet(one.peerId, other.peerId))) return null;
  const relays = others.flatMap(({ hubSlot }) =>
    one.hubSlot === null || hubSlot === null || hubSlot > transitHubsMax ? [] : relayPort(one, hubSlot),
  );
  const relayText =
    relays.length === 0 ? '' : `, and UDP ${relays.join(', ')} of the same addresses to the same ports`;
  return {
    code: 'port_forward',
    detail: `"${one.hostname}" listens on UDP ${one.listenPort} and does not have ${behind.map(addressOf).join(', ')} itself: its router has to forward ${behind.join(', ')} to UDP ${one.listenPort} of it${relayText}.`,
  };
}

/** The families in which a machine can call. */
function familiesOf({ families, listed, observedAddress }: Member): Set<Family> {
  if (families.length > 0) return new Set(families);
  return new Set([...listed, ...(observedAddress === null ? [] : [observedAddress])].map(familyOf));
}

function withAnyPort(address: string): string {
  return familyOf(address) === 6 ? `[${address}]:1` : `${address}:1`;
}

function named(members: readonly { readonly hostname: string }[]): string {
  const shown = members.slice(0, namedInErrorMax).map(({ hostname }) => `"${hostname}"`);
  const more = members.length - shown.length;
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(', ');
}
