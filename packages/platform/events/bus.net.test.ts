// One suite for both event buses: the one of a single process, and the one over a real Redis.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type BusMessage, type EventBus, inProcessBus } from './event-bus.ts';
import { redisBus } from './redis-bus.ts';

const hasRedis = spawnSync('redis-server', ['--version']).status === 0;

interface Subject {
  readonly name: string;
  readonly available: boolean;
  /** Two ends of one bus: what is published on one reaches listeners of both. */
  readonly open: () => Promise<readonly [EventBus, EventBus]>;
}

let server: ChildProcess | undefined;
let directory = '';

beforeAll(async () => {
  if (!hasRedis) return;
  directory = await mkdtemp(path.join(tmpdir(), 'pn-redis-'));
  const socket = path.join(directory, 's');
  server = spawn('redis-server', ['--port', '0', '--unixsocket', socket, '--save', '', '--dir', directory]);
  let output = '';
  server.stdout?.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  await vi.waitUntil(
    () => output.includes('ready to accept connections') || output.includes('Ready to accept'),
    {
      timeout: 20_000,
    },
  );
});
afterAll(async () => {
  if (server !== undefined) {
    server.kill();
    await once(server, 'exit');
    await rm(directory, { recursive: true });
  }
});

const fail = (error: unknown) => {
  throw error;
};
const subjects: readonly Subject[] = [
  {
    name: 'in one process',
    available: true,
    open: async () => {
      const bus = inProcessBus(() => {});
      return [bus, bus];
    },
  },
  {
    name: 'over Redis',
    available: hasRedis,
    open: async () => {
      const parts = {
        url: `unix://${path.join(directory, 's')}`,
        log: pino({ level: 'silent' }),
        onListenerError: () => {},
      };
      return [await redisBus({ ...parts, processId: 'a' }), await redisBus({ ...parts, processId: 'b' })];
    },
  },
];

const message = (sequence: number): BusMessage => ({ kind: 'changed', accountId: 'account', sequence });

describe.each(subjects)('the event bus $name', ({ available, open }) => {
  test.runIf(available)('delivers to every listener of every end, in order, once', async () => {
    const [here, there] = await open();
    const seen: [string, BusMessage][] = [];
    here.subscribe((one) => seen.push(['here', one]));
    there.subscribe((one) => seen.push(['there', one]));
    const sent = Array.from({ length: 50 }, (_, i) => message(i));
    for (const one of sent) here.publish(one);
    await vi.waitUntil(() => seen.length === 100, { timeout: 10_000 });
    expect(seen.filter(([at]) => at === 'here').map(([, one]) => one)).toEqual(sent);
    expect(seen.filter(([at]) => at === 'there').map(([, one]) => one)).toEqual(sent);
    await here.close();
    if (there !== here) await there.close();
  });

  test.runIf(available)('goes on when a listener throws, and stops after its end', async () => {
    const [here, there] = await open();
    const seen: BusMessage[] = [];
    there.subscribe(() => fail(new Error('a bug of the listener')));
    const end = there.subscribe((one) => seen.push(one));
    here.publish(message(1));
    await vi.waitUntil(() => seen.length === 1, { timeout: 10_000 });
    end();
    const after: BusMessage[] = [];
    there.subscribe((one) => after.push(one));
    here.publish(message(2));
    await vi.waitUntil(() => after.length === 1, { timeout: 10_000 });
    expect(seen).toEqual([message(1)]);
    await here.close();
    if (there !== here) await there.close();
  });
});
