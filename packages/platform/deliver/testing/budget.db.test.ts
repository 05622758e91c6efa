// Machines that cost too much, over a real database and real streams: closed with a reason, reported, kept away for a while,
// and nothing is kept of what they make up. Another machine notices nothing.
import * as limits from '@powernode/core/limits/node-stream';
import { closeCodes, nodeStreamPath } from '@powernode/core/wire/node-stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import WebSocket from 'ws';
import { type JoinedNode, Stage } from './stage.fixture.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(() => stage.close());

async function connected(): Promise<JoinedNode> {
  const joined = await stage.join();
  await joined.node.connect();
  await stage.until(async () => (await stage.instance(joined.instanceId)).status === 'running');
  return joined;
}

const limitedEvents = async ({ instanceId }: JoinedNode) =>
  (await stage.events('system.instance.stream_limited')).filter(
    (event) => event.payload['node_instance_id'] === instanceId,
  );

/** A stream beside the fixture, for frames that the fixture cannot send. */
function rawStream({ credentials }: JoinedNode): WebSocket {
  return new WebSocket(`${stage.nodeUrl.replace(/^http/, 'ws')}${nodeStreamPath}`, {
    key: credentials.keyPem,
    cert: credentials.certificatePem,
    ca: credentials.authorityPem,
    checkServerIdentity: () => false,
    perMessageDeflate: false,
  });
}

test('too many frames close the stream with its reason, are an event, and keep the machine away [9.6]', async () => {
  const bystander = await connected();
  const flooding = await connected();
  for (let i = 0; i < limits.streamFrames.burst * 2; i++) flooding.node.observe({});
  await stage.until(() => flooding.node.ended !== null);
  expect(flooding.node.ended).toMatchObject({
    code: closeCodes.limited,
    reason: expect.stringMatching(/^this instance sent more than 500 frames a second; reconnect in 5 s$/),
  });
  await stage.until(async () => (await limitedEvents(flooding)).length === 1);
  expect(await limitedEvents(flooding)).toMatchObject([
    { severity: 'warning', actor: { kind: 'platform' }, payload: { measure: 'frames', pause_seconds: 5 } },
  ]);
  await stage.until(async () =>
    (await stage.instance(flooding.instanceId)).subsystems.some(
      ({ name, state }) => name === 'stream' && state === 'degraded',
    ),
  );

  const again = rawStream(flooding);
  const refusal = await new Promise<{ status: number | undefined; after: string | undefined }>(
    (resolve, reject) => {
      again.on('error', reject);
      again.on('unexpected-response', (_request, response) => {
        resolve({ status: response.statusCode, after: response.headers['retry-after'] });
        response.resume();
      });
    },
  );
  expect(refusal.status).toBe(429);
  expect(Number(refusal.after)).toBeLessThanOrEqual(limits.streamPauseFirstMs / 1000);

  expect(bystander.node.ended).toBeNull();
  bystander.node.say({ kind: 'failed', revision: 0, message: 'still heard' });
  await stage.until(async () => (await stage.instance(bystander.instanceId)).subsystems.length === 1);
});

test('pings are frames too, though nobody reads them [9.6]', async () => {
  const pinging = await connected();
  const socket = rawStream(pinging);
  const ended = new Promise<number>((resolve) => {
    socket.on('close', resolve);
    socket.on('error', () => undefined);
  });
  await new Promise((resolve) => socket.on('open', resolve));
  // Each after the answer to the one before: faster than that, and the library ends the connection by itself.
  socket.on('pong', () => socket.ping());
  socket.ping();
  expect(await ended).toBe(closeCodes.limited);
  await stage.until(async () => (await limitedEvents(pinging)).length === 1);
});

test('bytes count whatever they are in [9.6]', async () => {
  const talking = await connected();
  const filler = 'x'.repeat(limits.subsystemMessageMax);
  const subsystems = Array.from({ length: limits.subsystemsMax }, (_, i) => ({
    name: `part ${i}`,
    state: 'ok' as const,
    message: filler,
    observed_at: '2026-11-29T10:00:00Z',
  }));
  const frames = Math.ceil((2 * limits.streamBytes.burst) / (limits.subsystemsMax * filler.length));
  for (let i = 0; i < frames; i++) talking.node.observe({ subsystems });
  await stage.until(async () => (await limitedEvents(talking)).length === 1);
  expect((await limitedEvents(talking))[0]?.payload['measure']).toBe('bytes');
  await stage.until(async () =>
    (await stage.instance(talking.instanceId)).subsystems.some(({ name }) => name === 'stream'),
  );
  const stored = (await stage.instance(talking.instanceId)).subsystems;
  expect(stored.length).toBeLessThanOrEqual(limits.subsystemsMax + 3);
});

test('a machine cannot replace or displace what the platform reports of it [9.6]', async () => {
  const lying = await connected();
  const said = ['apply', 'stream', 'identity', ...Array.from({ length: 17 }, (_, i) => `made up ${i}`)];
  const revision = 1;
  lying.node.say({ kind: 'failed', revision, message: 'the truth' });
  lying.node.observe({
    subsystems: said.map((name) => ({
      name,
      state: 'ok',
      message: 'a lie',
      observed_at: '2026-11-29T10:00:00Z',
    })),
  });
  await stage.until(async () => (await stage.instance(lying.instanceId)).subsystems.length === 18);
  const of = (await stage.instance(lying.instanceId)).subsystems.filter(({ name }) => name === 'apply');
  expect(of).toMatchObject([{ state: 'failed', message: 'revision 1: the truth' }]);
});

test('nested brackets and a message in many fragments end the stream [9.6]', async () => {
  const nesting = await connected();
  const nested = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  for (const send of [
    (socket: WebSocket) => socket.send(nested),
    (socket: WebSocket) => {
      for (let i = 0; i < limits.nodeFragmentsMax + 2; i++) socket.send(' ', { fin: false });
    },
  ]) {
    const socket = rawStream(nesting);
    const code = new Promise<number>((resolve) => socket.on('close', resolve));
    socket.on('error', () => undefined);
    await new Promise((resolve) => socket.on('open', resolve));
    send(socket);
    expect([closeCodes.malformed, 1008]).toContain(await code);
  }
});

test('of routes, rules and peers that a machine makes up nothing is kept [9.6]', async () => {
  const joined = await connected();
  const network = await stage.network();
  await stage.attach(network, joined.instanceId, { hubSlot: 1 });
  const inside = `${network.prefix.replace('::/64', '::123')}/128`;
  for (let i = 0; i < 10; i++) {
    joined.node.observe({
      routes: Array.from({ length: 1000 }, (_, j) => ({
        destination: `fd99::${(i * 1000 + j).toString(16)}/128`,
        via: 'wg-made-up',
      })),
      rules: Array.from({ length: 1000 }, () => ({ rule_id: crypto.randomUUID(), packets: 1, bytes: 1 })),
    });
    joined.node.paths(Array.from({ length: 1000 }, () => ({ peer_id: crypto.randomUUID(), alive: false })));
  }
  joined.node.observe({ routes: [{ destination: inside, via: 'wg-a' }] });
  await stage.until(() => (stage.delivery.node(joined.instanceId)?.routes?.size ?? 0) > 0);
  expect([...(stage.delivery.node(joined.instanceId)?.routes?.keys() ?? [])]).toEqual([inside]);
  expect(joined.node.ended).toBeNull();
});

test('a certificate that is used again and again is refused before the database is asked [9.6]', async () => {
  const coming = await connected();
  let refused = 0;
  for (let i = 0; i < limits.certificateUses.burst + 5; i++) {
    await coming.node.connect().catch((error: Error) => {
      expect(error.message).toMatch(/429/);
      refused++;
    });
  }
  expect(refused).toBeGreaterThan(0);
  const other = await connected();
  expect(other.node.connected).toBe(true);
});
