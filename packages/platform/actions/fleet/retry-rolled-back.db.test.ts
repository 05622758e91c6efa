// An operator has a machine try again what it took back, over real streams, also when the machine is at another process.
import type { PlatformMessage } from '@powernode/core/wire/node-stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { enrolSimulated } from '../../deliver/simulated-enrolment.ts';
import { SimulatedNode } from '../../deliver/simulated-node.ts';
import { randomKey } from '../../deliver/testing/stage.fixture.ts';
import { startTestPlatform, type TestPlatform } from '../../testing/test-platform.ts';
import { makeMachine } from '../../trust/machine.fixture.ts';

let platform: TestPlatform;
/** By process: the first, and another one. */
let nodeUrls: string[];

beforeAll(async () => {
  platform = await startTestPlatform({ isShared: true });
  const other = await platform.startProcess();
  nodeUrls = await Promise.all(
    [platform.delivery, other.delivery].map(async (delivery) => {
      const { port } = await delivery.listen({ host: '127.0.0.1', port: 0 });
      return `https://127.0.0.1:${port}`;
    }),
  );
});
afterAll(() => platform.close());

async function call<Answer>(key: Parameters<TestPlatform['call']>[0], input: object): Promise<Answer> {
  return (await platform.call(key, input)) as unknown as Answer;
}

interface Instance {
  readonly connected: boolean;
  readonly problems: readonly { readonly code: string }[];
}

const instanceOf = async (id: string) =>
  (await call<{ instance: Instance }>('getInstance', { instance_id: id })).instance;

async function connected(nodeUrl: string) {
  const { join_token } = await call<{ join_token: { token: string } }>('createJoinToken', {});
  const machine = await makeMachine();
  const answer = await enrolSimulated({
    nodeUrl,
    token: join_token.token,
    fingerprint: platform.authority.fingerprint(),
    keyPem: machine.keyPem,
    selfSignedPem: machine.selfSignedPem,
    csrPem: machine.csrPem,
    hostname: 'edge',
    unusedKeys: [randomKey()],
  });
  const frames: PlatformMessage[] = [];
  const node = new SimulatedNode({
    nodeUrl,
    credentials: {
      keyPem: machine.keyPem,
      certificatePem: answer.certificate_pem,
      authorityPem: answer.authority_pem,
    },
    onMessage: (message) => frames.push(message),
  });
  await node.connect();
  const id = answer.instance_id;
  await expect.poll(async () => (await instanceOf(id)).connected).toBe(true);
  return { id, node, retries: () => frames.filter(({ kind }) => kind === 'retry').length };
}

const rolledBack = {
  subsystem: 'agent',
  code: 'change_rolled_back',
  detail: 'Revision 3 was taken back.',
  since: '2026-11-29T10:00:00.000Z',
};

const eventsOf = async (id: string) => {
  const found = await call<{ events: { payload: Record<string, unknown> }[] }>('recentEvents', {
    kind_prefix: 'system.instance.retried',
  });
  return found.events.filter(({ payload }) => payload['node_instance_id'] === id);
};

test.each([
  ['at this process', 0],
  ['at another process', 1],
])('a machine %s is told once to try again what it took back [9.10]', async (_, at) => {
  const { id, node, retries } = await connected(nodeUrls[at] ?? '');
  await expect(call('retryRolledBack', { instance_id: id })).rejects.toMatchObject({
    code: 'conflict',
    detail: expect.stringContaining('Nothing was rolled back'),
  });
  node.say({ kind: 'problems', problems: [rolledBack] });
  await expect.poll(async () => (await instanceOf(id)).problems.length).toBe(1);
  // Told for each network and for the machine, and the same text.
  node.say({ kind: 'problems', problems: [rolledBack, { ...rolledBack, interface: 'wg-office' }] });
  await expect.poll(async () => (await instanceOf(id)).problems.length).toBe(2);
  const { plan } = await call<{ plan: unknown }>('retryRolledBack', { instance_id: id, dry_run: true });
  const detail = `apply again what was rolled back. ${rolledBack.detail}`;
  const changes = [{ op: 'set', key: 'change_rolled_back', detail }];
  expect(plan).toEqual({
    nodes: [{ instance_id: id, hostname: 'edge', changes, changes_count: 1 }],
    node_count: 1,
    truncated: false,
  });
  await call('retryRolledBack', { instance_id: id });
  await expect.poll(retries).toBe(1);
  expect(await eventsOf(id)).toMatchObject([
    {
      payload: {
        hostname: 'edge',
        problems: Array.from({ length: 2 }, () => ({
          code: 'change_rolled_back',
          detail: rolledBack.detail,
        })),
      },
    },
  ]);
  // A later question to the same stream comes after whatever else was told on it.
  await call('retryRolledBack', { instance_id: id });
  await expect.poll(retries).toBe(2);
  node.close();
  await expect.poll(async () => (await instanceOf(id)).connected).toBe(false);
  await expect(call('retryRolledBack', { instance_id: id })).rejects.toMatchObject({
    code: 'conflict',
    detail: expect.stringContaining('is offline'),
  });
  expect(retries()).toBe(2);
  await call('terminateInstance', { instance_id: id, approve: true });
  await expect(call('retryRolledBack', { instance_id: id })).rejects.toMatchObject({
    code: 'conflict',
    detail: expect.stringContaining('terminated'),
  });
});
