// What changes do in the fake platform to what a network serves: virtual IPs, rules, port mappings, grants, devices.
import { ProductError } from '@powernode/core/errors';
import type { LanSubnet } from '@powernode/core/intent/subnet';
import { keyOf } from './ids.ts';
import {
  find,
  type Input,
  newId,
  type Prepare,
  type Prepared,
  refuseStale,
  remove,
  type Shown,
} from './prepared.ts';
import { configOf, evaluatorsOf } from './services.ts';
import {
  ago,
  type FirewallRule,
  ipv4Of,
  type Peer,
  type PortMapping,
  replace,
  stored,
  type UserDevice,
  type VirtualIp,
  type World,
} from './world.ts';

type Lists = 'virtualIps' | 'firewallRules' | 'portMappings' | 'accessGrants' | 'userDevices';

interface Noun<K extends Lists> {
  readonly name: string;
  readonly list: K;
}

const virtualIp: Noun<'virtualIps'> = { name: 'virtual_ip', list: 'virtualIps' };
const rule: Noun<'firewallRules'> = { name: 'firewall_rule', list: 'firewallRules' };
const mapping: Noun<'portMappings'> = { name: 'port_mapping', list: 'portMappings' };
const grant: Noun<'accessGrants'> = { name: 'access_grant', list: 'accessGrants' };
const device: Noun<'userDevices'> = { name: 'user_device', list: 'userDevices' };

export const serviceChanges: Readonly<Record<string, Prepare>> = {
  createVirtualIp(world, input) {
    const network = find(world.networks, input['network_id'], 'network');
    const n = Number.parseInt(newId().slice(-4), 16);
    const address =
      (input['address'] as string | undefined) ?? `${network.prefix.replace('/64', '')}f${n.toString(16)}`;
    refuseTaken(
      world.virtualIps.some((ip) => ip.address === address),
      'address',
      `${address} is taken`,
    );
    const after = virtualIpOf(world, { ...input, address, ipv4_address: ipv4Of(network, n) });
    return make(world, virtualIp, after, [...candidatesOf(world, after)]);
  },
  updateVirtualIp(world, input) {
    const before = find(world.virtualIps, input['virtual_ip_id'], 'virtual IP');
    const after = changed(before, input);
    return change(world, virtualIp, { before, after, verb: 'updated' }, candidatesOf(world, after));
  },
  deleteVirtualIp(world, input) {
    const before = find(world.virtualIps, input['virtual_ip_id'], 'virtual IP');
    return change(world, virtualIp, { before, after: null, verb: 'deleted' }, candidatesOf(world, before));
  },
  failoverVirtualIp: failover,
  createFirewallRule(world, input) {
    find(world.networks, input['network_id'], 'network');
    const after = ruleOf(world, { ...stored(newId(), 0), ...uncounted, name: null, port_range: null }, input);
    return make(world, rule, after, evaluatorsOf(world, after));
  },
  updateFirewallRule(world, input) {
    const before = find(world.firewallRules, input['firewall_rule_id'], 'rule');
    const after = ruleOf(world, changed(before, revisionOnly(input)), input);
    const reached = new Set([...evaluatorsOf(world, before), ...evaluatorsOf(world, after)]);
    return change(world, rule, { before, after, verb: 'updated' }, [...reached]);
  },
  deleteFirewallRule(world, input) {
    const before = find(world.firewallRules, input['firewall_rule_id'], 'rule');
    return change(world, rule, { before, after: null, verb: 'deleted' }, evaluatorsOf(world, before));
  },
  createPortMapping(world, input) {
    find(world.networks, input['network_id'], 'network');
    const after = mappingOf(world, { ...stored(newId(), 0), ...unlimited }, input);
    const { external_address: address, external_port: port, protocol } = after;
    refuseTaken(
      world.portMappings.some(
        (one) => one.external_address === address && one.external_port === port && one.protocol === protocol,
      ),
      'external_port',
      `${protocol} ${port} of ${address} is a port mapping already`,
    );
    return make(world, mapping, after, [hubOf(world, after)]);
  },
  declareLanSubnets(world, input) {
    const peer = find(world.peers, input['peer_id'], 'peer');
    refuseStale(peer, input['if_revision']);
    const given = input['subnets'] as readonly LanSubnet[];
    const at = given.findIndex(({ prefix }) => prefix === '0.0.0.0/0');
    refuseTaken(at >= 0, `subnets.${at}.prefix`, '0.0.0.0/0 is a default route');
    const after = given.map((one) => ({
      ...stored(newId(), 0),
      network_id: peer.network_id,
      peer_id: peer.id,
      hostname: peer.hostname,
      source: 'declared_lan_subnet' as const,
      ...one,
      local_prefix: one.local_prefix ?? one.prefix,
      description: one.description ?? '',
      withdrawn_at: null,
    }));
    return {
      body: { subnet_advertisements: after },
      reaches: world.peers.filter((one) => one.network_id === peer.network_id),
      commit() {
        const others = world.subnets.filter((one) => one.peer_id !== peer.id);
        world.subnets.splice(0, world.subnets.length, ...others, ...after);
        replace(world.peers, { ...peer, revision: peer.revision + 1 });
        return { kind: 'sdwan.peer.lan_subnets_updated', payload: { peer_id: peer.id, after } };
      },
    };
  },
  updatePortMapping(world, input) {
    const before = find(world.portMappings, input['port_mapping_id'], 'port mapping');
    const after = mappingOf(world, changed(before, revisionOnly(input)), input);
    return change(world, mapping, { before, after, verb: 'updated' }, [hubOf(world, after)]);
  },
  deletePortMapping(world, input) {
    const before = find(world.portMappings, input['port_mapping_id'], 'port mapping');
    return change(world, mapping, { before, after: null, verb: 'deleted' }, [hubOf(world, before)]);
  },
  createAccessGrant(world, input) {
    const { expires_in_seconds: seconds, ...part } = input;
    const id = newId();
    const after = {
      ...stored(id, 0),
      network_id: String(part['network_id']),
      device_name_hint: String(part['device_name_hint']),
      tags: (part['tags'] as string[] | undefined) ?? [],
      status: 'unused' as const,
      expires_at: ago(-Number(seconds)),
      used_at: null,
      user_device_id: (part['user_device_id'] as string | undefined) ?? null,
    };
    const bootstrap_url = `https://platform.example/join#${id}.${keyOf(Number.parseInt(id.slice(-4), 16)).slice(0, 32)}`;
    const prepared = make(world, grant, after, []);
    return { ...prepared, body: { access_grant: { ...after, bootstrap_url, bootstrap_warning: null } } };
  },
  revokeAccessGrant(world, input) {
    const before = find(world.accessGrants, input['access_grant_id'], 'access grant');
    const after = { ...changed(before, {}), status: 'revoked' as const };
    return change(world, grant, { before, after, verb: 'revoked' }, []);
  },
  issueUserDevice(world, input) {
    const used = find(world.accessGrants, input['access_grant_id'], 'access grant');
    const before = find(world.userDevices, input['user_device_id'], 'device');
    const after: UserDevice = { ...changed(before, {}), status: 'active', stale_reason: null };
    const prepared = change(world, device, { before, after, verb: 'issued' }, []);
    return {
      ...prepared,
      body: { user_device: { ...after, config: configOf(world, after) }, endpoint_warning: null },
      commit() {
        replace(world.accessGrants, { ...used, status: 'used', used_at: ago(0), user_device_id: after.id });
        return prepared.commit();
      },
    };
  },
  updateUserDevice(world, input) {
    const before = find(world.userDevices, input['user_device_id'], 'device');
    return change(world, device, { before, after: changed(before, input), verb: 'updated' }, []);
  },
  revokeUserDevice(world, input) {
    const before = find(world.userDevices, input['user_device_id'], 'device');
    const hubs = world.peers.filter((peer) => peer.network_id === before.network_id && peer.role === 'hub');
    const after: UserDevice = {
      ...changed(before, {}),
      status: 'revoked',
      revoked_at: ago(0),
      revoked_on: { done: 0, of: hubs.length },
    };
    return change(world, device, { before, after, verb: 'revoked' }, hubs);
  },
};

const uncounted = { packets: null, bytes: null, counted_at: null };
const unlimited = { source_cidrs: [], rate_limit: null, max_connections: null };

function make<K extends Lists>(
  world: World,
  noun: Noun<K>,
  row: World[K][number],
  reaches: readonly Peer[],
): Prepared {
  return {
    body: { [noun.name]: row },
    reaches,
    commit() {
      (world[noun.list] as unknown[]).push(row);
      return { kind: `sdwan.${noun.name}.created`, payload: { before: null, after: row } };
    },
  };
}

interface Turn<R> {
  readonly before: R;
  readonly after: R | null;
  readonly verb: string;
}

function change<K extends Lists>(
  world: World,
  noun: Noun<K>,
  { before, after, verb }: Turn<World[K][number]>,
  reaches: readonly Peer[],
): Prepared {
  const rows = world[noun.list] as { id: string }[];
  return {
    body: { [noun.name]: after ?? before },
    reaches,
    commit() {
      if (after === null) remove(rows, (row) => row.id === before.id);
      else replace(rows, after);
      return { kind: `sdwan.${noun.name}.${verb}`, payload: { before, after } };
    },
  };
}

const revisionOnly = ({ if_revision }: Input): Input => ({ if_revision });

/** The row with the given fields; refused when somebody else changed it meanwhile. */
function changed<R extends { readonly id: string; readonly revision: number }>(row: R, input: Input): R {
  refuseStale(row, input['if_revision']);
  const part = Object.entries(input).filter(([name, value]) => name in row && value !== undefined);
  return { ...row, ...Object.fromEntries(part), revision: row.revision + 1, updated_at: ago(0) };
}

function refuseTaken(taken: boolean, path: string, message: string): void {
  if (!taken) return;
  throw new ProductError('conflict', `${message}.`, { fields: [{ path, code: 'already_exists', message }] });
}

function candidatesOf(world: World, ip: VirtualIp): Peer[] {
  return [ip.primary_holder_peer_id, ...ip.failover_holder_peer_ids].flatMap((id) =>
    world.peers.filter((peer) => peer.id === id),
  );
}

function virtualIpOf(world: World, input: Input): VirtualIp {
  const { id: holder, hostname } = find(world.peers, input['primary_holder_peer_id'], 'peer');
  const anycast = input['anycast'] === true;
  const at = ago(0);
  return {
    ...stored(newId(), 0),
    network_id: String(input['network_id']),
    name: String(input['name']),
    address: String(input['address']),
    ipv4_address: input['ipv4_address'] as string | null,
    anycast,
    state: 'active',
    state_detail: null,
    primary_holder_peer_id: holder,
    failover_holder_peer_ids: (input['failover_holder_peer_ids'] as string[] | undefined) ?? [],
    current_holder_peer_id: anycast ? null : holder,
    preempt: input['preempt'] === true,
    hold_down_seconds: (input['hold_down_seconds'] as number | undefined) ?? 10,
    epoch: 1,
    last_transition_at: at,
    health_check: (input['health_check'] as VirtualIp['health_check'] | undefined) ?? null,
    holders: [{ peer_id: holder, hostname, health: 'unknown', since: null, last_error: null }],
    transitions: [
      {
        at,
        from_peer_id: null,
        to_peer_id: holder,
        reason: 'created',
        detail: 'Made by admin.',
        actor: 'admin',
        epoch: 1,
        took_ms: 140,
      },
    ],
  };
}

function failover(world: World, input: Input): Prepared {
  const before = find(world.virtualIps, input['virtual_ip_id'], 'virtual IP');
  const holder = before.current_holder_peer_id;
  const candidates = candidatesOf(world, before).map((peer, i) => ({
    peer_id: peer.id,
    hostname: peer.hostname,
    score: peer.status === 'connected' ? 100 - 10 * i : 0,
    reasons:
      peer.status === 'connected'
        ? [`${i + 1}. in the order`, 'reached by 3 of 3 probes']
        : [`it is ${peer.status}`, 'reached by 0 of 3 probes'],
  }));
  const wanted = input['target_peer_id'];
  const possible = candidates.filter(
    ({ peer_id, score }) => peer_id !== holder && (score > 0 || peer_id === wanted),
  );
  const target = wanted === undefined ? possible[0] : possible.find(({ peer_id }) => peer_id === wanted);
  const next = target?.peer_id ?? holder;
  const detail =
    target === undefined
      ? 'There is no other candidate that could hold it, so it stays where it is.'
      : `It moves to ${target.hostname}.`;
  const after: VirtualIp = {
    ...before,
    state: 'active',
    state_detail: null,
    current_holder_peer_id: next,
    epoch: before.epoch + 1,
    last_transition_at: ago(0),
    transitions: [
      {
        at: ago(0),
        from_peer_id: holder,
        to_peer_id: next,
        reason: 'by_hand',
        detail,
        actor: 'admin',
        epoch: before.epoch + 1,
        took_ms: 87,
      },
      ...before.transitions,
    ],
  };
  return {
    body: {
      resolved: target !== undefined,
      previous_holder: holder,
      new_holder: next,
      dry_run: false,
      candidates,
      explanation: detail,
    },
    previewed: { resolved: false },
    reaches:
      target === undefined
        ? []
        : candidatesOf(world, before).filter(({ id }) => id === holder || id === next),
    commit() {
      if (target === undefined) return null;
      replace(world.virtualIps, after);
      return { kind: 'sdwan.virtual_ip.failed_over', payload: { before, after } };
    },
  };
}

function ruleOf(world: World, row: Shown, input: Input): FirewallRule {
  const { firewall_rule_id: _, if_revision: __, selector, destination, ...part } = input;
  const given = Object.fromEntries(Object.entries(part).filter(([, value]) => value !== undefined));
  const from = selector === undefined ? row['selector'] : shownSelector(world, selector as Shown);
  const to =
    destination === undefined
      ? row['destination']
      : shownSelector(world, (destination ?? { kind: 'all' }) as Shown);
  return {
    ...row,
    ...given,
    selector: from,
    destination: to ?? shownSelector(world, { kind: 'all' }),
  } as FirewallRule;
}

function shownSelector(world: World, selector: Shown): Shown {
  const { kind, tag, cidr } = selector;
  if (kind === 'all') return { ...selector, label: 'all', resolves: true };
  if (kind === 'cidr') return { ...selector, label: cidr, resolves: true };
  if (kind === 'tag') {
    const used = [...world.peers, ...world.userDevices].some((row) => row.tags.includes(String(tag)));
    return { ...selector, label: tag, resolves: used };
  }
  const id = selector[`${String(kind)}_id`];
  const named = [...world.peers, ...world.virtualIps, ...world.userDevices].find((row) => row.id === id);
  const name = named === undefined ? undefined : 'hostname' in named ? named.hostname : named.name;
  const gone = `${String(kind).replace('_', ' ')} that was deleted`;
  return { ...selector, label: name ?? gone, resolves: name !== undefined };
}

function mappingOf(world: World, row: Shown, input: Input): PortMapping {
  const { port_mapping_id: _, if_revision: __, ...part } = input;
  const given = Object.fromEntries(Object.entries(part).filter(([, value]) => value !== undefined));
  const [peerId, ipId] = [given['internal_peer_id'], given['internal_virtual_ip_id']];
  if (row['internal_port'] === undefined && peerId === undefined && ipId === undefined) {
    const message = 'give exactly one of internal_peer_id and internal_virtual_ip_id';
    throw new ProductError('validation_failed', message, {
      fields: [{ path: 'internal_peer_id', code: 'custom', message }],
    });
  }
  const peer = world.peers.find(({ id }) => id === peerId);
  const ip = world.virtualIps.find(({ id }) => id === ipId);
  const target =
    peerId === undefined && ipId === undefined
      ? {}
      : {
          internal_peer_id: peer?.id ?? null,
          internal_virtual_ip_id: ip?.id ?? null,
          internal_address: peer?.host_address ?? ip?.address ?? null,
        };
  const address = given['external_address'] ?? row['external_address'];
  const hub = world.peers.find(
    (one) => one.role === 'hub' && one.endpoint?.startsWith(`${String(address)}:`) === true,
  );
  if (hub === undefined) {
    const message = 'no public hub of the network has this address';
    throw new ProductError('validation_failed', `external_address: ${message}.`, {
      fields: [{ path: 'external_address', code: 'custom', message }],
    });
  }
  return {
    ...row,
    ...given,
    ...target,
    hub_peer_id: hub.id,
    hub_hostname: hub.hostname,
    status: 'active',
    status_detail: null,
    keeps_client_address: true,
  } as PortMapping;
}

function hubOf(world: World, { hub_peer_id }: PortMapping): Peer {
  return find(world.peers, hub_peer_id, 'peer');
}
