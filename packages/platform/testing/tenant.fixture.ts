// For tests that are generated from the list of actions: an account with one object of each noun, parameters that fit each
// action, and everything that the database has of an account.
import { randomBytes } from 'node:crypto';
import { type ActionKey, definitionOf } from '@powernode/core/actions/catalogue';
import { sql } from 'kysely';
import { drainOperation } from '../actions/fleet/drain-operation.ts';
import type { Caller } from '../actions/invoke-types.ts';
import { beginOperation } from '../coordination/operations/rows.ts';
import { inSystemTransaction } from '../coordination/system-actor.ts';
import { platformActor } from '../events/write-events.ts';
import { inPlatform } from '../store/tenancy.ts';
import type { TestPlatform } from './test-platform.ts';

export interface Tenant {
  readonly caller: Caller;
  /** One object of each noun, by the name of the parameter that takes its id. */
  readonly ids: Readonly<Record<string, string>>;
  /** Everything of it that nobody else may see. */
  readonly secrets: readonly string[];
}

export async function makeTenant(platform: TestPlatform, name: string): Promise<Tenant> {
  const { call } = platform;
  const { account } = (await call('createAccount', { name })) as unknown as { account: { id: string } };
  const { operator } = (await call('createOperator', {
    account_id: account.id,
    name: `${name}-owner`,
    role: 'owner',
  })) as unknown as { operator: { id: string } };
  const { api_token: token } = (await call('createApiToken', {
    operator_id: operator.id,
    name: `${name}-token`,
  })) as unknown as { api_token: { id: string; token: string } };
  const caller = await platform.callerOf(token.token);
  const objects = await makeObjects(platform, name, caller);
  const ids = { account_id: account.id, operator_id: operator.id, ...objects.ids };
  return { caller, ids, secrets: [...Object.values(ids), token.id, ...objects.secrets] };
}

/** One object of each noun in the account of the caller, who may make them all. */
export async function makeObjects(
  platform: TestPlatform,
  name: string,
  caller: Caller,
): Promise<Pick<Tenant, 'ids' | 'secrets'>> {
  const { accountId } = caller;
  const as = (key: ActionKey, input: object) =>
    platform.call(key, input, caller) as unknown as Promise<Record<string, Record<string, string>>>;
  // One that can be revoked: the last way into an account is not.
  const spareToken = (await as('createApiToken', { name: `${name}-spare-token` }))['api_token'];
  const hub = await platform.addMachine(accountId, `${name}-hub`, { publicAddress: '203.0.113.9' });
  const instance = await platform.addMachine(accountId, `${name}-machine`);
  const network = (await as('createNetwork', { name: `${name}-network`, routing_mode: 'ibgp' }))['network'];
  const hubPeer = (await as('attachPeer', { network_id: network?.['id'], node_instance_id: hub }))['peer'];
  const peer = (await as('attachPeer', { network_id: network?.['id'], node_instance_id: instance }))['peer'];
  const services = await makeServices(as, {
    name,
    networkId: String(network?.['id']),
    hubPeerId: String(hubPeer?.['id']),
    peerId: String(peer?.['id']),
  });
  const sessions = await as('getBgpSessions', { network_id: network?.['id'] });
  const session = firstOf(sessions['sessions']);
  const joinToken = (await as('createJoinToken', { name_hint: `${name}-hint` }))['join_token'];
  const spare = (await as('createNetwork', { name: `${name}-spare` }))['network'];
  const deferred = (await as('deleteNetwork', { network_id: spare?.['id'] }))['deferred_operation'];
  // The machine that no generated test drains.
  const operation = await inSystemTransaction(
    platform,
    {
      accountId,
      action: 'operation_step',
      actor: platformActor,
      correlationId: `${name}-operation`,
    },
    (context) =>
      beginOperation(context, drainOperation, {
        summary: `Drain the instance ${name}-hub`,
        subjectId: hub,
        input: { instance_id: hub, sequence: 1 },
      }),
  );
  const ids: Record<string, string> = {
    api_token_id: String(spareToken?.['id']),
    instance_id: instance,
    node_instance_id: instance,
    network_id: String(network?.['id']),
    peer_id: String(peer?.['id']),
    join_token_id: String(joinToken?.['id']),
    approval_id: String(deferred?.['id']),
    operation_id: operation.id,
    bgp_session_id: String(session['id']),
    ...services.ids,
  };
  const secrets = [
    ...Object.values(ids),
    hub,
    String(spare?.['id']),
    `${name}-`,
    String(network?.['prefix']),
    String(network?.['handle']),
    String(peer?.['public_key']),
    ...services.secrets,
  ];
  return { ids, secrets };
}

/** Objects of a network beside its peers. */
async function makeServices(
  as: (key: ActionKey, input: object) => Promise<Record<string, Record<string, string>>>,
  of: {
    readonly name: string;
    readonly networkId: string;
    readonly hubPeerId: string;
    readonly peerId: string;
  },
) {
  const mapping = await as('createPortMapping', {
    network_id: of.networkId,
    external_address: '203.0.113.9',
    external_port: 8443,
    internal_peer_id: of.peerId,
    internal_port: 443,
    protocol: 'tcp',
  });
  const grant = (hint: string) =>
    as('createAccessGrant', { network_id: of.networkId, device_name_hint: `${of.name}-${hint}` });
  const used = (await grant('phone'))['access_grant'];
  const open = (await grant('tablet'))['access_grant'];
  const publicKey = randomBytes(32).toString('base64');
  const device = await as('issueUserDevice', {
    network_id: of.networkId,
    access_grant_id: used?.['id'],
    public_key: publicKey,
  });
  const rule = await as('createFirewallRule', {
    network_id: of.networkId,
    name: `${of.name}-rule`,
    direction: 'ingress',
    action: 'accept',
    selector: { kind: 'tag', tag: `${of.name}-tag` },
    destination: { kind: 'peer', peer_id: of.peerId },
  });
  const policy = await as('createRoutePolicy', {
    network_id: of.networkId,
    name: `${of.name}-policy`,
    direction: 'import',
    statements: [{ seq: 10, match: { peer: of.peerId }, set: { local_pref: 200 }, action: 'permit' }],
  });
  const virtualIp = await as('createVirtualIp', {
    network_id: of.networkId,
    name: `${of.name}-address`,
    primary_holder_peer_id: of.peerId,
    failover_holder_peer_ids: [of.hubPeerId],
    // Nobody decides about it on its own while the test looks.
    anycast: true,
  });
  const lan = `fd97:${randomBytes(2).toString('hex')}:1::/64`;
  const advertised = await as('declareLanSubnets', {
    peer_id: of.peerId,
    subnets: [{ prefix: lan, description: `${of.name}-lan` }],
  });
  const ids: Record<string, string> = {
    subnet_advertisement_id: String(firstOf(advertised['subnet_advertisements'])['id']),
    virtual_ip_id: String(virtualIp['virtual_ip']?.['id']),
    primary_holder_peer_id: of.peerId,
    holder_peer_id: of.peerId,
    target_peer_id: of.hubPeerId,
    firewall_rule_id: String(rule['firewall_rule']?.['id']),
    route_policy_id: String(policy['route_policy']?.['id']),
    port_mapping_id: String(mapping['port_mapping']?.['id']),
    hub_peer_id: of.hubPeerId,
    internal_peer_id: of.peerId,
    access_grant_id: String(open?.['id']),
    user_device_id: String(device['user_device']?.['id']),
  };
  const address = String(virtualIp['virtual_ip']?.['address']);
  return { ids, secrets: [publicKey, String(open?.['bootstrap_url']), address] };
}

function firstOf(list: unknown): Record<string, unknown> {
  return (list as Record<string, unknown>[])[0] ?? {};
}

/** Values for the parameters that name no object. */
const plainValues: Readonly<Record<string, unknown>> = {
  name: 'something',
  role: 'viewer',
  category: 'sdwan.peer_detach',
  mode: 'require_approval',
  decision: 'reject',
  tags: ['a'],
  external_address: '203.0.113.9',
  external_port: 9443,
  internal_port: 80,
  protocol: 'tcp',
  device_name_hint: 'a device',
  action: 'accept',
  as_number: 65_000,
  prefix: 'fd00:1::/64',
  selector: { kind: 'all' },
  skill: 'bgp-session-remediate',
  statements: [{ seq: 10, action: 'deny' }],
  subnets: [{ prefix: '192.168.88.0/24' }],
  source: { address: 'fd00::1' },
  destination: { address: 'fd00::2' },
  public_key: 'yMS5sJyGBPhMCqkxY3lGzpLAYKFLzA7vXvqMZo2Dzko=',
};

/** What a direction may be differs from noun to noun. */
const directions = (key: ActionKey) =>
  key.endsWith('RoutePolicy') ? (['import', 'export'] as const) : (['ingress', 'both'] as const);

/** Parameters that fit the action, naming the objects of a tenant. */
export function inputFor(key: ActionKey, ids: Readonly<Record<string, string>>): Record<string, unknown> {
  const shape = definitionOf(key).input as Record<
    string,
    { safeParse(value: unknown): { success: boolean } }
  >;
  const input: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(shape)) {
    if (name in ids) input[name] = ids[name];
    else if (!schema.safeParse(undefined).success)
      input[name] = name === 'direction' ? directions(key)[0] : plainValues[name];
  }
  return input;
}

/** Every row of the account in every table. */
export async function everythingOf(platform: TestPlatform, accountId: string): Promise<string> {
  return inPlatform(platform.store, async (trx) => {
    const { rows: tables } = await sql<{ name: string }>`
      select table_name as name from information_schema.columns
      where column_name = 'account_id' and table_schema = current_schema() order by 1
    `.execute(trx);
    const dumps: string[] = [];
    for (const { name } of tables) {
      const { rows } = await sql`
        select * from ${sql.table(name)} where account_id = ${accountId} order by 1, 2, 3
      `.execute(trx);
      dumps.push(`${name} ${JSON.stringify(rows)}`);
    }
    return dumps.join('\n');
  });
}

/** Parameters of updates, each with a value that the object does not have yet, if they are set in this order. */
export function otherValues(
  ids: Readonly<Record<string, string>>,
  key?: ActionKey,
): Readonly<Record<string, unknown>> {
  return {
    name: 'renamed',
    hostname: 'renamed',
    description: 'described',
    tags: ['other'],
    role: 'admin',
    disabled: true,
    mode: 'require_approval',
    drain: true,
    mtu: 1300,
    rematch_connections: false,
    topology_strategy: 'full_mesh',
    routing_mode: 'static',
    firewall_default_policy: 'drop',
    direct_paths: false,
    pod_subnet_prefix: 'fd99:1::/56',
    ipv4_prefix: '100.99.0.0/18',
    publicly_reachable: true,
    endpoint_address: '198.51.100.7:51820',
    endpoint_addresses: ['198.51.100.8:51820', '[2001:db8::8]:51820'],
    listen_port: 51_999,
    preempt: true,
    hold_down_seconds: 20,
    health_check: { protocol: 'tcp', port: 443, interval_ms: 500, fall: 2, rise: 2 },
    primary_holder_peer_id: ids['hub_peer_id'],
    failover_holder_peer_ids: [ids['peer_id']],
    external_port: 10443,
    internal_port: 8080,
    internal_peer_id: ids['hub_peer_id'],
    internal_virtual_ip_id: ids['virtual_ip_id'],
    protocol: 'udp',
    source_cidrs: ['198.51.100.0/24'],
    rate_limit: 5,
    max_connections: 5,
    direction: directions(key ?? 'updateFirewallRule')[1],
    statements: [{ seq: 20, action: 'deny' }],
    subnets: [{ prefix: '192.168.77.0/24' }],
    pod_subnet: 'fd99:1::/64',
    action: 'drop',
    selector: { kind: 'all' },
    destination: { kind: 'all' },
    port_range: '443',
    enabled: false,
  };
}
