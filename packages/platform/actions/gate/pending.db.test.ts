// Asking twice for the same waits once, whoever asks; what is another request waits by itself.
import type { ActionKey } from '@powernode/core/actions/catalogue';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { inPlatform } from '../../store/tenancy.ts';
import { startTestPlatform, type TestPlatform, withPermissions } from '../../testing/test-platform.ts';
import type { Caller } from '../invoke-types.ts';

let platform: TestPlatform;
let colleague: Caller;
beforeAll(async () => {
  platform = await startTestPlatform();
  colleague = await newColleague('colleague');
});
afterAll(() => platform.close());

type Body = Record<string, Record<string, unknown>>;

async function call(key: ActionKey, input: object, caller?: Caller): Promise<Body> {
  return platform.call(key, input, caller);
}

async function newColleague(name: string): Promise<Caller> {
  const { operator } = await call('createOperator', { name, role: 'admin' });
  const { api_token: token } = await call('createApiToken', {
    operator_id: operator?.['id'],
    name: `${name}-token`,
  });
  return platform.callerOf(String(token?.['token']));
}

let names = 0;
let network: Record<string, unknown>;
beforeEach(async () => {
  names += 1;
  network = (await call('createNetwork', { name: `network-${names}` }))['network'] ?? {};
});

function deletion(caller?: Caller, more: object = {}): Promise<Body> {
  return call('deleteNetwork', { network_id: network['id'], ...more }, caller);
}

const idOf = (body: Body) => String(body['deferred_operation']?.['id']);

async function pendingRows() {
  return inPlatform(platform.store, (trx) =>
    trx
      .selectFrom('approvals')
      .selectAll()
      .where('status', '=', 'pending')
      .where('action', '=', 'system_sdwan_delete_network')
      .execute()
      .then((rows) => rows.filter((row) => (row.input as Body)['network_id'] === network['id'])),
  );
}

test('deleting twice is one approval, by either name of the object, also at the same moment [9.13]', async () => {
  const first = idOf(await deletion());
  expect(idOf(await deletion())).toBe(first);
  expect(idOf(await call('deleteNetwork', { id: network['id'] }))).toBe(first);
  network = (await call('createNetwork', { name: `at-once-${names}` }))['network'] ?? {};
  const ids = await Promise.all(Array.from({ length: 6 }, async () => idOf(await deletion())));
  expect(new Set(ids).size).toBe(1);
  expect(await pendingRows()).toHaveLength(1);
});

test('a colleague who asks for the same is given what waits, and is named in the events [9.13]', async () => {
  const first = idOf(await deletion());
  expect(idOf(await deletion(colleague))).toBe(first);
  const { events } = await call('recentEvents', { kind_prefix: 'system.approval.asked_again' });
  expect(events).toMatchObject([
    { actor: { id: colleague.operatorId, name: 'colleague' }, payload: { approval_id: first } },
  ]);
  await call('decideApproval', { approval_id: first, decision: 'approve' });
  expect(await pendingRows()).toHaveLength(0);
});

test('a request whose requester has lost the right is not the answer to another one [9.13]', async () => {
  const leaver = await newColleague(`leaver-${names}`);
  const first = idOf(await deletion(leaver));
  await call('disableOperator', { operator_id: leaver.operatorId });
  const second = idOf(await deletion());
  expect(second).not.toBe(first);
  expect(idOf(await deletion(colleague))).toBe(second);
});

test('the plan that is decided about is that of the last time that somebody asked [9.13]', async () => {
  const first = idOf(await deletion());
  const hub = await platform.addMachine(platform.admin.accountId, `hub-${names}`, {
    publicAddress: '203.0.113.1',
  });
  await call('attachPeer', { network_id: network['id'], node_instance_id: hub });
  const again = await deletion();
  expect(idOf(again)).toBe(first);
  expect(again['plan']).toMatchObject({ node_count: 1 });
  const { approval } = await call('getApproval', { approval_id: first });
  expect(approval).toMatchObject({ plan: { node_count: 1 }, revision: 2 });
});

test('a deletion is one, at whichever revision of its object it was asked for [9.13]', async () => {
  const at = { if_revision: network['revision'] };
  const first = idOf(await deletion());
  expect(idOf(await deletion(undefined, at))).toBe(first);
  expect(await pendingRows()).toHaveLength(1);
  await call('decideApproval', { approval_id: first, decision: 'reject' });
  const second = idOf(await deletion(undefined, at));
  expect(second).not.toBe(first);
  expect(idOf(await deletion())).toBe(second);
  expect(await pendingRows()).toHaveLength(1);
});

test('other parameters, and another revision of what is changed, are another request [9.13]', async () => {
  const category = 'sdwan.network_update';
  await call('setPolicy', { category, mode: 'require_approval' });
  const change = async (more: object) =>
    idOf(await call('updateNetwork', { network_id: network['id'], description: 'one', ...more }));
  const first = await change({});
  expect(await change({})).toBe(first);
  expect(await change({ description: 'two' })).not.toBe(first);
  expect(await change({ if_revision: network['revision'] })).not.toBe(first);
  await call('setPolicy', { category, mode: null });
});

test('what creates something waits once for a token that repeats itself, and for each that is another [9.13]', async () => {
  const category = 'system.join_token_create';
  await call('setPolicy', { category, mode: 'require_approval' });
  const ask = async (caller?: Caller) => idOf(await call('createJoinToken', { name_hint: 'edge' }, caller));
  const first = await ask();
  expect(await ask()).toBe(first);
  expect(await ask(colleague)).not.toBe(first);
  const keyed = async (idempotencyKey: string) => {
    const outcome = await platform.invoke({
      ...{ caller: platform.admin, action: 'createJoinToken', input: { name_hint: 'edge' } },
      ...{ idempotencyKey, correlationId: idempotencyKey },
    });
    return idOf(outcome.body as Body);
  };
  const one = await keyed('one');
  expect(one).not.toBe(first);
  expect(await keyed('one')).toBe(one);
  expect(await keyed('two')).not.toBe(one);
  await call('setPolicy', { category, mode: null });
});

test('whoever may not do it is refused, and is told nothing of what waits', async () => {
  await deletion();
  const lesser = withPermissions(colleague, ['system.sdwan.networks.read']);
  await expect(deletion(lesser)).rejects.toMatchObject({ code: 'permission_denied' });
});
