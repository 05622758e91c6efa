// No more requests wait than people can decide, and those of models are in nobody's way.
import {
  pendingOfModelsPerAccountMax,
  pendingPerAccountMax,
  pendingPerRequesterMax,
} from '@powernode/core/limits/requests';
import { v7 as uuidv7 } from 'uuid';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { inPlatform } from '../../store/tenancy.ts';
import { startTestPlatform, type TestPlatform } from '../../testing/test-platform.ts';

let platform: TestPlatform;
let networkId: string;
/** Requests about what is gone would be closed meanwhile. */
let otherId: string;
beforeAll(async () => {
  platform = await startTestPlatform();
  const { network } = await platform.call('createNetwork', { name: 'office' });
  networkId = String(network?.['id']);
  const { network: other } = await platform.call('createNetwork', { name: 'other' });
  otherId = String(other?.['id']);
});
afterAll(() => platform.close());
beforeEach(() => inPlatform(platform.store, (trx) => trx.deleteFrom('approvals').execute()));

/** Requests that wait already: of the caller, or of somebody else. */
async function waiting(count: number, of: { readonly own: boolean; readonly ofModel: boolean }) {
  const { accountId, operatorId } = platform.admin;
  const row = () => ({
    id: uuidv7(),
    account_id: accountId,
    action: 'system_sdwan_delete_network',
    category: 'sdwan.network_delete',
    summary: 'Delete a network: other',
    input: JSON.stringify({ network_id: otherId }),
    plan: null,
    status: 'pending' as const,
    of_model: of.ofModel,
    requested_by: of.own ? operatorId : null,
    requested_by_name: 'somebody',
    requested_token_id: null,
    expires_at: new Date(Date.now() + 3_600_000),
    correlation_id: 'waiting',
  });
  await inPlatform(platform.store, (trx) =>
    trx
      .insertInto('approvals')
      .values(Array.from({ length: count }, row))
      .execute(),
  );
}

function ask(overMcp?: 'model') {
  const input = { network_id: networkId };
  const { admin: caller } = platform;
  return platform.invoke({ caller, action: 'deleteNetwork', input, correlationId: 'asked', overMcp });
}

test('of one operator so many wait, and what waits already is still the answer [9.6]', async () => {
  await waiting(pendingPerRequesterMax - 1, { own: true, ofModel: false });
  const first = await ask();
  expect(first.status).toBe(202);
  expect(await ask()).toMatchObject({
    body: { deferred_operation: { id: (first.body['deferred_operation'] as { id: string }).id } },
  });
  const { network: third } = await platform.call('createNetwork', { name: 'third' });
  const more = platform.invoke({
    caller: platform.admin,
    action: 'deleteNetwork',
    input: { network_id: String(third?.['id']) },
    correlationId: 'more',
  });
  await expect(more).rejects.toMatchObject({
    code: 'conflict',
    detail: expect.stringMatching(/^100 of your requests are pending.*powernode approval decide/),
  });
});

test.each([
  [pendingPerAccountMax, false, undefined],
  [pendingOfModelsPerAccountMax, true, 'model'],
] as const)('%d wait of a whole account, of models: %s [9.6]', async (max, ofModel, overMcp) => {
  await waiting(max, { own: false, ofModel });
  await expect(ask(overMcp)).rejects.toMatchObject({
    code: 'conflict',
    detail: expect.stringContaining('of this account are pending'),
  });
});

test('as many as may wait of models keep no person from asking, nor the other way [9.6]', async () => {
  await waiting(pendingPerRequesterMax, { own: true, ofModel: true });
  await expect(ask('model')).rejects.toMatchObject({ code: 'conflict' });
  expect((await ask()).status).toBe(202);
  await inPlatform(platform.store, (trx) => trx.deleteFrom('approvals').execute());
  await waiting(pendingPerRequesterMax, { own: true, ofModel: false });
  await expect(ask()).rejects.toMatchObject({ code: 'conflict' });
  expect((await ask('model')).status).toBe(202);
});
