// What a device is given for wg-quick(8), and by what its platform knows later that it is outdated. Pure.
//
// One hub carries a device: it meets exactly one peer, whose AllowedIPs are the whole network, because the AllowedIPs
// of several peers of one interface cannot overlap.
import { hash } from 'node:crypto';
import { deviceEndpoints, isTransit, prefixesOf } from '@powernode/core/compile/entries';
import type { NetworkModel, PeerModel } from '@powernode/core/compile/model';
import type { EndpointFamily } from '@powernode/core/intent/user-device';
import { keepaliveSeconds } from '@powernode/core/limits/overlay';
import { type Family, parseEndpoint, withLength } from '@powernode/core/net/address';
import { privateKeyPlaceholder } from '@powernode/core/wire/bootstrap';

/** Everything that a configuration is made from. */
export interface ConfigFacts {
  /** Without length; the first one is IPv6. */
  readonly addresses: readonly string[];
  readonly prefixes: readonly string[];
  readonly mtu: number;
  readonly hubKey: string;
  readonly hubEndpoint: string;
}

/** By which of its hub's endpoints a device calls it: one of the family, or the one that it was given. */
export type EndpointChoice = { readonly family: Family | null } | { readonly digest: string };

/** null: this peer cannot carry a device. Of the hub's endpoints the first is taken where the choice fits none. */
export function configFacts(
  network: NetworkModel,
  hub: PeerModel | undefined,
  { addresses, choice }: { readonly addresses: readonly string[]; readonly choice: EndpointChoice },
): ConfigFacts | null {
  if (hub === undefined || !isTransit(hub)) return null;
  const endpoints = deviceEndpoints(hub);
  const hubEndpoint = endpoints.find((one) => isChosen(one, choice)) ?? endpoints[0];
  if (hubEndpoint === undefined) return null;
  return {
    addresses,
    prefixes: prefixesOf(network),
    mtu: network.mtu,
    hubKey: hub.publicKey,
    hubEndpoint,
  };
}

function isChosen(endpoint: string, choice: EndpointChoice): boolean {
  if ('family' in choice) return familyOfEndpoint(endpoint) === choice.family;
  return partOf(endpoint) === choice.digest.split('.').at(-1);
}

export function familyOfEndpoint(endpoint: string): Family | null {
  return parseEndpoint(endpoint)?.address.family ?? null;
}

/** What is known of the address family by which a device can call its hub. */
export interface KnownFamily {
  /** null: nothing is. */
  readonly family: Family | null;
  /** Somebody named it, and it is not what a request came over. */
  readonly isChosen: boolean;
}

export const familyNames = { 4: 'ipv4', 6: 'ipv6' } as const;

/** Of a choice; left out: nothing is known. */
export function chosenFamily(name: EndpointFamily | undefined): KnownFamily {
  if (name === undefined) return { family: null, isChosen: false };
  return { family: name === 'ipv6' ? 6 : 4, isChosen: true };
}

/** Why the device that was given the configuration may not meet its hub; null: nothing speaks against it. */
export function endpointWarning(
  given: { readonly hub_hostname: string; readonly config: string },
  { family, isChosen }: KnownFamily,
): string | null {
  const [, endpoint] = /^Endpoint = (\S+)$/m.exec(given.config) ?? [];
  const has = endpoint === undefined ? null : familyOfEndpoint(endpoint);
  if (has === null || has === family) return null;
  if (isChosen) {
    return `The configuration was issued before, with an IPv${has} endpoint of the hub "${given.hub_hostname}", and is given again as it was. Reissue the device for another address family.`;
  }
  if (family === null) {
    const other = has === 4 ? 6 : 4;
    return `The configuration uses an IPv${has} endpoint of the hub "${given.hub_hostname}", because nothing shows which address families the device has. If it has no IPv${has}, it does not connect: reissue it with endpoint_family ${familyNames[other]}, which needs a hub with an IPv${other} endpoint.`;
  }
  return `The hub "${given.hub_hostname}" is reachable over IPv${has} only, and this request came over IPv${family}: where the device has no IPv${has}, it does not connect. Give a hub of the network an IPv${family} endpoint (endpoint_addresses), then reissue the device.`;
}

export function configText(facts: ConfigFacts): string {
  return [
    '[Interface]',
    `PrivateKey = ${privateKeyPlaceholder}`,
    `Address = ${facts.addresses.map(withLength).join(', ')}`,
    `MTU = ${facts.mtu}`,
    '',
    '[Peer]',
    `PublicKey = ${facts.hubKey}`,
    `Endpoint = ${facts.hubEndpoint}`,
    `AllowedIPs = ${facts.prefixes.join(', ')}`,
    `PersistentKeepalive = ${keepaliveSeconds}`,
    '',
  ].join('\n');
}

/** In the order of the parts of a digest, the endpoint last, and what it means for a device when one differs. */
const parts: readonly { readonly of: (facts: ConfigFacts) => string; readonly changed: string }[] = [
  { of: (facts) => facts.addresses.join(' '), changed: 'its addresses have changed' },
  { of: (facts) => facts.prefixes.join(' '), changed: 'the prefixes of the network have changed' },
  { of: (facts) => String(facts.mtu), changed: 'the MTU of the network has changed' },
  { of: (facts) => facts.hubKey, changed: 'its hub has a new key' },
  { of: (facts) => facts.hubEndpoint, changed: 'its hub has a new endpoint' },
];

/** Short digests of each part: enough to tell a change, and which one it was. */
export function configDigest(facts: ConfigFacts): string {
  return parts.map(({ of }) => partOf(of(facts))).join('.');
}

const partLength = 12;
function partOf(text: string): string {
  return hash('sha256', text).slice(0, partLength);
}

/** Why a device that was given the configuration of the digest needs a new one; null: it does not. */
export function staleReason(
  digest: string,
  now: { readonly hub: PeerModel | undefined; readonly facts: ConfigFacts | null },
): string | null {
  const { hub, facts } = now;
  if (hub === undefined) return 'Its hub has left the network. Reissuing assigns another one.';
  if (facts === null) return 'Its hub no longer has a reachable endpoint. Reissuing assigns another one.';
  if (hub.draining) return 'Its hub is being drained. Reissuing assigns another one.';
  const given = digest.split('.');
  const changed = configDigest(facts)
    .split('.')
    .flatMap((part, index) => (part === given[index] ? [] : [parts[index]?.changed ?? '']));
  if (changed.length === 0) return null;
  const text = changed.join(', and ');
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}. Reissue the device.`;
}
