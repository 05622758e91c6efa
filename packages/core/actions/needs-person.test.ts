// What a model gets done by itself, parameter by parameter.
import { expect, test } from 'vitest';
import { actionKeys, definitionOf } from './catalogue.ts';
import { callNeedsPerson, needsPersonText } from './define.ts';

const mutating = actionKeys.filter((key) => definitionOf(key).category !== null);

/** What is free of asking. A new name in this list has to be argued for in docs/how-to/mcp.md. */
const free: Readonly<Record<string, readonly string[]>> = {
  createNetwork: [
    'name',
    'description',
    'prefix',
    'routing_mode',
    'topology_strategy',
    'pod_subnet_prefix',
    'ipv4_prefix',
    'firewall_default_policy',
    'mtu',
    'direct_paths',
  ],
  updateNetwork: ['network_id', 'name', 'description'],
  attachPeer: [
    'network_id',
    'node_instance_id',
    'publicly_reachable',
    'endpoint_address',
    'endpoint_addresses',
    'listen_port',
  ],
  rotatePeerKey: ['peer_id'],
  updateInstance: ['instance_id', 'hostname'],
  createVirtualIp: [
    'network_id',
    'name',
    'primary_holder_peer_id',
    'failover_holder_peer_ids',
    'anycast',
    'preempt',
    'hold_down_seconds',
  ],
  updateVirtualIp: ['virtual_ip_id', 'name'],
  createFirewallRule: [
    'network_id',
    'name',
    'direction',
    'selector',
    'destination',
    'protocol',
    'port_range',
    'enabled',
  ],
  updateFirewallRule: ['firewall_rule_id', 'name'],
  updateRoutePolicy: ['route_policy_id', 'name'],
  updateUserDevice: ['user_device_id', 'name'],
};

test('every parameter of every action that changes something is decided, and what is free is listed [9.5]', () => {
  const found: Record<string, string[]> = {};
  for (const key of mutating) {
    const { needsPerson, input } = definitionOf(key);
    expect(needsPerson, key).not.toBe('never');
    if (typeof needsPerson === 'string') continue;
    expect(Object.keys(needsPerson).toSorted(), key).toEqual(Object.keys(input).toSorted());
    found[key] = Object.keys(needsPerson).filter((name) => needsPerson[name] === 'free');
  }
  expect(found).toEqual(free);
});

test('a value is grave, or a parameter is whatever its value [9.5]', () => {
  expect(callNeedsPerson(definitionOf('createNetwork'), { name: 'a' })).toBe(false);
  for (const firewall_default_policy of ['accept', 'drop']) {
    expect(callNeedsPerson(definitionOf('updateNetwork'), { firewall_default_policy })).toBe(true);
  }
  const rule = definitionOf('createFirewallRule');
  expect(callNeedsPerson(rule, { action: 'drop', selector: { kind: 'all' } })).toBe(false);
  expect(callNeedsPerson(rule, { action: 'accept', selector: { kind: 'peer' } })).toBe(true);
});

test('an action says in a sentence when it waits [9.5]', () => {
  const text = (key: (typeof mutating)[number]) => needsPersonText(definitionOf(key));
  expect(text('createNetwork')).toBe('Over MCP it needs a person’s approval with rematch_connections false.');
  expect(text('createFirewallRule')).toBe('Over MCP it needs a person’s approval with action accept.');
  expect(text('rotatePeerKey')).toBe('');
});
