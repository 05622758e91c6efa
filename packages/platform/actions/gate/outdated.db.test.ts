// A request that waits with the revision of an object is closed when the object moves on, and its requester is told.
import { type ActionKey, actionKeys, definitionOf } from '@powernode/core/actions/catalogue';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { inPlatform } from '../../store/tenancy.ts';
import { startTestPlatform, type TestPlatform } from '../../testing/test-platform.ts';
import { expireApprovals } from '../autonomy/expire.ts';
import { nouns } from '../nouns.ts';
import { closeOutdated, revisedNouns } from './outdated.ts';

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform();
});
afterAll(() => platform.close());

type Body = Record<string, Record<string, unknown>>;
const call = (key: ActionKey, input: object): Promise<Body> => platform.call(key, input);

let count = 0;
let network: Record<string, unknown>;
beforeEach(async () => {
  count += 1;
  network = (await call('createNetwork', { name: `network-${count}` }))['network'] ?? {};
});

async function askToDelete(more: object = { if_revision: network['revision'] }): Promise<string> {
  const body = await call('deleteNetwork', { network_id: network['id'], ...more });
  return String(body['deferred_operation']?.['id']);
}

const approval = async (id: string) => (await call('getApproval', { approval_id: id }))['approval'];

async function failures(id: string): Promise<unknown[]> {
  const { events } = await call('recentEvents', { kind_prefix: 'system.approval.failed', limit: 100 });
  return (events as unknown as Body[]).filter(({ payload }) => payload?.['approval_id'] === id);
}

test('a change of the object closes it at once, with an event that names its requester [9.13]', async () => {
  const id = await askToDelete();
  await call('updateNetwork', { network_id: network['id'], description: 'moved on' });
  const detail = 'Its object now has revision 2 by now, not 1. Read it again and submit a new request.';
  expect(await approval(id)).toMatchObject({
    status: 'failed',
    decided_by: null,
    reason: detail,
    error: { code: 'revision_conflict', current_revision: 2, detail },
  });
  expect(await failures(id)).toMatchObject([
    {
      severity: 'warning',
      payload: {
        outdated: true,
        reason: detail,
        requested_by: { id: platform.admin.operatorId, name: platform.admin.operatorName },
      },
    },
  ]);
  const decided = call('decideApproval', { approval_id: id, decision: 'approve' });
  await expect(decided).rejects.toMatchObject({ code: 'conflict' });
});

test('one without a revision, of the newest one, or about another object waits on [9.13]', async () => {
  const other = await askToDelete();
  const changed = (await call('createNetwork', { name: `other-${count}` }))['network'];
  await call('updateNetwork', { network_id: changed?.['id'], description: 'moved on' });
  expect(await approval(other)).toMatchObject({ status: 'pending' });
  const { network: after } = await call('updateNetwork', { network_id: network['id'], description: 'moved' });
  const newest = await askToDelete({ if_revision: after?.['revision'] });
  // What changes nothing moves nothing on.
  await call('updateNetwork', { network_id: network['id'], description: 'moved' });
  expect(await approval(newest)).toMatchObject({ status: 'pending' });
  network = changed ?? {};
  const free = await askToDelete({});
  await call('updateNetwork', { network_id: network['id'], description: 'moved again' });
  expect(await approval(free)).toMatchObject({ status: 'pending' });
});

test('of two that wait the one that is approved closes the other, as its object is gone [9.13]', async () => {
  const category = 'sdwan.network_update';
  await call('setPolicy', { category, mode: 'require_approval' });
  const asked = await call('updateNetwork', {
    network_id: network['id'],
    description: 'moved on',
    if_revision: network['revision'],
  });
  await call('setPolicy', { category, mode: null });
  const id = String(asked['deferred_operation']?.['id']);
  const free = await askToDelete({});
  expect(await call('decideApproval', { approval_id: free, decision: 'approve' })).toMatchObject({
    approval: { status: 'approved' },
  });
  expect(await approval(id)).toMatchObject({ status: 'failed', error: { code: 'not_found' } });
});

test('the sweep finds what moved on behind the gate, once [9.13]', async () => {
  const id = await askToDelete();
  await inPlatform(platform.store, (trx) =>
    trx.updateTable('networks').set({ revision: 7 }).where('id', '=', String(network['id'])).execute(),
  );
  const sweep = () => expireApprovals({ store: platform.store, bus: platform.bus, now: () => new Date() });
  await sweep();
  await sweep();
  expect(await approval(id)).toMatchObject({ status: 'failed', error: { current_revision: 7 } });
  expect(await failures(id)).toMatchObject([{ actor: { kind: 'platform' }, payload: { outdated: true } }]);
});

test('every action with a revision is about an object that is found', () => {
  const subjects = actionKeys.flatMap((key) => {
    const { revised, subject } = definitionOf(key);
    // The account's own AS number has no subject: its revision is checked when the approval is carried out.
    if (key === 'updateAccountAsNumber') return [];
    return revised ? [subject ?? key] : [];
  });
  const found = new Set(revisedNouns(nouns).map(({ noun }) => `${noun.kind}_id`));
  expect(subjects.filter((subject) => !found.has(subject))).toEqual([]);
});

test('however many wait, a change looks at them with as many statements as for one [9.6]', async () => {
  const statementsFor = async (waiting: number) => {
    const { network: made } = await call('createNetwork', { name: `asked-${waiting}` });
    for (let i = 0; i < waiting; i++) {
      await call('updateNetwork', {
        network_id: made?.['id'],
        description: `wanted ${i}`,
        if_revision: made?.['revision'],
      });
    }
    return inPlatform(platform.store, async (trx) => {
      let count = 0;
      const counted = trx.withPlugin({
        transformQuery: ({ node }) => {
          count += 1;
          return node;
        },
        transformResult: async ({ result }) => result,
      });
      await trx.updateTable('networks').set({ revision: 9 }).where('id', '=', String(made?.['id'])).execute();
      const closed = await closeOutdated(counted, { now: new Date(), nouns });
      return { count, closed: closed.length };
    });
  };
  await call('setPolicy', { category: 'sdwan.network_update', mode: 'require_approval' });
  const one = await statementsFor(1);
  const many = await statementsFor(40);
  await call('setPolicy', { category: 'sdwan.network_update', mode: null });
  expect([one.closed, many.closed]).toEqual([1, 40]);
  expect(one.count).toBeGreaterThan(0);
  expect(many.count).toBe(one.count);
});
