// The gate's promises over a real database: what a dry run, a policy, a key, a revision and a decision mean.
import type { ActionKey } from '@powernode/core/actions/catalogue';
import { ProductError } from '@powernode/core/errors';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { inPlatform } from '../../store/tenancy.ts';
import { startTestPlatform, type TestPlatform } from '../../testing/test-platform.ts';
import { expireApprovals } from '../autonomy/expire.ts';

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform();
});
afterAll(() => platform.close());

interface Body {
  readonly [noun: string]: Record<string, unknown>;
}

interface Policy {
  readonly id: string;
  readonly category: string;
}

let names = 0;
let network: Record<string, unknown>;
beforeEach(async () => {
  names += 1;
  network = (await call('createNetwork', { name: `network-${names}` }))['network'] ?? {};
});

async function call(key: ActionKey, input: object): Promise<Body> {
  return platform.call(key, input);
}

async function failure(work: Promise<unknown>): Promise<ProductError> {
  const thrown = await work.then(
    () => null,
    (error: unknown) => error,
  );
  if (thrown instanceof ProductError) return thrown;
  throw new Error(`expected a ProductError, not ${String(thrown)}`);
}

async function rowCounts(): Promise<Record<string, number>> {
  return inPlatform(platform.store, async (trx) => {
    const counts: Record<string, number> = {};
    for (const table of ['networks', 'peers', 'changes', 'events', 'approvals', 'api_tokens'] as const) {
      const row = await trx
        .selectFrom(table)
        .select((eb) => eb.fn.countAll<number>().as('rows'))
        .executeTakeFirstOrThrow();
      counts[table] = row.rows;
    }
    return counts;
  });
}

describe('a dry run', () => {
  test('answers with the would-be object and a plan, and writes nothing', async () => {
    const hub = await platform.addMachine(platform.admin.accountId, `hub-${names}`, {
      publicAddress: '203.0.113.1',
    });
    const spoke = await platform.addMachine(platform.admin.accountId, `spoke-${names}`);
    await call('attachPeer', { network_id: network['id'], node_instance_id: hub });
    const before = await rowCounts();
    const answer = await call('attachPeer', {
      network_id: network['id'],
      node_instance_id: spoke,
      dry_run: true,
    });
    expect(answer).toMatchObject({ dry_run: true, peer: { role: 'spoke', node_instance_id: spoke } });
    const plan = answer['plan'] as unknown as { nodes: { hostname: string }[]; node_count: number };
    expect(plan.nodes.map((node) => node.hostname).sort()).toEqual([`hub-${names}`, `spoke-${names}`]);
    expect(await rowCounts()).toEqual(before);
    const attached = await call('attachPeer', { network_id: network['id'], node_instance_id: spoke });
    expect(attached['peer']?.['host_address']).toBe(answer['peer']?.['host_address']);
  });

  test('shows no secret, for none was made', async () => {
    const answer = await call('createApiToken', { name: 'dry', dry_run: true });
    expect(String(answer['api_token']?.['token'])).not.toMatch(/^pnt_/);
  });
});

describe('policies', () => {
  test('by default a deletion waits, and has written nothing but the request', async () => {
    const before = await rowCounts();
    const outcome = await platform.invoke({
      caller: platform.admin,
      action: 'deleteNetwork',
      input: { id: network['id'] },
      correlationId: 'deletion',
    });
    expect(outcome).toMatchObject({
      status: 202,
      body: { pending: true, deferred_operation: { action: 'system_sdwan_delete_network' } },
    });
    const after = await rowCounts();
    expect(after).toEqual({
      ...before,
      approvals: (before['approvals'] ?? 0) + 1,
      events: (before['events'] ?? 0) + 1,
    });
  });

  test('an approval runs the operation once, and is final', async () => {
    const pending = await call('deleteNetwork', { network_id: network['id'] });
    const id = pending['deferred_operation']?.['id'];
    const decided = await call('decideApproval', { approval_id: id, decision: 'approve', reason: 'unused' });
    expect(decided['approval']).toMatchObject({ status: 'approved', reason: 'unused' });
    expect(await failure(call('getNetwork', { network_id: network['id'] }))).toMatchObject({
      code: 'not_found',
    });
    expect(await failure(call('decideApproval', { approval_id: id, decision: 'reject' }))).toMatchObject({
      code: 'conflict',
    });
  });

  test('an approved operation that fails says why and leaves everything as it was', async () => {
    const first = await call('deleteNetwork', { network_id: network['id'] });
    const category = 'sdwan.firewall_rule_create';
    await call('setPolicy', { category, mode: 'require_approval' });
    const second = await call('createFirewallRule', {
      network_id: network['id'],
      direction: 'ingress',
      action: 'drop',
      selector: { kind: 'all' },
      protocol: 'any',
    });
    await call('setPolicy', { category, mode: null });
    await call('decideApproval', { approval_id: first['deferred_operation']?.['id'], decision: 'approve' });
    const before = await rowCounts();
    const decided = await call('decideApproval', {
      approval_id: second['deferred_operation']?.['id'],
      decision: 'approve',
    });
    expect(decided['approval']).toMatchObject({ status: 'failed', error: { code: 'not_found' } });
    const after = await rowCounts();
    expect(after['changes']).toBe(before['changes']);
  });

  test('approve in the same breath does it and is recorded as an approval', async () => {
    await call('deleteNetwork', { network_id: network['id'], approve: true });
    const approvals = (await call('listApprovals', { status: 'approved', limit: 1 }))['approvals'];
    expect(approvals).toMatchObject([
      { action: 'system_sdwan_delete_network', decided_by: { id: platform.admin.operatorId } },
    ]);
  });

  test('blocked refuses, also with approve; null goes back to the default', async () => {
    const category = 'sdwan.network_update';
    await call('setPolicy', { category, mode: 'blocked' });
    const input = { network_id: network['id'], description: 'x', approve: true };
    expect(await failure(call('updateNetwork', input))).toMatchObject({ code: 'policy_blocked' });
    await call('setPolicy', { category, mode: null });
    await call('updateNetwork', input);
  });

  test('are objects like all others: with an id that stays, and a revision', async () => {
    const listed = (await call('listPolicies', {}))['policies'] as unknown as Policy[];
    const first = listed.find(({ category }) => category === 'sdwan.peer_update');
    expect(first).toMatchObject({ mode: 'notify_and_proceed', revision: 1 });
    const id = first?.id;
    const set = await call('setPolicy', { id, mode: 'blocked', if_revision: 1 });
    expect(set['policy']).toMatchObject({ id, category: 'sdwan.peer_update', mode: 'blocked', revision: 2 });
    expect(await failure(call('setPolicy', { id, mode: null, if_revision: 1 }))).toMatchObject({
      code: 'revision_conflict',
    });
    expect((await call('getPolicy', { policy_id: id }))['policy']).toEqual(set['policy']);
    const unset = await call('setPolicy', { category: 'sdwan.peer_update', mode: null });
    expect(unset['policy']).toMatchObject({ id, mode: 'notify_and_proceed', revision: 3 });
  });

  test('are named by their category, by their id, or by both where these agree', async () => {
    const [first, second] = (await call('listPolicies', {}))['policies'] as unknown as Policy[];
    const mode = 'blocked';
    const named = (input: object) => failure(call('setPolicy', { ...input, mode, dry_run: true }));
    expect(await named({})).toMatchObject({ code: 'validation_failed' });
    expect(await named({ category: 'sdwan.nothing' })).toMatchObject({ code: 'validation_failed' });
    expect(await named({ policy_id: network['id'] })).toMatchObject({ code: 'not_found' });
    expect(await named({ policy_id: first?.id, category: second?.category })).toMatchObject({
      code: 'validation_failed',
    });
    const twice = { policy_id: first?.id, category: first?.category };
    const both = await call('setPolicy', { ...twice, mode, dry_run: true });
    expect(both).toMatchObject({ dry_run: true, policy: { id: first?.id, mode } });
  });

  test('what nobody answers in time is rejected', async () => {
    const pending = await call('deleteNetwork', { network_id: network['id'] });
    const later = () => new Date(Date.now() + 4 * 3600 * 1000 + 1000);
    const parts = { store: platform.store, bus: platform.bus };
    expect(await expireApprovals({ ...parts, now: () => new Date() })).toBe(0);
    expect(await expireApprovals({ ...parts, now: later })).toBeGreaterThan(0);
    const { approval } = await call('getApproval', { id: pending['deferred_operation']?.['id'] });
    expect(approval).toMatchObject({ status: 'rejected', decided_by: null });
    await call('getNetwork', { network_id: network['id'] });
  });
});

describe('an idempotency key', () => {
  const invoke = (input: object, key: string, action: ActionKey = 'createApiToken') =>
    platform.invoke({ caller: platform.admin, action, input, idempotencyKey: key, correlationId: key });

  test('gives the first answer again, with its secret, and does nothing again', async () => {
    const before = await rowCounts();
    const [first, ...others] = await Promise.all(
      Array.from({ length: 5 }, () => invoke({ name: 'once' }, `key-${names}`)),
    );
    for (const other of others) expect(other).toEqual(first);
    expect((await rowCounts())['api_tokens']).toBe((before['api_tokens'] ?? 0) + 1);
  });

  test('is refused with another request', async () => {
    await invoke({ name: 'once' }, `other-${names}`);
    expect(await failure(invoke({ name: 'twice' }, `other-${names}`))).toMatchObject({
      code: 'idempotency_conflict',
    });
  });

  test('gives nothing that was answered to one token to another of the same operator [9.1, 9.2]', async () => {
    const key = `token-${names}`;
    const first = await invoke({ name: 'once' }, key);
    const before = await rowCounts();
    for (const lesser of [{ permissions: ['system.api_tokens.manage'] }, { for_model: true }, {}]) {
      const { api_token: made } = await call('createApiToken', { name: 'lesser', ...lesser });
      const caller = await platform.callerOf(String(made?.['token']));
      const again = { caller, action: 'createApiToken', input: { name: 'once' } } as const;
      const replayed = platform.invoke({ ...again, idempotencyKey: key, correlationId: key });
      expect(await failure(replayed)).toMatchObject({ code: 'idempotency_conflict' });
    }
    expect((await rowCounts())['api_tokens']).toBe((before['api_tokens'] ?? 0) + 3);
    expect(await invoke({ name: 'once' }, key)).toEqual(first);
  });

  test('is free again when its request failed', async () => {
    const key = `failed-${names}`;
    await failure(invoke({ name: network['name'] }, key, 'createNetwork'));
    await invoke({ name: `${key}-network` }, key, 'createNetwork');
  });
});

describe('parameters', () => {
  test('an unknown one is refused by name', async () => {
    const error = await failure(call('createNetwork', { name: 'x', prefx: 'fd00::/64' }));
    expect(error.code).toBe('validation_failed');
    expect(error.fields).toMatchObject([{ path: 'prefx', code: 'unknown_parameter' }]);
  });

  test('id is the alias of the subject, and may not contradict it', async () => {
    expect((await call('getNetwork', { id: network['id'] }))['network']?.['name']).toBe(network['name']);
    const other = { id: network['id'], network_id: '01990000-0000-7000-8000-000000000001' };
    expect((await failure(call('getNetwork', other))).fields).toMatchObject([{ code: 'contradiction' }]);
  });

  test('an update with an old revision loses', async () => {
    const { network: changed } = await call('updateNetwork', {
      id: network['id'],
      description: 'one',
      if_revision: network['revision'],
    });
    expect(changed?.['revision']).toBe(Number(network['revision']) + 1);
    const late = call('updateNetwork', {
      id: network['id'],
      description: 'two',
      if_revision: network['revision'],
    });
    expect(await failure(late)).toMatchObject({ code: 'revision_conflict' });
  });
});

describe('addresses', () => {
  test('of a detached peer rest: only the same machine gets it back', async () => {
    const one = await platform.addMachine(platform.admin.accountId, `one-${names}`);
    const two = await platform.addMachine(platform.admin.accountId, `two-${names}`);
    const attach = async (machine: string) =>
      (await call('attachPeer', { network_id: network['id'], node_instance_id: machine }))['peer'] ?? {};
    const first = await attach(one);
    await call('detachPeer', { peer_id: first['id'], approve: true });
    const other = await attach(two);
    expect(other['host_address']).not.toBe(first['host_address']);
    expect((await attach(one))['host_address']).toBe(first['host_address']);
  });

  test('are never given twice, whoever asks at once', async () => {
    const machines = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        platform.addMachine(platform.admin.accountId, `many-${names}-${i}`),
      ),
    );
    const peers = await Promise.all(
      machines.map((machine) => call('attachPeer', { network_id: network['id'], node_instance_id: machine })),
    );
    expect(new Set(peers.map((answer) => answer['peer']?.['host_address'])).size).toBe(20);
    expect(new Set(peers.map((answer) => answer['peer']?.['public_key'])).size).toBe(20);
  });

  test('a network takes only a /64 of fd00::/8 that no other of the account has', async () => {
    for (const prefix of ['2001:db8::/64', 'fd00::/63', 'fc00::/64']) {
      expect((await failure(call('createNetwork', { name: `p-${prefix}`, prefix }))).fields).toMatchObject([
        { path: 'prefix' },
      ]);
    }
    expect(await failure(call('createNetwork', { name: 'again', prefix: network['prefix'] }))).toMatchObject({
      code: 'conflict',
    });
  });
});
