// What the fake platform answers about services: single objects, the audit of rules, who reaches whom and why. It
// evaluates by a few plain rules of its own, which are not the product's.
import type { ActionKey } from '@powernode/core/actions/catalogue';
import { ProductError } from '@powernode/core/errors';
import type { FirewallFinding } from '@powernode/core/intent/firewall';
import { matrixNodesMax } from '@powernode/core/limits/overlay';
import { find, type Input, type Shown } from './prepared.ts';
import { routingReaders } from './routing.ts';
import type { FirewallRule, Network, Peer, UserDevice, VirtualIp, World } from './world.ts';

type Reader = (world: World, input: Input) => Shown;

const readers: Readonly<Record<string, Reader>> = {
  ...routingReaders,
  getVirtualIp: (world, input) => ({
    virtual_ip: find(world.virtualIps, input['virtual_ip_id'], 'virtual IP'),
  }),
  getPortMapping: (world, input) => ({
    port_mapping: find(world.portMappings, input['port_mapping_id'], 'port mapping'),
  }),
  getUserDevice(world, input) {
    const device = find(world.userDevices, input['user_device_id'], 'device');
    return { user_device: { ...device, config: configOf(world, device) } };
  },
  getFirewallRule(world, input) {
    const rule = find(world.firewallRules, input['firewall_rule_id'], 'rule');
    return { firewall_rule: { ...rule, compiled: compiledOf(world, rule) } };
  },
  auditFirewall(world, input) {
    const network = find(world.networks, input['network_id'], 'network');
    const rules = world.firewallRules.filter((rule) => rule.network_id === network.id);
    const findings = findingsOf(world, network.id);
    return { findings, count: findings.length, truncated: false, rules_count: rules.length };
  },
  getReachabilityMatrix: (world, input) => ({ matrix: matrixOf(world, input) }),
  explainReachability: explain,
};

/** null: it is no question about services. */
export function readService(key: ActionKey, world: World, input: Input): Shown | null {
  return readers[key]?.(world, input) ?? null;
}

export function configOf(world: World, device: UserDevice): string {
  const hub = world.peers.find((peer) => peer.id === device.hub_peer_id);
  return `[Interface]
PrivateKey = <the private key, which only the device has>
Address = ${device.host_address}/128

[Peer]
PublicKey = ${hub?.public_key ?? ''}
Endpoint = ${hub?.endpoint ?? ''}
AllowedIPs = ${world.networks.find(({ id }) => id === device.network_id)?.prefix ?? ''}
PersistentKeepalive = 25
`;
}

/** Everything that a rule's destination selects evaluates it on the way in; its source on the way out. */
export function evaluatorsOf(world: World, rule: FirewallRule): Peer[] {
  if (!rule.enabled || !rule.selector.resolves || !rule.destination.resolves) return [];
  const peers = world.peers.filter((peer) => peer.network_id === rule.network_id);
  const within = (selector: FirewallRule['selector']) =>
    peers.filter((peer) => selects(world, selector, peer));
  const [to, from] = [within(rule.destination), within(rule.selector)];
  return rule.direction === 'ingress'
    ? to
    : rule.direction === 'egress'
      ? from
      : [...new Set([...to, ...from])];
}

function compiledOf(world: World, rule: FirewallRule): Shown {
  const evaluators = evaluatorsOf(world, rule);
  const from = rule.selector.kind === 'all' ? '' : `ip6 saddr @s_${rule.selector.kind}_1 `;
  const ports = rule.port_range === null ? '' : `${rule.protocol} dport ${rule.port_range} `;
  return {
    text:
      evaluators.length === 0 ? '' : `${from}${ports}counter name "r_${rule.id.slice(-6)}" ${rule.action}`,
    evaluated_on: evaluators.slice(0, 100).map(({ id, hostname }) => ({ peer_id: id, hostname })),
    evaluated_on_count: evaluators.length,
  };
}

function selects(
  world: World,
  selector: FirewallRule['selector'],
  it: Peer | UserDevice | VirtualIp,
): boolean {
  switch (selector.kind) {
    case 'all':
      return true;
    case 'tag':
      return 'tags' in it && it.tags.includes(selector.tag ?? '');
    case 'virtual_ip': {
      const ip = world.virtualIps.find(({ id }) => id === selector.virtual_ip_id);
      return it.id === selector.virtual_ip_id || ip?.current_holder_peer_id === it.id;
    }
    case 'peer':
      return it.id === selector.peer_id;
    case 'user_device':
      return it.id === selector.user_device_id;
    default:
      return false;
  }
}

function findingsOf(world: World, networkId: string): FirewallFinding[] {
  const rules = world.firewallRules.filter((rule) => rule.network_id === networkId && rule.enabled);
  const named = (rule: FirewallRule) => ({
    type: 'firewall_rule' as const,
    id: rule.id,
    name: rule.name ?? rule.action,
  });
  const about = rules.flatMap((rule, i): FirewallFinding[] => {
    const object = named(rule);
    if (!rule.selector.resolves || !rule.destination.resolves) {
      const detail = `It names a ${rule.selector.label}, so it matches nothing.`;
      return [{ kind: 'dead', severity: 'warning', object, by: null, detail }];
    }
    const older = rules.slice(0, i).find((one) => covers(one, rule));
    if (older === undefined) return [];
    const by = named(older);
    const same = older.protocol === rule.protocol && older.port_range === rule.port_range;
    if (same && older.action === rule.action)
      return [{ kind: 'duplicate', severity: 'info', object, by, detail: `It repeats ${by.name}.` }];
    return [
      {
        kind: 'shadowed',
        severity: 'warning',
        object,
        by,
        detail: `Every packet of it is evaluated by ${by.name} before.`,
      },
    ];
  });
  const mappings = world.portMappings
    .filter((mapping) => mapping.network_id === networkId && mapping.status === 'target_missing')
    .map(
      (mapping): FirewallFinding => ({
        kind: 'target_missing',
        severity: 'error',
        object: {
          type: 'port_mapping',
          id: mapping.id,
          name: `${mapping.external_address}:${mapping.external_port}`,
        },
        by: null,
        detail: mapping.status_detail ?? '',
      }),
    );
  return [...about, ...mappings];
}

function covers(older: FirewallRule, rule: FirewallRule): boolean {
  const alike =
    older.selector.label === rule.selector.label && older.destination.label === rule.destination.label;
  const wide = older.protocol === 'any' || (older.protocol === rule.protocol && older.port_range === null);
  return alike && (wide || (older.protocol === rule.protocol && older.port_range === rule.port_range));
}

type End = Peer | UserDevice | VirtualIp;

interface Packet {
  readonly network: Network;
  readonly protocol: string;
  readonly port: number | null;
}

/** The oldest rule that fits decides; the default policy when none does. */
function evaluate(world: World, packet: Packet, from: End, to: End) {
  if ('host_address' in to && 'status' in to && to.status === 'handshake_pending')
    return { verdict: 'no_route', rule: null };
  const rule = world.firewallRules.find(
    (one) =>
      one.enabled &&
      one.network_id === packet.network.id &&
      selects(world, one.selector, from) &&
      selects(world, one.destination, to) &&
      (one.protocol === 'any' || one.protocol === packet.protocol) &&
      (one.port_range === null || one.port_range === String(packet.port)),
  );
  const action = rule?.action ?? packet.network.firewall_default_policy;
  return { verdict: action === 'accept' ? 'allowed' : 'denied', rule: rule ?? null };
}

function packetOf(world: World, input: Input): Packet {
  const network = find(world.networks, input['network_id'], 'network');
  return {
    network,
    protocol: String(input['protocol']),
    port: (input['port'] as number | undefined) ?? null,
  };
}

function matrixOf(world: World, input: Input): Shown {
  const packet = packetOf(world, input);
  const inside = <T extends { readonly network_id: string }>(rows: readonly T[]) =>
    rows.filter((row) => row.network_id === packet.network.id);
  const peers = inside(world.peers);
  const devices = inside(world.userDevices).filter((device) => device.status !== 'revoked');
  const ips = inside(world.virtualIps);
  const ends = [...peers, ...devices, ...ips].slice(0, matrixNodesMax);
  return {
    network_id: packet.network.id,
    protocol: packet.protocol,
    port: packet.port,
    nodes: [
      ...peers.map(({ id, hostname }) => ({ kind: 'peer', id, name: hostname })),
      ...devices.map(({ id, name }) => ({ kind: 'user_device', id, name })),
      ...ips.map(({ id, name }) => ({ kind: 'virtual_ip', id, name })),
    ].slice(0, matrixNodesMax),
    rows: ends
      .filter((from) => !('transitions' in from))
      .map((from) => ({
        id: from.id,
        verdicts: ends
          .map((to) => (from === to ? '-' : (evaluate(world, packet, from, to).verdict[0] ?? '')))
          .join(''),
      })),
    truncated: peers.length + devices.length + ips.length > matrixNodesMax,
  };
}

function explain(world: World, input: Input): Shown {
  const packet = packetOf(world, input);
  const from = endOf(world, input['source'], 'source');
  const to = endOf(world, input['destination'], 'destination');
  const { verdict, rule } = evaluate(world, packet, from, to);
  const node = (peer: Peer | undefined) =>
    peer === undefined ? null : { peer_id: peer.id, hostname: peer.hostname };
  const at = world.peers.find(
    ({ id }) => id === to.id || ('current_holder_peer_id' in to && id === to.current_holder_peer_id),
  );
  const network = { type: 'network', id: packet.network.id, name: packet.network.name };
  const address = (end: End) => ('address' in end ? end.address : end.host_address);
  return {
    verdict,
    because: [
      { step: 'source', node: null, object: objectOf(from), detail: `It sends from ${address(from)}.` },
      { step: 'destination', node: null, object: objectOf(to), detail: `It is ${address(to)}.` },
      {
        step: 'route',
        node: null,
        object: { type: 'route', id: packet.network.prefix, name: packet.network.prefix },
        detail: `The way leads through ${packet.network.handle}.`,
      },
      {
        step: 'ingress',
        node: node(at),
        object:
          rule === null ? network : { type: 'firewall_rule', id: rule.id, name: rule.name ?? rule.action },
        detail:
          rule === null
            ? `No rule names it: the default policy is ${packet.network.firewall_default_policy}.`
            : `It says ${rule.action}.`,
      },
      {
        step: 'verdict',
        node: null,
        object: null,
        detail: verdict === 'allowed' ? 'It arrives.' : 'It does not arrive.',
      },
    ],
  };
}

function objectOf(end: End): Shown {
  if ('hostname' in end) return { type: 'peer', id: end.id, name: end.hostname };
  return { type: 'transitions' in end ? 'virtual_ip' : 'user_device', id: end.id, name: end.name };
}

function endOf(world: World, side: unknown, path: string): End {
  const [[member, value] = ['', '']] = Object.entries(side as Record<string, string>);
  const all: readonly End[] = [...world.peers, ...world.userDevices, ...world.virtualIps];
  const found = all.find((end) =>
    member === 'address' ? ('address' in end ? end.address : end.host_address) === value : end.id === value,
  );
  if (found !== undefined) return found;
  const message = `${value} is not in the network`;
  throw new ProductError('validation_failed', `${path}: ${message}.`, {
    fields: [{ path: `${path}.${member}`, code: 'not_found', message }],
  });
}
