// Whatever an operator of one account asks for, nothing of another account is read, listed, changed or betrayed;
// and no action runs without its permission. Generated from the list of actions, so that a new action is covered.
import { randomBytes } from 'node:crypto';
import { type ActionKey, actionKeys, definitionOf } from '@powernode/core/actions/catalogue';
import { routesOf } from '@powernode/core/actions/define';
import { ProductError, problemOf } from '@powernode/core/errors';
import { permissionNames } from '@powernode/core/intent/account';
import { Hono } from 'hono';
import { sql } from 'kysely';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Caller } from './actions/invoke-types.ts';
import { createBootstrap } from './actions/sdwan/devices/bootstrap.ts';
import { inPlatform } from './store/tenancy.ts';
import { createHttpApp } from './surfaces/http/app.ts';
import { startTestPlatform, type TestPlatform, withPermissions } from './testing/test-platform.ts';

let platform: TestPlatform;
let tenants: { readonly mine: Tenant; readonly theirs: Tenant };

interface Tenant {
  readonly caller: Caller;
  /** One object of each noun, by the name of the parameter that takes its id. */
  readonly ids: Readonly<Record<string, string>>;
  /** Everything of it that nobody else may see. */
  readonly secrets: readonly string[];
}

beforeAll(async () => {
  platform = await startTestPlatform();
  tenants = { mine: await makeTenant('mine'), theirs: await makeTenant('theirs') };
});
afterAll(() => platform.close());

async function makeTenant(name: string): Promise<Tenant> {
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
  const as = (key: ActionKey, input: object) =>
    call(key, input, caller) as unknown as Promise<Record<string, Record<string, string>>>;
  const hub = await platform.addMachine(account.id, `${name}-hub`, { publicAddress: '203.0.113.9' });
  const instance = await platform.addMachine(account.id, `${name}-machine`);
  const network = (await as('createNetwork', { name: `${name}-network` }))['network'];
  const hubPeer = (await as('attachPeer', { network_id: network?.['id'], node_instance_id: hub }))['peer'];
  const peer = (await as('attachPeer', { network_id: network?.['id'], node_instance_id: instance }))['peer'];
  const services = await makeServices(as, {
    name,
    networkId: String(network?.['id']),
    hubPeerId: String(hubPeer?.['id']),
    peerId: String(peer?.['id']),
  });
  const joinToken = (await as('createJoinToken', { name_hint: `${name}-hint` }))['join_token'];
  const spare = (await as('createNetwork', { name: `${name}-spare` }))['network'];
  const deferred = (await as('deleteNetwork', { network_id: spare?.['id'] }))['deferred_operation'];
  const ids: Record<string, string> = {
    account_id: account.id,
    operator_id: operator.id,
    api_token_id: token.id,
    instance_id: instance,
    node_instance_id: instance,
    network_id: String(network?.['id']),
    peer_id: String(peer?.['id']),
    join_token_id: String(joinToken?.['id']),
    approval_id: String(deferred?.['id']),
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
  return { caller, ids, secrets };
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
  const virtualIp = await as('createVirtualIp', {
    network_id: of.networkId,
    name: `${of.name}-address`,
    primary_holder_peer_id: of.peerId,
    failover_holder_peer_ids: [of.hubPeerId],
    // Nobody decides about it on its own while the test looks.
    anycast: true,
  });
  const ids: Record<string, string> = {
    virtual_ip_id: String(virtualIp['virtual_ip']?.['id']),
    primary_holder_peer_id: of.peerId,
    holder_peer_id: of.peerId,
    target_peer_id: of.hubPeerId,
    firewall_rule_id: String(rule['firewall_rule']?.['id']),
    port_mapping_id: String(mapping['port_mapping']?.['id']),
    hub_peer_id: of.hubPeerId,
    internal_peer_id: of.peerId,
    access_grant_id: String(open?.['id']),
    user_device_id: String(device['user_device']?.['id']),
  };
  const address = String(virtualIp['virtual_ip']?.['address']);
  return { ids, secrets: [publicKey, String(open?.['bootstrap_url']), address] };
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
  direction: 'ingress',
  action: 'accept',
  selector: { kind: 'all' },
  source: { address: 'fd00::1' },
  destination: { address: 'fd00::2' },
  public_key: 'yMS5sJyGBPhMCqkxY3lGzpLAYKFLzA7vXvqMZo2Dzko=',
};

/** Parameters that fit the action, naming the objects of a tenant. */
function inputFor(key: ActionKey, ids: Readonly<Record<string, string>>): Record<string, unknown> {
  const shape = definitionOf(key).input as Record<
    string,
    { safeParse(value: unknown): { success: boolean } }
  >;
  const input: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(shape)) {
    if (name in ids) input[name] = ids[name];
    else if (!schema.safeParse(undefined).success) input[name] = plainValues[name];
  }
  return input;
}

function namesObjects(key: ActionKey): boolean {
  return Object.keys(definitionOf(key).input).some((name) => name.endsWith('_id'));
}

async function outcome(key: ActionKey, input: object, caller: Caller): Promise<unknown> {
  try {
    return await platform.invoke({ caller, action: key, input, correlationId: 'isolation' });
  } catch (error) {
    if (error instanceof ProductError) return problemOf(error);
    throw error;
  }
}

/** Every row of the account in every table. */
async function everythingOf(accountId: string): Promise<string> {
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

describe('another account', () => {
  test.each(actionKeys.map((key) => [definitionOf(key).name, key] as const))(
    '%s betrays nothing of it and changes nothing in it',
    async (_name, key) => {
      const { mine, theirs } = tenants;
      const before = await everythingOf(theirs.caller.accountId);
      for (const dryRun of definitionOf(key).category === null
        ? [{}]
        : [{}, { dry_run: true }, { approve: true }]) {
        const input: Record<string, unknown> = { ...inputFor(key, theirs.ids), ...dryRun };
        const answered = await outcome(key, input, mine.caller);
        const shown = JSON.stringify(answered);
        const echoed = new Set<unknown>(Object.values(input));
        for (const secret of theirs.secrets.filter((text) => !echoed.has(text))) {
          expect(shown).not.toContain(secret);
        }
      }
      expect(await everythingOf(theirs.caller.accountId)).toBe(before);
    },
  );

  test.each(actionKeys.filter(namesObjects).map((key) => [definitionOf(key).name, key] as const))(
    '%s answers for one of its objects exactly as for one that never was',
    async (_name, key) => {
      const { mine, theirs } = tenants;
      const parameters = Object.keys(definitionOf(key).input).filter((name) => name in theirs.ids);
      for (const name of parameters) {
        const absent = '01990000-0000-7000-8000-00000000dead';
        const own = inputFor(key, mine.ids);
        const foreign = await outcome(
          key,
          { ...own, [name]: theirs.ids[name], dry_run: undefined },
          mine.caller,
        );
        const none = await outcome(key, { ...own, [name]: absent, dry_run: undefined }, mine.caller);
        const text = (value: unknown, id: string) => JSON.stringify(value).replaceAll(id, '<id>');
        expect(text(foreign, theirs.ids[name] ?? '')).toBe(text(none, absent));
      }
    },
  );

  const sides = [
    ['createFirewallRule', 'selector', ['peer', 'user_device']],
    ['createFirewallRule', 'destination', ['peer', 'user_device', 'virtual_ip']],
    ['updateFirewallRule', 'selector', ['peer', 'user_device']],
    ['updateFirewallRule', 'destination', ['peer', 'user_device', 'virtual_ip']],
    ['explainReachability', 'source', ['peer', 'user_device']],
    ['explainReachability', 'destination', ['peer', 'virtual_ip']],
  ] as const;
  test.each(sides.flatMap(([key, side, kinds]) => kinds.map((kind) => [key, side, kind] as const)))(
    '%s answers for one of its objects as %s (%s) exactly as for one that never was',
    async (key, side, kind) => {
      const { mine, theirs } = tenants;
      const answerFor = async (id: string) => {
        const selector = { ...(key === 'explainReachability' ? {} : { kind }), [`${kind}_id`]: id };
        const answered = await outcome(key, { ...inputFor(key, mine.ids), [side]: selector }, mine.caller);
        return JSON.stringify(answered).replaceAll(id, '<id>');
      };
      const answered = await answerFor(theirs.ids[`${kind}_id`] ?? '');
      expect(answered).toBe(await answerFor('01990000-0000-7000-8000-00000000dead'));
      expect(answered).toContain('not_found');
    },
  );

  test('is as invisible over every resource route', async () => {
    const { mine, theirs } = tenants;
    const app = createHttpApp({
      ...silentHttpParts(),
      invoke: platform.invoke,
      authenticate: async () => mine.caller,
    });
    const routes = actionKeys.flatMap((key) =>
      routesOf(definitionOf(key)).map((route) => ({ key, route, name: definitionOf(key).name })),
    );
    for (const { key, route, name } of routes) {
      const input = inputFor(key, theirs.ids);
      const path = route.path.replaceAll(/\{(\w+)\}/g, (_, parameter: string) => theirs.ids[parameter] ?? '');
      const inPath = new Set([...route.path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]));
      const rest = Object.fromEntries(Object.entries(input).filter(([parameter]) => !inPath.has(parameter)));
      const query =
        route.method === 'GET' ? `?${new URLSearchParams(rest as Record<string, string>).toString()}` : '';
      const response = await app.request(`http://127.0.0.1/api/v1/system${path}${query}`, {
        method: route.method,
        ...(route.method === 'GET'
          ? {}
          : { body: JSON.stringify(rest), headers: { 'content-type': 'application/json' } }),
      });
      const shown = await response.text();
      const echoed = new Set<unknown>(Object.values(input));
      for (const secret of theirs.secrets.filter((text) => !echoed.has(text))) {
        expect(shown, `${name} ${route.method} ${path}`).not.toContain(secret);
      }
      expect(response.status, `${name} ${route.method} ${path}: ${shown}`).not.toBe(500);
    }
  });
});

describe('permissions', () => {
  test.each(actionKeys.map((key) => [definitionOf(key).name, key] as const))(
    '%s needs exactly the permission that it names',
    async (_name, key) => {
      const { permission } = definitionOf(key);
      const { mine } = tenants;
      const input = {
        ...inputFor(key, mine.ids),
        ...(definitionOf(key).category === null ? {} : { dry_run: true }),
      };
      if (permission !== null) {
        const without = permissionNames.filter((name) => name !== permission);
        const refused = await outcome(key, input, withPermissions(mine.caller, without));
        expect(refused).toMatchObject({ status: 403, code: 'permission_denied', permission });
      }
      const only = permission === null ? [] : [permission];
      const allowed = (await outcome(key, input, withPermissions(mine.caller, only))) as {
        permission?: string;
      };
      expect(allowed.permission).toBeUndefined();
    },
  );

  test('a decision in the same breath needs system.approvals.decide', async () => {
    const { mine } = tenants;
    const caller = withPermissions(mine.caller, ['system.sdwan.peers.manage']);
    expect(
      await outcome('detachPeer', { peer_id: mine.ids['peer_id'], approve: true }, caller),
    ).toMatchObject({
      code: 'permission_denied',
      permission: 'system.approvals.decide',
    });
  });
});

function silentHttpParts() {
  const log = pino({ level: 'silent' });
  return {
    bootstrap: createBootstrap({ ...platform, log }),
    streams: { open: async () => new Response(null), count: () => 0 },
    mcp: new Hono(),
    metrics: { observeRequest: () => {}, print: async () => ({ text: '', type: 'text/plain' }) },
    ready: async () => {},
    newId: platform.services.newId,
    log,
    version: 'test',
    nodeUrl: () => 'https://192.0.2.1:7443',
    consoleDirectory: '/nonexistent',
  };
}
