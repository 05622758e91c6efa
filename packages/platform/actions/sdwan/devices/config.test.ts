// A digest tells which part of a configuration has changed, and nothing else does.
import type { NetworkModel, PeerModel } from '@powernode/core/compile/model';
import { describe, expect, test } from 'vitest';
import { configDigest, configFacts, configText, staleReason } from './config.ts';

const network: NetworkModel = {
  id: 'n',
  accountId: 'a',
  handle: 'office',
  prefix: 'fd00:1:2:3::/64',
  ipv4Prefix: '100.64.0.0/18',
  mtu: 1420,
  topologyStrategy: 'hub_and_spoke',
  firewallDefaultPolicy: 'accept',
  rematchConnections: true,
};
const hub: PeerModel = {
  id: 'h',
  networkId: 'n',
  instanceId: 'i',
  hostAddress: 'fd00:1:2:3::100',
  ipv4Address: '100.64.0.1',
  publicKey: 'HUBKEY',
  directKey: null,
  directEndpoint: null,
  hubSlot: 1,
  endpoint: '[2001:db8::1]:51820',
  listenPort: 51820,
  tags: [],
  draining: false,
};
const addresses = ['fd00:1:2:3::107', '100.64.0.7'];

function factsOf(changed: { network?: object; hub?: object; addresses?: string[] } = {}) {
  const facts = configFacts(
    { ...network, ...changed.network },
    { ...hub, ...changed.hub },
    changed.addresses ?? addresses,
  );
  if (facts === null) throw new Error('the hub cannot carry it');
  return facts;
}

test('the text is what wg-quick reads', () => {
  expect(configText(factsOf())).toBe(`[Interface]
PrivateKey = REPLACE_WITH_PRIVATE_KEY
Address = fd00:1:2:3::107/128, 100.64.0.7/32
MTU = 1420

[Peer]
PublicKey = HUBKEY
Endpoint = [2001:db8::1]:51820
AllowedIPs = fd00:1:2:3::/64, 100.64.0.0/18
PersistentKeepalive = 25
`);
});

describe('a device that was given it', () => {
  const digest = configDigest(factsOf());

  test.each([
    ['the MTU of the network has changed', { network: { mtu: 1300 } }],
    ['the prefixes of the network have changed', { network: { ipv4Prefix: '100.65.0.0/18' } }],
    ['its hub has a new key', { hub: { publicKey: 'OTHER' } }],
    ['its hub has a new endpoint', { hub: { endpoint: '192.0.2.1:51820' } }],
    ['its addresses have changed', { addresses: ['fd00:1:2:3::108'] }],
  ])('is told that %s', (words, changed) => {
    const reason = staleReason(digest, {
      hub: { ...hub, ...('hub' in changed ? changed.hub : {}) },
      facts: factsOf(changed),
    });
    expect(reason).toBe(`${words.charAt(0).toUpperCase()}${words.slice(1)}. Reissue the device.`);
  });

  test('is told of two changes at once', () => {
    const changed = { network: { mtu: 1300 }, hub: { publicKey: 'OTHER' } };
    expect(staleReason(digest, { hub, facts: factsOf(changed) })).toBe(
      'The MTU of the network has changed, and its hub has a new key. Reissue the device.',
    );
  });

  test('is told when its hub is gone, cannot be called, or is being drained', () => {
    expect(staleReason(digest, { hub: undefined, facts: null })).toContain('has left');
    const unreachable = { ...hub, endpoint: null };
    expect(configFacts(network, unreachable, addresses)).toBeNull();
    expect(staleReason(digest, { hub: unreachable, facts: null })).toContain(
      'no longer has a reachable endpoint',
    );
    expect(staleReason(digest, { hub: { ...hub, draining: true }, facts: factsOf() })).toContain('drained');
  });

  test('is not told of what does not concern it', () => {
    const changed = {
      network: { firewallDefaultPolicy: 'drop', rematchConnections: true, handle: 'other' },
      hub: { tags: ['x'], listenPort: 1 },
    };
    expect(staleReason(digest, { hub, facts: factsOf(changed) })).toBeNull();
  });
});
