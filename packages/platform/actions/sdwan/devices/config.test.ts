// A digest tells which part of a configuration has changed, and nothing else does.
import type { NetworkModel, PeerModel } from '@powernode/core/compile/model';
import { describe, expect, test } from 'vitest';
import {
  configDigest,
  configFacts,
  configText,
  type EndpointChoice,
  endpointWarning,
  staleReason,
} from './config.ts';

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

interface Changed {
  readonly network?: object;
  readonly hub?: object;
  readonly addresses?: string[];
  readonly choice?: EndpointChoice;
}

function factsOf(changed: Changed = {}) {
  const facts = configFacts(
    { ...network, ...changed.network },
    { ...hub, ...changed.hub },
    { addresses: changed.addresses ?? addresses, choice: changed.choice ?? { family: null } },
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
    expect(configFacts(network, unreachable, { addresses, choice: { family: null } })).toBeNull();
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

describe('of a hub with endpoints of both families', () => {
  const both = { endpoint: '8.8.4.4:51820', fallbackEndpoints: ['[2a00::1]:51820'] };
  const endpointFor = (choice: EndpointChoice) => factsOf({ hub: both, choice }).hubEndpoint;

  test('a device is given that of its own, and the first one where its family is not known [9.29]', () => {
    expect(endpointFor({ family: 4 })).toBe('8.8.4.4:51820');
    expect(endpointFor({ family: 6 })).toBe('[2a00::1]:51820');
    expect(endpointFor({ family: null })).toBe('8.8.4.4:51820');
  });

  test('it keeps the one that it was given, and is stale once the hub has it no longer [9.29]', () => {
    const digest = configDigest(factsOf({ hub: both, choice: { family: 6 } }));
    expect(endpointFor({ digest })).toBe('[2a00::1]:51820');
    const now = (of: object) => ({ hub, facts: factsOf({ hub: of, choice: { digest } }) });
    expect(staleReason(digest, now(both))).toBeNull();
    const swapped = { endpoint: '[2a00::1]:51820', fallbackEndpoints: ['8.8.8.8:51820'] };
    expect(staleReason(digest, now(swapped))).toBeNull();
    expect(staleReason(digest, now({ endpoint: '8.8.4.4:51820' }))).toContain('new endpoint');
  });
});

test('a device that came by a family that its hub does not have is warned [9.29]', () => {
  const of = { hub_hostname: 'home', config: '[Peer]\nEndpoint = 8.8.4.4:51820\n' };
  const warning = (family: 4 | 6 | null, isChosen = false) => endpointWarning(of, { family, isChosen });
  expect(warning(6)).toMatch(/"home" is reachable over IPv4 only.*IPv6/);
  expect(warning(4)).toBeNull();
  expect(warning(6, true)).toMatch(/issued before, with an IPv4 endpoint .* given again as it was/);
  expect(warning(null)).toMatch(/an IPv4 endpoint of the hub "home".*endpoint_family ipv6/);
  expect(endpointWarning({ ...of, config: '# revoked\n' }, { family: 6, isChosen: false })).toBeNull();
});
