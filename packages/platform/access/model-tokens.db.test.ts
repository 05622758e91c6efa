// A token that was made for a model: what it is held to, whichever way a call with it comes.
import type { ActionKey } from '@powernode/core/actions/catalogue';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Caller, OverMcp } from '../actions/invoke-types.ts';
import { startTestPlatform, type TestPlatform } from '../testing/test-platform.ts';

let platform: TestPlatform;
let model: Caller;
beforeAll(async () => {
  platform = await startTestPlatform();
  const { api_token: made } = await platform.call('createApiToken', { name: 'assistant', for_model: true });
  expect(made).toMatchObject({ for_model: true });
  model = await platform.callerOf(String(made?.['token']));
});
afterAll(() => platform.close());

/** undefined: by HTTP, without a word of MCP. */
const ways: readonly (OverMcp | undefined)[] = [undefined, 'model', 'person'];

async function ask(key: ActionKey, input: object, overMcp?: OverMcp) {
  const invocation = { caller: model, action: key, input, correlationId: 'model', overMcp };
  const { status, body } = await platform.invoke(invocation);
  return { status, body: body as Record<string, Record<string, unknown>> };
}

test.each(ways)('a call that comes as %s waits for a person where a model’s does [9.5]', async (way) => {
  const colleague = { name: `of a model, ${way ?? 'http'}`, role: 'viewer' };
  const { status, body } = await ask('createOperator', colleague, way);
  expect(status).toBe(202);
  const approval_id = body['deferred_operation']?.['id'];
  const denied = { code: 'permission_denied' };
  await expect(ask('createOperator', { ...colleague, approve: true }, way)).rejects.toMatchObject(denied);
  const loosening = { category: 'sdwan.network_delete', mode: 'auto_approve' };
  await expect(ask('setPolicy', loosening, way)).rejects.toMatchObject(denied);
  for (const decision of ['approve', 'reject']) {
    await expect(ask('decideApproval', { approval_id, decision }, way)).rejects.toMatchObject(denied);
  }
  await platform.call('decideApproval', { approval_id, decision: 'reject' });
  expect((await ask('createNetwork', { name: `as ${way ?? 'http'}` }, way)).status).toBe(201);
});

test.each(ways)(
  'no secret is shown to a call that comes as %s, also when a person has approved it [9.5]',
  async (way) => {
    const { body } = await ask('createJoinToken', { name_hint: `edge-${way ?? 'http'}` }, way);
    const approval_id = body['deferred_operation']?.['id'];
    await platform.call('decideApproval', { approval_id, decision: 'approve' });
    const seen = await ask('getApproval', { approval_id }, way);
    expect(seen.body['approval']).toMatchObject({ status: 'approved' });
    expect(JSON.stringify(seen.body)).not.toMatch(/pn[tjb]_/);
  },
);

test('it decides nothing, and what it makes is for a model too [9.5]', async () => {
  expect(model.permissions.has('system.approvals.decide')).toBe(false);
  expect(model.permissions.has('system.sdwan.networks.manage')).toBe(true);
  const { body } = await ask('createApiToken', { name: 'more' });
  const approval_id = body['deferred_operation']?.['id'];
  const decided = await platform.call('decideApproval', { approval_id, decision: 'approve' });
  const { result } = decided['approval'] as unknown as { result: Record<string, object> };
  expect(result['api_token']).toMatchObject({ name: 'more', for_model: true });
});
