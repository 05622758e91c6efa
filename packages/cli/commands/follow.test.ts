// Following events: lines as they come, and the way back after a lost connection.
import { expect, test } from 'vitest';
import { eventsIn, followEvents } from '../remote/event-stream.ts';
import { Platform } from '../remote/platform.ts';
import { cli, fixturePlatform, problem, type Received } from '../testing/fixture.ts';

const path = '/api/v1/events/stream';

function event(number: number) {
  const id = `01990000-0000-7000-8000-00000000000${number}`;
  const data = {
    id,
    account_id: id,
    kind: 'sdwan.peer.attached',
    severity: 'info',
    at: '2026-08-01T00:00:00.000Z',
    actor: { kind: 'operator', id, name: 'Ada' },
    correlation_id: 'c',
    payload: { before: null, after: { id, hostname: 'edge1' } },
  };
  return { id, frame: `id: ${id}\nevent: ${data.kind}\ndata: ${JSON.stringify(data)}\n\n` };
}

test('events are read from chunks that break anywhere, without comments', async () => {
  const bytes = new TextEncoder().encode(`: open\n\n${event(1).frame}: ping\n\n${event(2).frame}`);
  const chunks = [...bytes].map((byte) => Uint8Array.of(byte));
  const ids: string[] = [];
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
  for await (const { id } of eventsIn(stream)) ids.push(id);
  expect(ids).toEqual([event(1).id, event(2).id]);
});

test('a lost stream is taken up again after the last event, a refusal ends it', async () => {
  const seen: Received[] = [];
  const platform = await fixturePlatform({
    [path]: (request, response) => {
      seen.push(request);
      if (seen.length === 3) {
        response.writeHead(401).end(JSON.stringify(problem('unauthenticated', 401, 'Revoked.')));
        return;
      }
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(event(seen.length).frame, () => response.destroy());
    },
  });
  const lost: string[] = [];
  const events = followEvents({
    platform: new Platform({ url: platform.url, token: 'x', authorityPem: null }),
    path,
    onLost: (reason) => lost.push(reason),
    pause: async () => undefined,
  });
  expect((await events.next()).value?.id).toBe(event(1).id);
  expect((await events.next()).value?.id).toBe(event(2).id);
  await expect(events.next()).rejects.toThrow('Revoked.');
  expect(seen.map(({ headers }) => headers['last-event-id'])).toEqual([undefined, event(1).id, event(2).id]);
  expect(lost).toHaveLength(2);
});

test('each event is a line, or a line of JSON', async () => {
  const platform = await fixturePlatform({
    [path]: (request, response) => {
      if (request.headers['last-event-id'] !== undefined) {
        response.writeHead(403).end(JSON.stringify(problem('permission_denied', 403, 'Enough.')));
        return;
      }
      response.writeHead(200, { 'content-type': 'text/event-stream' }).end(event(1).frame);
    },
  });
  const env = { POWERNODE_URL: platform.url, POWERNODE_TOKEN: 'x' };
  const people = await cli(['event', 'follow', '--kind-prefix', 'sdwan.'], { env });
  expect(people.stdout).toBe(
    `2026-08-01T00:00:00.000Z  info     sdwan.peer.attached  Ada  edge1 (${event(1).id})\n`,
  );
  expect(people).toMatchObject({ code: 77, stderr: expect.stringContaining('powernode: Enough.') });
  expect(platform.received[0]?.path).toBe(`${path}?kind_prefix=sdwan.`);
  const machine = await cli(['event', 'follow', '--json'], { env });
  expect(JSON.parse(machine.stdout)).toMatchObject({ id: event(1).id });
});
