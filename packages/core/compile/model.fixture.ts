// Test support: a network and a peer with nothing particular about them; a test says what matters to it.
import type { NetworkModel, PeerModel } from './model.ts';

export function networkModel(part: Partial<NetworkModel> = {}): NetworkModel {
  return {
    id: 'n',
    accountId: 'a',
    handle: 'n',
    prefix: 'fd00::/64',
    ipv4Prefix: null,
    mtu: 1420,
    topologyStrategy: 'hub_and_spoke',
    firewallDefaultPolicy: 'accept',
    rematchConnections: true,
    ...part,
  };
}

/** A spoke that nobody can call, unless the test says otherwise. */
export function peerModel(part: Partial<PeerModel> & Pick<PeerModel, 'id'>): PeerModel {
  return {
    networkId: 'n',
    instanceId: `i-${part.id}`,
    hostAddress: 'fd00::1',
    ipv4Address: null,
    publicKey: `key of ${part.id}`,
    directKey: null,
    directEndpoint: null,
    hubSlot: null,
    endpoint: null,
    listenPort: 51820,
    tags: [],
    draining: false,
    ...part,
  };
}
