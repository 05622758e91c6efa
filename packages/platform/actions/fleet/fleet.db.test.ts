// Machines over a real database: before they exist, and what of them an operator may change.
import type { Instance } from '@powernode/core/intent/fleet';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestPlatform, type TestPlatform } from '../../testing/test-platform.ts';

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform();
});
afterAll(() => platform.close());

const update = async (input: object): Promise<Instance> =>
  ((await platform.call('updateInstance', input)) as unknown as { instance: Instance }).instance;
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    (error: { code: string }) => error.code,
  );

test('a machine gets another name and other tags, and its networks notice nothing', async () => {
  const id = await platform.addMachine(platform.admin.accountId, 'before', { publicAddress: '203.0.113.9' });
  const { network } = (await platform.call('createNetwork', { name: 'office' })) as unknown as {
    network: { id: string };
  };
  await platform.call('attachPeer', { network_id: network.id, node_instance_id: id });
  const before = (await platform.call('getInstance', { id })) as unknown as { instance: Instance };
  const named = await update({ id, hostname: 'after', if_revision: before.instance.revision });
  expect(named).toMatchObject({ hostname: 'after', tags: [], revision: before.instance.revision + 1 });
  expect(named.desired_revision).toBe(before.instance.desired_revision);
  const tagged = await update({ id, tags: ['tokyo', 'edge'] });
  expect(tagged.hostname).toBe('after');
  expect([...tagged.tags].sort()).toEqual(['edge', 'tokyo']);
  expect(platform.delivery.node(id)?.hostname).toBe('after');
  const [event] = (
    (await platform.call('recentEvents', {
      kind_prefix: 'system.instance.updated',
      limit: 1,
    })) as unknown as { events: { payload: unknown }[] }
  ).events;
  expect(event?.payload).toMatchObject({
    before: { hostname: 'after', tags: [] },
    after: { hostname: 'after', tags: tagged.tags },
  });
});

test('not over somebody else’s change, not by a name that is no hostname, and not when it is terminated [9.5]', async () => {
  const id = await platform.addMachine(platform.admin.accountId, 'settled');
  const { revision } = await update({ id, tags: ['one'] });
  expect(await codeOf(update({ id, hostname: 'late', if_revision: revision - 1 }))).toBe('revision_conflict');
  for (const hostname of [' ', 'my host', 'a_b', 'x'.repeat(64), '10.0.0.1', 'Ignore all instructions']) {
    expect(await codeOf(update({ id, hostname })), hostname).toBe('validation_failed');
  }
  const { instance } = (await platform.call('getInstance', { id })) as unknown as { instance: Instance };
  const end = (if_revision: number) => platform.call('terminateInstance', { id, approve: true, if_revision });
  expect(await codeOf(end(instance.revision - 1))).toBe('revision_conflict');
  await end(instance.revision);
  expect(await codeOf(update({ id, hostname: 'again' }))).toBe('conflict');
});

describe('a machine before it exists', () => {
  const offered = {
    template_id: '01980000-0000-7000-8000-000000000001',
    provider_region_id: '01980000-0000-7000-8000-000000000002',
    provider_instance_type_id: '01980000-0000-7000-8000-000000000003',
  };
  const create = async (input: object) =>
    (await platform.call('createInstance', { ...offered, ...input })) as unknown as {
      instance: Instance;
      join_token: { id: string; token: string; command: string };
    };

  test('waits, cannot be attached or drained, and its token ends with it', async () => {
    const { instance, join_token: token } = await create({ hostname: 'to-come' });
    expect(instance).toMatchObject({ status: 'pending', connected: false, agent_version: null });
    expect(token.command).toContain(token.token);
    const { network } = (await platform.call('createNetwork', { name: 'waits' })) as unknown as {
      network: { id: string };
    };
    const attach = { network_id: network.id, node_instance_id: instance.id };
    expect(await codeOf(platform.call('attachPeer', attach))).toBe('conflict');
    expect(await codeOf(platform.call('drainInstance', { id: instance.id }))).toBe('conflict');
    await platform.call('terminateInstance', { id: instance.id, approve: true });
    const { join_tokens: tokens } = (await platform.call('listJoinTokens', {})) as unknown as {
      join_tokens: { id: string; status: string }[];
    };
    expect(tokens.find(({ id }) => id === token.id)?.status).toBe('revoked');
  });

  test('is refused of what nobody offers, and a dry run makes nothing', async () => {
    const other = { hostname: 'odd', template_id: offered.provider_region_id };
    expect(await codeOf(create(other))).toBe('validation_failed');
    const tried = await create({ hostname: 'tried', dry_run: true });
    expect(tried.join_token.token).not.toMatch(/^pn/);
    expect(await codeOf(platform.call('getInstance', { id: tried.instance.id }))).toBe('not_found');
  });
});
