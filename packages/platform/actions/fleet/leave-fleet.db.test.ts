// A machine that joins can be attached from then on, and one that leaves is ended in its own name, over real mutual TLS.
import { request } from 'node:https';
import { leavePath } from '@powernode/core/wire/enrolment';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { enrolSimulated } from '../../deliver/simulated-enrolment.ts';
import { type NodeCredentials, SimulatedNode } from '../../deliver/simulated-node.ts';
import { randomKey } from '../../deliver/testing/stage.fixture.ts';
import { startTestPlatform, type TestPlatform } from '../../testing/test-platform.ts';
import { makeMachine } from '../../trust/machine.fixture.ts';

let platform: TestPlatform;
let nodeUrl: string;

beforeAll(async () => {
  platform = await startTestPlatform();
  nodeUrl = `https://127.0.0.1:${(await platform.delivery.listen({ host: '127.0.0.1', port: 0 })).port}`;
});
afterAll(() => platform.close());

interface Joined {
  readonly instanceId: string;
  readonly credentials: NodeCredentials;
}

async function call<Answer>(key: Parameters<TestPlatform['call']>[0], input: object): Promise<Answer> {
  return (await platform.call(key, input)) as unknown as Answer;
}

async function join(unusedKeys: readonly string[]): Promise<Joined> {
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
    unusedKeys,
  });
  return {
    instanceId: answer.instance_id,
    credentials: {
      keyPem: machine.keyPem,
      certificatePem: answer.certificate_pem,
      authorityPem: answer.authority_pem,
    },
  };
}

function leave({ credentials }: Joined): Promise<{ status: number | undefined; body: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(
      `${nodeUrl}${leavePath}`,
      {
        method: 'POST',
        key: credentials.keyPem,
        cert: credentials.certificatePem,
        ca: credentials.authorityPem,
        checkServerIdentity: () => undefined,
        headers: { 'content-type': 'application/json' },
      },
      (answer) => {
        let body = '';
        answer.on('data', (chunk) => {
          body += String(chunk);
        });
        answer.on('end', () => resolve({ status: answer.statusCode, body }));
      },
    );
    sent.on('error', reject);
    sent.end('{}');
  });
}

const status = async ({ instanceId }: Joined) =>
  (await call<{ instance: { status: string } }>('getInstance', { instance_id: instanceId })).instance.status;

async function eventsOf({
  instanceId,
}: Joined): Promise<{ kind: string; actor: { kind: string; id: string } }[]> {
  const { events } = await call<{
    events: { kind: string; actor: { kind: string; id: string }; payload: Record<string, unknown> }[];
  }>('recentEvents', { kind_prefix: 'system.instance.', limit: 500 });
  return events.filter(({ payload, actor }) => JSON.stringify({ payload, actor }).includes(instanceId));
}

test('a machine that has joined runs and can be attached, before its agent was ever started [9.15]', async () => {
  const joined = await join(Array.from({ length: 16 }, randomKey));
  expect(await status(joined)).toBe('running');
  const kinds = (await eventsOf(joined)).map(({ kind }) => kind);
  expect(kinds).toEqual(['system.instance.running', 'system.instance.joined']);
  const { network } = await call<{ network: { id: string } }>('createNetwork', { name: 'early' });
  const { peer } = await call<{ peer: { public_key: string } }>('attachPeer', {
    network_id: network.id,
    node_instance_id: joined.instanceId,
  });
  expect(peer.public_key).toMatch(/=$/);
});

test('keys that another machine has offered are not taken from it [9.15]', async () => {
  const key = randomKey();
  await join([key, randomKey()]);
  const second = await join([key]);
  expect(await status(second)).toBe('provisioning');
});

test('a machine that leaves is ended in its own name, with its peers, and its certificate counts no more [9.15]', async () => {
  const joined = await join(Array.from({ length: 4 }, randomKey));
  const { network } = await call<{ network: { id: string } }>('createNetwork', { name: 'left' });
  await call('attachPeer', { network_id: network.id, node_instance_id: joined.instanceId });
  expect(await leave(joined)).toMatchObject({ status: 200 });
  expect(await status(joined)).toBe('terminated');
  const { peers } = await call<{ peers: unknown[] }>('listPeers', { network_id: network.id });
  expect(peers).toEqual([]);
  const ends = (await eventsOf(joined)).filter(({ kind }) => /left|terminated/.test(kind));
  expect(ends.map(({ kind }) => kind).toSorted()).toEqual([
    'system.instance.left',
    'system.instance.terminated',
  ]);
  for (const { actor } of ends) expect(actor).toMatchObject({ kind: 'instance', id: joined.instanceId });
  expect(await leave(joined)).toMatchObject({ status: 403 });
});

test('a copy of a machine cannot end the one that is connected, and that one can [9.31]', async () => {
  const joined = await join(Array.from({ length: 4 }, randomKey));
  const node = new SimulatedNode({ nodeUrl, credentials: joined.credentials });
  await node.connect();
  await expect.poll(() => node.received.frames).toBeGreaterThan(0);
  const refused = await leave(joined);
  expect(refused).toMatchObject({ status: 409, body: expect.stringMatching(/leave --local/) });
  expect(await status(joined)).toBe('running');
  node.close();
  await expect.poll(() => platform.delivery.node(joined.instanceId)?.stream ?? null).toBeNull();
  expect(await leave(joined)).toMatchObject({ status: 200 });
});

test('nobody leaves for another: the certificate alone says who it is [9.15]', async () => {
  const joined = await join([randomKey()]);
  const stranger = await makeMachine();
  const refused = await leave({
    instanceId: joined.instanceId,
    credentials: {
      keyPem: stranger.keyPem,
      certificatePem: stranger.selfSignedPem,
      authorityPem: joined.credentials.authorityPem,
    },
  });
  expect(refused.status).toBe(403);
  expect(await status(joined)).toBe('running');
});
