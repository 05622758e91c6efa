// Test support: a network, a peer, a rule and a LAN with nothing particular about them; a test says what matters to it.
import type { NetworkModel, PeerModel, RuleModel, SubnetModel } from './model.ts';

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

/** Drops everything that arrives. */
export function ruleModel(part: Partial<RuleModel> = {}): RuleModel {
  return {
    type: 'firewall_rule',
    id: 'rule',
    networkId: 'n',
    direction: 'ingress',
    action: 'drop',
    selector: { kind: 'all' },
    destination: { kind: 'all' },
    protocol: 'any',
    ports: null,
    enabled: true,
    ...part,
  };
}

/** A prefix behind a peer, as it is there. */
export function subnetModel(
  part: Partial<SubnetModel> & Pick<SubnetModel, 'id' | 'peerId' | 'prefix'>,
): SubnetModel {
  return {
    type: 'subnet_advertisement',
    networkId: 'n',
    localPrefix: part.prefix,
    preference: 100,
    sourceNat: false,
    ...part,
  };
}
