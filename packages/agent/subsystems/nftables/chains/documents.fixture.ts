// Test support: documents with everything that a table of rules can be about.
import { networkId, own } from '@powernode/core/compile/firewall/random-rules.fixture';
import { withLength } from '@powernode/core/net/address';
import {
  type EntryValue,
  type InterfaceEntry,
  type MemberEntry,
  type PortMappingEntry,
  type RuleEntry,
} from '@powernode/core/wire/document';

export function interfaceNamed(
  name: string,
  network: string,
  more: Partial<InterfaceEntry> = {},
): InterfaceEntry {
  return {
    kind: 'interface',
    name,
    network_id: network,
    peer_id: 'p',
    purpose: /-\d+$/.test(name) ? 'transit' : 'leaf',
    public_key: 'k',
    listen_port: 0,
    mtu: 1420,
    addresses: [],
    probe_addresses: [],
    ...more,
  };
}

export function rule(number: number, rest: Partial<RuleEntry>): RuleEntry {
  return {
    kind: 'rule',
    network_id: networkId,
    rule_id: `rule-${number}`,
    direction: 'ingress',
    action: 'accept',
    from: { kind: 'all' },
    to: { kind: 'all' },
    protocol: 'any',
    ports: null,
    ...rest,
  };
}

export function member(group: string, ...addresses: string[]): MemberEntry {
  return { kind: 'member', network_id: networkId, group, addresses };
}

export function mappingEntry(number: number, rest: Partial<PortMappingEntry>): PortMappingEntry {
  return {
    kind: 'port_mapping',
    network_id: networkId,
    port_mapping_id: `mapping-${number}`,
    external_address: '2001:db8::5',
    external_port: 8000 + number,
    protocol: 'tcp',
    target_address: 'fd00:99::102',
    target_port: 80,
    source_cidrs: [],
    rate_limit: null,
    max_connections: null,
    source_address: own[0],
    ...rest,
  };
}

/** A hub of one network with a relay to another hub, and a spoke of a second network. */
export const hubAndSpoke: readonly EntryValue[] = [
  interfaceNamed('wg-test', networkId, {
    addresses: own.map(withLength),
    probe_addresses: ['fd00:99::fe01:0:0:101/128', 'fd00:99::fe02:0:0:101/128'],
  }),
  interfaceNamed('wg-test-2', networkId),
  { kind: 'forwarding', network_id: networkId, handle: 'test' },
  {
    kind: 'firewall',
    network_id: networkId,
    handle: 'test',
    prefixes: ['fd00:99::/64', '100.64.0.0/18'],
    default_policy: 'drop',
    rematch: true,
  },
  interfaceNamed('wg-bb', 'other', { addresses: ['fd00:bb::1/128'] }),
  interfaceNamed('wg-bb-1', 'other'),
  {
    kind: 'firewall',
    network_id: 'other',
    handle: 'bb',
    prefixes: ['fd00:bb::/64'],
    default_policy: 'accept',
    rematch: true,
  },
];

export const services: readonly EntryValue[] = [
  {
    kind: 'virtual_ip',
    network_id: networkId,
    virtual_ip_id: 'vip-1',
    interface: 'wg-test',
    addresses: ['fd00:99::111/128', '100.64.0.17/32'],
    epoch: 3,
    lease: { witnesses: ['fd00:99:0:0:fe01::102'], enough: 1 },
  },
  {
    kind: 'virtual_ip',
    network_id: networkId,
    virtual_ip_id: 'vip-2',
    interface: 'wg-test',
    addresses: ['fd00:99::112/128'],
    epoch: 0,
    lease: null,
  },
  {
    kind: 'device',
    network_id: networkId,
    user_device_id: 'device-1',
    addresses: ['fd00:99::106', '100.64.0.6'],
  },
  mappingEntry(1, {}),
  mappingEntry(2, {
    external_address: '203.0.113.5',
    protocol: 'udp',
    target_address: '100.64.0.2',
    source_address: own[1],
    source_cidrs: ['198.51.100.0/24', '198.51.100.128/25', '2001:db8:7::/48'],
    rate_limit: 20,
    max_connections: 100,
  }),
];

export const rules: readonly EntryValue[] = [
  rule(1, {
    from: { kind: 'host', addresses: ['fd00:99::108', '100.64.0.8'] },
    protocol: 'tcp',
    ports: [22, 22],
  }),
  rule(2, { action: 'reject', from: { kind: 'group', group: 'web' }, protocol: 'tcp', ports: [8080, 8090] }),
  rule(3, {
    from: { kind: 'group', group: 'web' },
    to: { kind: 'group', group: 'site:a' },
    protocol: 'icmp6',
  }),
  rule(4, { action: 'drop', from: { kind: 'cidr', cidr: 'fd00:99::100/120' }, protocol: 'udp' }),
  rule(5, { from: { kind: 'cidr', cidr: '100.64.0.0/18' } }),
  rule(6, {
    direction: 'both',
    action: 'drop',
    to: { kind: 'host', addresses: ['fd00:99::111', '100.64.0.17'] },
  }),
  rule(7, { direction: 'egress', action: 'reject', to: { kind: 'group', group: 'db' } }),
  rule(8, { direction: 'egress', action: 'drop' }),
  member('web', 'fd00:99::108', '100.64.0.8'),
  member('web', 'fd00:99::109', '100.64.0.9'),
  member('db', 'fd00:99::109', '100.64.0.9'),
  member('site:a', ...own),
];
