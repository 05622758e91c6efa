// Following events: lines as they come, and the way back after a lost connection.
import { expect, test } from 'vitest';
import { followEvents } from '../remote/follow-events.ts';
import { platformAt } from '../remote/platform.ts';
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

function follow(url: string) {
  const [events, lost]: [string[], string[]] = [[], []];
  const ended = followEvents({
    platform: platformAt({ url, token: 'x', authorityPem: null }),
    path,
    read: (data) => data,
    onEvent: (data) => events.push(data),
    onLost: (reason) => lost.push(reason),
  });
  return { events, lost, ended };
}

test('a lost stream is taken up again after the last event, a refusal ends it', async () => {
  const seen: Received[] = [];
  const platform = await fixturePlatform({
    [path]: (request, response) => {
      seen.push(request);
      if (seen.length === 4) {
        response.writeHead(401).end(JSON.stringify(problem('unauthenticated', 401, 'Revoked.')));
        return;
      }
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      // The second connection ends after an event that has no id.
      response.write(seen.length === 2 ? 'data: none\n\n' : event(seen.length).frame, () =>
        response.destroy(),
      );
    },
  });
  const { ended, events, lost } = follow(platform.url);
  await expect(ended).rejects.toThrow('Revoked.');
  expect(events).toHaveLength(3);
  expect(seen.map(({ headers }) => headers['last-event-id'])).toEqual([
    undefined,
    event(1).id,
    event(1).id,
    event(3).id,
  ]);
  expect(lost).toHaveLength(3);
});

test('a mark at the beginning and every kind of line end are part of the stream, not of its events', async () => {
  const frames = `\uFEFF${event(1).frame}${event(2).frame}`.replaceAll('\n', '\r');
  const platform = await fixturePlatform({
    [path]: (request, response) => {
      if (request.headers['last-event-id'] !== undefined) return void response.writeHead(403).end();
      response.writeHead(200, { 'content-type': 'text/event-stream' }).end(`${frames}: end\r`);
    },
  });
  const { ended, events } = follow(platform.url);
  await expect(ended).rejects.toMatchObject({ code: 'permission_denied' });
  expect(events.map((data) => (JSON.parse(data) as { id: string }).id)).toEqual([event(1).id, event(2).id]);
});

test('an event that never ends is not kept', async () => {
  const piece = 'x'.repeat(1024 * 1024);
  let connections = 0;
  const platform = await fixturePlatform({
    [path]: (_request, response) => {
      connections += 1;
      if (connections === 2) return void response.writeHead(403).end();
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: ');
      const fill = () => {
        while (!response.destroyed && response.write(piece));
      };
      response.on('drain', fill);
      fill();
    },
  });
  const { ended, lost } = follow(platform.url);
  await expect(ended).rejects.toMatchObject({ code: 'permission_denied' });
  expect(lost).toEqual([expect.stringContaining('above the limit')]);
});

test('a platform that does not answer the first time ends it', async () => {
  const { ended } = follow('http://127.0.0.1:1');
  await expect(ended).rejects.toMatchObject({ code: 'platform_unreachable' });
});

test('what is no event ends it', async () => {
  const platform = await fixturePlatform({
    [path]: (_request, response) =>
      void response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: {}\n\n'),
  });
  const env = { POWERNODE_URL: platform.url, POWERNODE_TOKEN: 'x' };
  expect(await cli(['event', 'follow'], { env })).toMatchObject({
    code: 76,
    stderr: expect.stringContaining('an invalid event: {}'),
  });
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
