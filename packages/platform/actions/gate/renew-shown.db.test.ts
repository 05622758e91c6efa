// Whoever decides sees what a request would do to the object as it is now, and decides about what was shown.
import type { ActionKey } from '@powernode/core/actions/catalogue';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { makeTenant, type Tenant } from '../../testing/tenant.fixture.ts';
import { startTestPlatform, type TestPlatform } from '../../testing/test-platform.ts';

let platform: TestPlatform;
let tenant: Tenant;
beforeAll(async () => {
  platform = await startTestPlatform();
  tenant = await makeTenant(platform, 'shown');
  await setMode('require_approval');
});
afterAll(() => platform.close());

type Body = Record<string, Record<string, unknown>>;
const call = (key: ActionKey, input: object): Promise<Body> => platform.call(key, input);
const setMode = (mode: string | null) => call('setPolicy', { category: 'sdwan.network_update', mode });

let count = 0;
let network: Record<string, unknown>;
beforeEach(async () => {
  count += 1;
  network = (await call('createNetwork', { name: `shown-${count}`, description: 'first' }))['network'] ?? {};
});

const change = (input: object) =>
  call('updateNetwork', { network_id: network['id'], ...input, approve: true });
const read = async (id: string) => (await call('getApproval', { approval_id: id }))['approval'] ?? {};
const decide = (id: string, more: object = {}) =>
  call('decideApproval', { approval_id: id, decision: 'approve', ...more });

async function ask(key: ActionKey, input: object = {}): Promise<string> {
  const body = await call(key, { network_id: network['id'], ...input });
  return String(body['deferred_operation']?.['id']);
}

test('a request that is read shows the values of now, and those alone can be approved [9.5]', async () => {
  const id = await ask('updateNetwork', { description: 'wanted' });
  const asked = await read(id);
  const field = { path: 'description', after: 'wanted' };
  expect(asked['plan']).toMatchObject({ revision: 1, fields: [{ ...field, before: 'first' }] });
  await change({ description: 'second' });
  await expect(decide(id)).rejects.toMatchObject({
    code: 'revision_conflict',
    detail: expect.stringContaining('the values of description are others now'),
    members: {
      changed: [
        {
          path: 'description',
          shown: { before: 'first', after: 'wanted' },
          now: { before: 'second', after: 'wanted' },
        },
      ],
    },
  });
  const again = await read(id);
  expect(again).toMatchObject({
    status: 'pending',
    plan: { revision: 2, fields: [{ ...field, before: 'second' }] },
  });
  await expect(decide(id, { if_revision: asked['revision'] })).rejects.toMatchObject({
    code: 'revision_conflict',
    members: { current_revision: again['revision'] },
  });
  const { approval } = await decide(id, { if_revision: again['revision'] });
  expect(approval).toMatchObject({ status: 'approved', result: { network: { description: 'wanted' } } });
});

test('what is unlike what was shown leaves nothing behind', async () => {
  const id = await ask('updateNetwork', { description: 'wanted' });
  await change({ description: 'second' });
  await expect(decide(id)).rejects.toMatchObject({ code: 'revision_conflict' });
  const { network: after } = await call('getNetwork', { network_id: network['id'] });
  expect(after).toMatchObject({ description: 'second', revision: 2 });
});

test('a change of other fields than those of the request stands in the way of nothing', async () => {
  const id = await ask('updateNetwork', { description: 'wanted' });
  await change({ name: `renamed-${count}` });
  expect((await decide(id))['approval']).toMatchObject({ status: 'approved' });
});

test('what takes its object away is held to the revision that was shown [9.5]', async () => {
  const id = await ask('deleteNetwork');
  await change({ description: 'second' });
  await expect(decide(id)).rejects.toMatchObject({
    code: 'revision_conflict',
    members: { current_revision: 2 },
  });
  expect(await read(id)).toMatchObject({ status: 'pending', plan: { revision: 2 } });
  expect((await decide(id))['approval']).toMatchObject({ status: 'approved' });
});

test('whoever may read requests and not decide them sees what was shown last', async () => {
  const { operator } = await call('createOperator', { name: `reads-${count}`, role: 'viewer' });
  const made = await call('createApiToken', { operator_id: operator?.['id'], name: 'reads' });
  const viewer = await platform.callerOf(String(made['api_token']?.['token']));
  const approval_id = await ask('updateNetwork', { description: 'wanted' });
  await change({ description: 'second' });
  const seen: Body = await platform.call('getApproval', { approval_id }, viewer);
  expect(seen['approval']).toMatchObject({ revision: 1, plan: { fields: [{ before: 'first' }] } });
  expect(await read(approval_id)).toMatchObject({ revision: 2, plan: { fields: [{ before: 'second' }] } });
});

test('who refuses need not have read it again', async () => {
  const id = await ask('updateNetwork', { description: 'wanted' });
  await change({ description: 'second' });
  await expect(call('decideApproval', { approval_id: id, decision: 'reject' })).resolves.toMatchObject({
    approval: { status: 'rejected' },
  });
});

test('what can only fail by now says so to whoever reads it, and its approval fails as before', async () => {
  const id = await ask('updateNetwork', { description: 'wanted' });
  await call('deleteNetwork', { network_id: network['id'], approve: true });
  expect((await read(id))['plan']).toMatchObject({
    node_count: 0,
    notes: [{ code: 'would_fail', detail: expect.stringContaining('There is no network') }],
  });
  expect((await decide(id))['approval']).toMatchObject({ status: 'failed', error: { code: 'not_found' } });
});

test('what was shown to fail, and would not any more, is read again before it is approved', async () => {
  const { operator } = await call('createOperator', { name: `asks-${count}`, role: 'admin' });
  const operator_id = operator?.['id'];
  const { api_token: made } = await call('createApiToken', { operator_id, name: 'asks' });
  const colleague = await platform.callerOf(String(made?.['token']));
  const asked: Body = await platform.call('deleteNetwork', { network_id: network['id'] }, colleague);
  const id = String(asked['deferred_operation']?.['id']);
  await call('disableOperator', { operator_id });
  expect((await read(id))['plan']).toMatchObject({ notes: [{ code: 'would_fail' }] });
  await call('updateOperator', { operator_id, disabled: false });
  await expect(decide(id)).rejects.toMatchObject({ code: 'revision_conflict' });
  expect((await read(id))['plan']).not.toHaveProperty('notes');
  expect((await decide(id))['approval']).toMatchObject({ status: 'approved' });
});

test('reading what nobody has changed changes nothing, also where each trial makes new objects', async () => {
  const categories = ['sdwan.firewall_rule_create', 'sdwan.virtual_ip_create', 'sdwan.port_mapping_create'];
  const inTenant = (key: ActionKey, input: object): Promise<Body> => platform.call(key, input, tenant.caller);
  for (const category of categories) await inTenant('setPolicy', { category, mode: 'require_approval' });
  const { network_id, peer_id, hub_peer_id } = tenant.ids;
  const waiting = [
    await inTenant('createFirewallRule', {
      network_id,
      name: 'again',
      direction: 'ingress',
      action: 'drop',
      selector: { kind: 'peer', peer_id },
      destination: { kind: 'peer', peer_id: hub_peer_id },
    }),
    await inTenant('createVirtualIp', { network_id, name: 'again', primary_holder_peer_id: hub_peer_id }),
    await inTenant('createPortMapping', {
      network_id,
      external_address: '203.0.113.9',
      external_port: 8444,
      internal_peer_id: peer_id,
      internal_port: 80,
      protocol: 'tcp',
    }),
    await inTenant('detachPeer', { peer_id }),
  ];
  const rule = { name: 'again', direction: 'ingress', action: 'drop', selector: { kind: 'peer', peer_id } };
  const destination = { kind: 'peer', peer_id: hub_peer_id };
  const repeated = await inTenant('createFirewallRule', { network_id, ...rule, destination });
  expect(repeated['deferred_operation']).toMatchObject({
    id: waiting[0]?.['deferred_operation']?.['id'],
    revision: 1,
  });
  for (const { deferred_operation: waits } of waiting) {
    const approval_id = waits?.['id'];
    const { approval: one } = await inTenant('getApproval', { approval_id });
    const { approval: two } = await inTenant('getApproval', { approval_id });
    expect([waits?.['revision'], one?.['revision'], two?.['revision']]).toEqual([1, 1, 1]);
  }
});

test('what is observed of a peer does not put off its removal', async () => {
  const inTenant = (key: ActionKey, input: object): Promise<Body> => platform.call(key, input, tenant.caller);
  const { deferred_operation: waits } = await inTenant('detachPeer', { peer_id: tenant.ids.peer_id });
  // As its machine would by saying something else of itself.
  await inTenant('setPeerTags', { peer_id: tenant.ids.peer_id, tags: ['moves'] });
  const input = { approval_id: waits?.['id'], decision: 'approve', dry_run: true };
  await expect(inTenant('decideApproval', input)).resolves.toMatchObject({
    approval: { status: 'approved' },
  });
});
