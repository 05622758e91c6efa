// What a model gets done over MCP without a person, whatever the policies say. Generated from the list of actions.
import { randomBytes } from 'node:crypto';
import { type ActionKey, actionKeys, definitionOf } from '@powernode/core/actions/catalogue';
import type { ParameterNeeds } from '@powernode/core/actions/define';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inPlatform } from '../../store/tenancy.ts';
import {
  everythingOf,
  inputFor,
  makeTenant,
  otherValues,
  type Tenant,
} from '../../testing/tenant.fixture.ts';
import { startTestPlatform, type TestPlatform } from '../../testing/test-platform.ts';
import type { Caller, Invocation, Outcome } from '../invoke-types.ts';
import { categories } from './policies.ts';

let platform: TestPlatform;
let tenant: Tenant;
let ids: Record<string, string>;
beforeAll(async () => {
  platform = await startTestPlatform();
  tenant = await makeTenant(platform, 'model');
  const { operator } = await platform.call(
    'createOperator',
    { name: 'other', role: 'viewer' },
    tenant.caller,
  );
  ids = { ...tenant.ids, operator_id: String(operator?.['id']) };
  for (const category of categories.keys()) {
    const caller = category.startsWith('system.account_') ? platform.admin : tenant.caller;
    await platform.call('setPolicy', { category, mode: 'auto_approve' }, caller);
  }
  // What only a network that denies can be loosened from.
  await platform.call(
    'updateNetwork',
    { network_id: ids['network_id'], firewall_default_policy: 'drop' },
    tenant.caller,
  );
});
afterAll(() => platform.close());

function overMcp(key: ActionKey, input: object, more: Partial<Invocation> = {}): Promise<Outcome> {
  const caller: Caller = tenant.caller;
  return platform.invoke({ caller, action: key, input, correlationId: 'mcp', overMcp: 'model', ...more });
}

/** More unused keys than a machine of a test begins with. */
async function giveKeys(instanceId: string): Promise<void> {
  const key = () => ({
    account_id: tenant.caller.accountId,
    instance_id: instanceId,
    public_key: randomBytes(32).toString('base64'),
  });
  await inPlatform(platform.store, (trx) =>
    trx
      .insertInto('node_keys')
      .values(Array.from({ length: 4 }, key))
      .execute(),
  );
}

/** All rows but requests and events, which a request writes. */
async function objects(): Promise<string> {
  const dump = await everythingOf(platform, tenant.caller.accountId);
  return dump
    .split('\n')
    .filter((line) => !/^(?:approvals|events) /.test(line))
    .join('\n');
}

const mutating = actionKeys.filter((key) => definitionOf(key).category !== null);

const ofMachines: ReadonlySet<ActionKey> = new Set([
  'failoverVirtualIp',
  'changePeerRole',
  'retryRolledBack',
  'executeSkill',
]);

/** Parameters by which a call of the action needs a person: none, or each of those that are named. */
type Grave = readonly [name: string, field: string | null, key: ActionKey, needs: ParameterNeeds];
const grave = mutating.flatMap((key): Grave[] => {
  const { needsPerson, name, hints, subject, creates, input } = definitionOf(key);
  // These need machines that run, that are seen otherwise, or that took something back; they have tests of their own.
  if (ofMachines.has(key)) return [];
  if (needsPerson === 'never' || needsPerson === 'only') return [];
  if (typeof needsPerson === 'object') {
    return Object.entries(needsPerson).flatMap(([field, needs]): Grave[] =>
      needs === 'free' ? [] : [[name, field, key, needs]],
    );
  }
  if (creates || hints.destructive) return [[name, null, key, 'given']];
  const field = Object.keys(input).find((one) => one !== subject && one in otherValues({}));
  return [[name, field ?? null, key, 'given']];
});

/** With these the call itself is one that a model may have done, so that each grave parameter counts by itself. */
const harmless: Readonly<Partial<Record<ActionKey, object>>> = {
  createFirewallRule: { action: 'drop' },
};

const podPrefix = 'fd42:77::';
let podNetworkId = '';

/** A slice of pods can be asked for in a network that has some. */
async function networkWithPods(): Promise<string> {
  if (podNetworkId === '') {
    const pods = { name: 'pods', pod_subnet_prefix: `${podPrefix}/56` };
    podNetworkId = String((await platform.call('createNetwork', pods, tenant.caller)).network?.['id']);
  }
  return podNetworkId;
}

/** What some actions need beside their required parameters. */
async function particular(key: ActionKey): Promise<Record<string, unknown>> {
  const first = async (list: ActionKey, nouns: string) => {
    const rows = (await platform.call(list, {}, tenant.caller))[nouns] as unknown as { id: string }[];
    return rows[0]?.id;
  };
  switch (key) {
    case 'setPolicy':
      return { category: 'sdwan.peer_detach', mode: 'blocked' };
    case 'updateFirewallRule':
      return { protocol: 'tcp' };
    case 'updateVirtualIp':
      return { primary_holder_peer_id: ids['hub_peer_id'], failover_holder_peer_ids: [] };
    case 'createVirtualIp': {
      const { network } = await platform.call('getNetwork', { network_id: ids['network_id'] }, tenant.caller);
      // A health check is of an address that several peers hold.
      return { address: String(network?.['prefix']).replace('::/64', '::abcd'), anycast: true };
    }
    case 'attachPeer':
      return {
        network_id: await networkWithPods(),
        node_instance_id: await platform.addMachine(tenant.caller.accountId, 'new'),
      };
    case 'createInstance':
      return {
        template_id: await first('listTemplates', 'templates'),
        provider_region_id: await first('listProviderRegions', 'provider_regions'),
        provider_instance_type_id: await first('listInstanceTypes', 'instance_types'),
        hostname: 'new',
      };
    default:
      return {};
  }
}

/** A value with which the parameter makes a call one for a person. */
function graveValue(field: string | null, needs: ParameterNeeds, key: ActionKey): unknown {
  // The network denies already.
  if (field === 'firewall_default_policy') return 'accept';
  if (field === 'pod_subnet') return `${podPrefix}/64`;
  return typeof needs === 'object' ? needs[0] : otherValues(ids, key)[field ?? ''];
}

describe('a call over MCP', () => {
  test.each(grave)(
    '%s { %s } waits for a person and changes nothing, though every policy approves it [9.5]',
    async (_, field, key, needs) => {
      const input = {
        ...inputFor(key, ids),
        ...harmless[key],
        ...(field === null ? {} : { [field]: graveValue(field, needs, key) }),
        ...(await particular(key)),
      };
      const before = await objects();
      const isOfPlatform = definitionOf(key).permission === 'system.accounts.manage';
      const outcome = await overMcp(key, input, isOfPlatform ? { caller: platform.admin } : {});
      expect(outcome).toMatchObject({ status: 202, body: { pending: true, deferred_operation: {} } });
      expect(await objects()).toBe(before);
      expect(JSON.stringify(outcome.body)).not.toMatch(/pn[tjb]_/);
    },
  );

  test('whatever raises a right, opens, takes away or makes a secret needs a person [9.5]', () => {
    for (const key of mutating) {
      const { hints, makesSecret, needsPerson } = definitionOf(key);
      if (hints.destructive || makesSecret) expect(needsPerson, key).toBe('always');
    }
  });

  test('every answer with a secret part is of an action that makes a secret [9.5]', () => {
    for (const key of actionKeys) {
      const { output, makesSecret } = definitionOf(key);
      const parts = Object.values(output).flatMap((noun) => {
        const shape = (noun as { shape?: Record<string, unknown> }).shape ?? {};
        return Object.keys(shape).filter((name) => ['token', 'bootstrap_url', 'command'].includes(name));
      });
      expect(parts.length > 0, key).toBe(makesSecret);
    }
  });

  test('a tightening runs, and so does what only adds [9.5]', async () => {
    const drop = { ...inputFor('createFirewallRule', ids), action: 'drop', selector: { kind: 'all' } };
    expect(await overMcp('createFirewallRule', drop)).toMatchObject({ status: 201 });
    expect(await overMcp('createNetwork', { name: 'of a model' })).toMatchObject({ status: 201 });
    const spoke = { network_id: ids['network_id'], ...(await particular('attachPeer')) };
    expect(await overMcp('attachPeer', spoke)).toMatchObject({
      status: 201,
      body: { peer: { role: 'spoke' } },
    });
    const described = { network_id: ids['network_id'], description: 'by a model' };
    expect(await overMcp('updateNetwork', described)).toMatchObject({ status: 200 });
  });

  test('a hub waits for a person where machines are: declared, detected, or one again [9.5]', async () => {
    const publicAddress = '198.51.100.66';
    const detected = await platform.addMachine(tenant.caller.accountId, 'public', { publicAddress });
    const { network_id } = ids;
    const declared = {
      node_instance_id: await platform.addMachine(tenant.caller.accountId, 'declared'),
      publicly_reachable: true,
      endpoint_address: '198.51.100.67',
    };
    expect(await overMcp('attachPeer', { network_id, ...declared })).toMatchObject({ status: 202 });
    // Nobody sends through the first hub of a network yet.
    const { network: empty } = await platform.call('createNetwork', { name: 'empty' }, tenant.caller);
    expect(await overMcp('attachPeer', { network_id: empty?.['id'], ...declared })).toMatchObject({
      status: 201,
      body: { peer: { role: 'hub' } },
    });
    const attach = { network_id, node_instance_id: detected };
    expect(await overMcp('attachPeer', attach)).toMatchObject({ status: 202 });
    const { peer } = await platform.call('attachPeer', attach, tenant.caller);
    expect(peer).toMatchObject({ role: 'hub' });
    await platform.call('detachPeer', { peer_id: peer?.['id'], approve: true }, tenant.caller);
    expect(await overMcp('attachPeer', attach)).toMatchObject({ status: 202 });
    const spoke = { ...attach, publicly_reachable: false };
    expect(await overMcp('attachPeer', spoke)).toMatchObject({
      status: 201,
      body: { peer: { role: 'spoke' } },
    });
  });

  test('a key is rotated once, and within a minute a second time by a person only [9.5]', async () => {
    const attached = async () => {
      const node_instance_id = await platform.addMachine(tenant.caller.accountId, 'rotating');
      await giveKeys(node_instance_id);
      const attach = { network_id: ids['network_id'], node_instance_id };
      return String((await platform.call('attachPeer', attach, tenant.caller))['peer']?.['id']);
    };
    const first = await attached();
    const second = await attached();
    expect(await overMcp('rotatePeerKey', { peer_id: first })).toMatchObject({ status: 200 });
    expect(await overMcp('rotatePeerKey', { peer_id: first })).toMatchObject({ status: 202 });
    expect(await overMcp('rotatePeerKey', { peer_id: second })).toMatchObject({ status: 200 });
  });

  test('neither approve nor the deciding action decides for a person; a policy that blocks still does [9.5]', async () => {
    const { body } = await overMcp('deleteNetwork', { network_id: ids['network_id'] });
    const id = (body['deferred_operation'] as { id: string }).id;
    const denied = { code: 'permission_denied' };
    await expect(
      overMcp('deleteNetwork', { network_id: ids['network_id'], approve: true }),
    ).rejects.toMatchObject(denied);
    for (const decision of ['approve', 'reject']) {
      await expect(overMcp('decideApproval', { approval_id: id, decision })).rejects.toMatchObject(denied);
    }
    const category = 'sdwan.access_grant_create';
    await platform.call('setPolicy', { category, mode: 'blocked' }, tenant.caller);
    await expect(overMcp('createAccessGrant', inputFor('createAccessGrant', ids))).rejects.toMatchObject({
      code: 'policy_blocked',
    });
    const rejected = await overMcp(
      'decideApproval',
      { approval_id: id, decision: 'reject' },
      { overMcp: 'person' },
    );
    expect(rejected.body).toMatchObject({ approval: { status: 'rejected' } });
  });

  test('a person behind the call decides approvals and nothing else [9.5]', async () => {
    const answered = { overMcp: 'person' } as const;
    const outcome = await overMcp('createApiToken', { name: 'of a person' }, answered);
    expect(outcome.status).toBe(202);
    const id = (outcome.body['deferred_operation'] as { id: string }).id;
    const decided = await overMcp('decideApproval', { approval_id: id, decision: 'approve' }, answered);
    expect(decided.body).toMatchObject({ approval: { status: 'approved' } });
    expect(JSON.stringify(decided.body)).not.toMatch(/pn[tjb]_/);
  });
});
