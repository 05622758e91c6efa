// What the fake platform knows: an account with machines, networks and a past, in two sizes.

import { permissionNames } from '@powernode/core/intent/account';
import type { AccountBgp, BgpSession } from '@powernode/core/intent/bgp';
import type { RoutePolicy } from '@powernode/core/intent/route-policy';
import type { SubnetAdvertisement } from '@powernode/core/intent/subnet';
import type { Output } from '../../src/api/client.ts';
import { chance, idOf, keyOf } from './ids.ts';

export type Network = Output<'getNetwork'>['network'];
export type Instance = Output<'getInstance'>['instance'];
export type Peer = Output<'getPeer'>['peer'];
export type Approval = Output<'getApproval'>['approval'];
export type Offer = Output<'listTemplates'>['templates'][number];
export type JoinToken = Output<'listJoinTokens'>['join_tokens'][number];
export type ApiToken = Output<'listApiTokens'>['api_tokens'][number];
export type Operator = Output<'listOperators'>['operators'][number];
export type Account = Output<'listAccounts'>['accounts'][number];
export type VirtualIp = Output<'getVirtualIp'>['virtual_ip'];
export type FirewallRule = Output<'listFirewallRules'>['firewall_rules'][number];
export type PortMapping = Output<'getPortMapping'>['port_mapping'];
export type AccessGrant = Output<'listAccessGrants'>['access_grants'][number];
export type UserDevice = Output<'listUserDevices'>['user_devices'][number];
export type Operation = Output<'getOperation'>['operation'];
export type Whoami = Output<'whoami'>;

export interface World {
  readonly whoami: Whoami;
  readonly accounts: Account[];
  readonly operators: Operator[];
  readonly apiTokens: ApiToken[];
  readonly joinTokens: JoinToken[];
  readonly instances: Instance[];
  readonly templates: Offer[];
  readonly regions: Offer[];
  readonly types: Offer[];
  readonly networks: Network[];
  readonly peers: Peer[];
  readonly approvals: Approval[];
  readonly operations: Operation[];
  readonly virtualIps: VirtualIp[];
  readonly firewallRules: FirewallRule[];
  readonly portMappings: PortMapping[];
  readonly subnets: SubnetAdvertisement[];
  readonly bgpSessions: BgpSession[];
  readonly routePolicies: RoutePolicy[];
  /** The one of the account. */
  readonly accountBgp: AccountBgp[];
  readonly accessGrants: AccessGrant[];
  readonly userDevices: UserDevice[];
}

export const accountId = idOf(1);
const start = Date.now();
export const ago = (seconds: number) => new Date(start - seconds * 1000).toISOString();

export function stored(id: string, ageSeconds = 86_400) {
  return {
    id,
    account_id: accountId,
    created_at: ago(ageSeconds),
    updated_at: ago(ageSeconds / 3),
    revision: 1,
  };
}

export function emptyWorld(): World {
  const account = { ...stored(accountId, 40 * 86_400), name: 'Acme', pool_prefix: 'fd4a:91c0:77e2::/48' };
  const admin: Operator = {
    ...stored(idOf(2), 40 * 86_400),
    name: 'admin',
    role: 'owner',
    platform_admin: true,
    disabled: false,
    disabled_at: null,
  };
  return {
    whoami: { operator: admin, account, permissions: [...permissionNames] },
    accounts: [account],
    operators: [admin],
    apiTokens: [],
    joinTokens: [],
    instances: [],
    templates: [makeOffer(20, 'agent')],
    regions: [makeOffer(30, 'north'), makeOffer(31, 'south')],
    types: [makeOffer(40, 'as-it-is')],
    networks: [],
    peers: [],
    approvals: [],
    operations: [],
    virtualIps: [],
    firewallRules: [],
    portMappings: [],
    subnets: [],
    bgpSessions: [],
    routePolicies: [],
    accountBgp: [
      {
        ...stored(accountId),
        as_number: 64_512,
        router_id_strategy: 'host_address',
        default_local_pref: 100,
      },
    ],
    accessGrants: [],
    userDevices: [],
  };
}

function makeOffer(n: number, name: string): Offer {
  return { ...stored(idOf(n), 40 * 86_400), name, description: `Offered as ${name}`, provider: 'own' };
}

export function makeInstance(n: number, part: Partial<Instance> & { readonly hostname: string }): Instance {
  const connected = part.connected ?? true;
  return {
    ...stored(idOf(10_000 + n), 86_400 + n * 60),
    status: 'running',
    provider: 'joined',
    connected,
    offline_since: connected ? null : ago(900),
    last_heard_at: ago(connected ? chance(n) * 0.6 : 900),
    last_heard_by: { kind: 'platform', peer_id: null, name: 'the platform' },
    platform_version: '0.1.0',
    agent_version: '0.1.0',
    last_heartbeat_at: ago(connected ? chance(n) * 9 : 900),
    applied_revision: 214,
    desired_revision: 214,
    in_sync: true,
    observed_address: `198.51.${100 + (n >> 8)}.${n & 255}`,
    publicly_reachable: false,
    unused_keys: 8,
    certificate_expires_at: ago(-70 * 86_400),
    tags: [],
    subsystems: subsystemsOf(connected),
    problems: [],
    ...part,
  };
}

function subsystemsOf(connected: boolean): Instance['subsystems'] {
  const observed_at = ago(connected ? 6 : 900);
  return [
    { name: 'wireguard', state: 'ok', message: '3 interfaces, 14 peers', observed_at },
    { name: 'routing', state: 'ok', message: '4 routes', observed_at },
    connected
      ? { name: 'addresses', state: 'ok', message: '1 address', observed_at }
      : {
          name: 'addresses',
          state: 'degraded',
          message: 'fd4a:91c0:77e2:1::105 was taken away by hand',
          observed_at,
        },
  ];
}

export function makeNetwork(n: number, part: Partial<Network> & { readonly name: string }): Network {
  return {
    ...stored(idOf(500 + n), (20 - n) * 86_400),
    description: '',
    handle: `${part.name.slice(0, 5)}${n}`,
    prefix: `fd4a:91c0:77e2:${n.toString(16)}::/64`,
    ipv4_prefix: `100.64.${n * 4}.0/22`,
    pod_subnet_prefix: null,
    flannel: null,
    routing_mode: 'static',
    topology_strategy: 'hub_and_spoke',
    firewall_default_policy: 'accept',
    direct_paths: true,
    rematch_connections: true,
    mtu: 1420,
    status: 'active',
    peer_count: 0,
    hub_count: 0,
    ...part,
  };
}

export function makePeer(
  n: number,
  of: { readonly network: Network; readonly instance: Instance },
  part: Partial<Peer> = {},
): Peer {
  const hub = part.role === 'hub';
  const status = part.status ?? 'connected';
  const heard =
    status === 'connected' ? ago(chance(n) * 118) : status === 'silent' ? ago(700 + chance(n) * 9e4) : null;
  const prefix = of.network.prefix.replace('::/64', '');
  const endpoint = hub ? `${of.instance.observed_address}:51820` : null;
  return {
    ...stored(idOf(1_000_000 + n), 80_000 + n),
    network_id: of.network.id,
    node_instance_id: of.instance.id,
    hostname: of.instance.hostname,
    public_key: keyOf(n),
    host_address: `${prefix}::${(0x100 + n).toString(16)}`,
    ipv4_address: ipv4Of(of.network, n),
    role: 'spoke',
    lan_subnets: [],
    pod_subnet: null,
    pod_subnet_source: null,
    publicly_reachable: hub,
    publicly_reachable_source: 'detected',
    role_because: `detected: the platform observes it at ${of.instance.observed_address}`,
    endpoint_address: null,
    endpoint_addresses: [],
    endpoint,
    endpoints: endpoint === null ? [] : [endpoint],
    listen_port: 51_820,
    called: hub
      ? { state: 'by_members', detail: `Peers reach it at ${endpoint}.` }
      : { state: 'by_nobody', detail: 'It initiates tunnels to its hubs.' },
    tags: of.instance.tags,
    status,
    ...presenceOf(status, of.instance.hostname),
    path: hub ? 'direct' : 'via hub',
    via_hub_peer_id: null,
    direct_path: hub
      ? { state: 'not_needed', detail: 'Other peers reach it at its endpoint.' }
      : { state: 'possible', detail: 'Its NAT keeps one port for all: others can meet it there.' },
    direct_peer_ids: [],
    draining: of.instance.status === 'draining',
    last_handshake_at: heard,
    rx_bytes: heard === null ? null : Math.floor(chance(n + 7) ** 4 * 4e10),
    tx_bytes: heard === null ? null : Math.floor(chance(n + 9) ** 4 * 2e10),
    applied_revision: status === 'handshake_pending' ? null : 214,
    desired_revision: 214,
    problem: null,
    ...part,
  };
}

/** As the platform says it of a peer of that status on a machine that runs, or has gone. */
function presenceOf(
  status: Peer['status'],
  hostname: string,
): Pick<Peer, 'reachable' | 'reachable_since' | 'unreachable_because'> {
  if (status === 'connected')
    return { reachable: true, reachable_since: ago(4000), unreachable_because: null };
  if (status !== 'silent') return { reachable: null, reachable_since: null, unreachable_because: null };
  const detail = `${hostname} has not been heard by the platform and one hub since ${ago(700)}.`;
  return { reachable: false, reachable_since: ago(700), unreachable_because: { code: 'offline', detail } };
}

/** The n-th address of the IPv4 prefix of a network; null: it has none. */
export function ipv4Of(network: Pick<Network, 'ipv4_prefix'>, n: number): string | null {
  if (network.ipv4_prefix === null) return null;
  const [a = '0', b = '0', c = '0'] = network.ipv4_prefix.split('.');
  return `${a}.${b}.${Number(c) + ((n >> 8) & 3)}.${n & 255}`;
}

/** Puts a row where another one stood. */
export function replace<T extends { readonly id: string }>(rows: T[], next: T, id: string = next.id): void {
  rows.splice(
    rows.findIndex((row) => row.id === id),
    1,
    next,
  );
}
