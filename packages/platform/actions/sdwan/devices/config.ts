// What a device is given for wg-quick(8), and by what its platform knows later that it is outdated. Pure.
//
// One hub carries a device: it meets exactly one peer, whose AllowedIPs are the whole network, because the AllowedIPs
// of several peers of one interface cannot overlap.
import { hash } from 'node:crypto';
import { isTransit, prefixesOf } from '@powernode/core/compile/entries';
import type { NetworkModel, PeerModel } from '@powernode/core/compile/model';
import { keepaliveSeconds } from '@powernode/core/limits/overlay';
import { withLength } from '@powernode/core/net/address';
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

/** null: this peer cannot carry a device. */
export function configFacts(
  network: NetworkModel,
  hub: PeerModel | undefined,
  addresses: readonly string[],
): ConfigFacts | null {
  if (hub === undefined || !isTransit(hub) || hub.endpoint === null) return null;
  return {
    addresses,
    prefixes: prefixesOf(network),
    mtu: network.mtu,
    hubKey: hub.publicKey,
    hubEndpoint: hub.endpoint,
  };
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

/** In the order of the parts of a digest, and what it means for a device when one differs. */
const parts: readonly { readonly of: (facts: ConfigFacts) => string; readonly changed: string }[] = [
  { of: (facts) => facts.addresses.join(' '), changed: 'its addresses have changed' },
  { of: (facts) => facts.prefixes.join(' '), changed: 'the prefixes of the network have changed' },
  { of: (facts) => String(facts.mtu), changed: 'the MTU of the network has changed' },
  { of: (facts) => facts.hubKey, changed: 'its hub has a new key' },
  { of: (facts) => facts.hubEndpoint, changed: 'its hub has a new endpoint' },
];

/** Short digests of each part: enough to tell a change, and which one it was. */
export function configDigest(facts: ConfigFacts): string {
  return parts.map(({ of }) => hash('sha256', of(facts)).slice(0, partLength)).join('.');
}
const partLength = 12;

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
