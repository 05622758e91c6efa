// The stream: opened again when it is lost, given up when the other side is silent, and never again when it was told so.
import net from 'node:net';
import { reconnectMaxMs } from '@powernode/core/limits/node-stream';
import { earliestCapability, newestCapability, servedCapabilities } from '@powernode/core/wire/capability';
import { closeCodes, type Hello, type PlatformMessage } from '@powernode/core/wire/node-stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { enrolled } from '../fixtures/enrolled.ts';
import { FixturePlatform } from '../fixtures/platform.ts';
import { FakeClock } from '../ports/clock.fixture.ts';
import { type Clock, systemClock } from '../ports/clock.ts';
import type { Identity } from '../state/identity.ts';
import { platformTls } from './authority.ts';
import { NodeStream } from './stream.ts';

let platform: FixturePlatform;
let identity: Identity;
let stream: NodeStream;
let events: string[];
let wake: () => void;
const messages: PlatformMessage[] = [];

beforeEach(async () => {
  ({ platform, identity } = await enrolled());
  events = [];
  messages.length = 0;
  wake = () => undefined;
});

afterEach(async () => {
  stream.close();
  await platform.down();
});

function note(event: string): void {
  events.push(event);
  wake();
}

/** Waits until something has happened so often. */
async function happened(event: RegExp, times = 1): Promise<void> {
  while (events.filter((one) => event.test(one)).length < times) {
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }
}

function open(clock: Clock = systemClock, url = new URL(identity.node_url)): NodeStream {
  const own = { certificatePem: identity.certificate_pem, key: identity.key_pem };
  const tls = platformTls(own, { authorityPem: identity.authority_pem, platformId: identity.platform_id });
  stream = new NodeStream({
    clock,
    random: () => 0,
    target: () => ({ url, tls }),
    events: {
      opened: () => {
        stream.send(hello);
        note('opened');
      },
      message: (message) => {
        messages.push(message);
        note(message.kind);
      },
      lost: (why) => note(`lost: ${why}`),
      duplicate: () => note('duplicate'),
      revoked: () => note('revoked'),
      passedOver: (kind) => note(`passed over: ${kind}`),
    },
  });
  stream.open();
  return stream;
}

const hello: Hello = {
  kind: 'hello',
  capability: newestCapability,
  capability_min: earliestCapability,
  run: 'run-1',
  agent_version: '0',
  hostname: 'edge',
  held: null,
  applied: null,
  addresses: [],
  underlay: [],
  unused_keys: [],
};

const node = () => platform.nodeNamed('edge');

/** How the platform's end of the stream is closed. */
function closing(): Promise<{ code: number; reason: string }> {
  return new Promise((resolve) => {
    node().socket?.once('close', (code, reason) => resolve({ code, reason: reason.toString() }));
  });
}

describe('a stream', () => {
  test('carries messages both ways', async () => {
    open();
    await happened(/document/);
    expect(messages.map((message) => message.kind)).toEqual(['welcome', 'document']);
    expect(node().said.map((message) => message.kind)).toEqual(['hello']);
    expect(stream.isOpen).toBe(true);
  });

  test('is opened again when the platform goes and comes back', async () => {
    open();
    await happened(/document/);
    const { port } = platform;
    await platform.down();
    await happened(/lost/);
    expect(stream.isOpen).toBe(false);
    await platform.listen({ host: '127.0.0.1', port });
    await happened(/document/, 2);
  });

  test('stays away as long as the platform asks for, and no longer [9.6]', async () => {
    const clock = new FakeClock();
    platform.refusal = { code: 'rate_limited', detail: 'Too much was said.', retryAfterSeconds: 30 };
    open(clock);
    await happened(/lost: Too much was said/);
    platform.refusal = null;
    await clock.advance(29_000);
    expect(events).toHaveLength(1);
    await clock.advance(1_000);
    await happened(/opened/);
  });

  test('ends at a frame whose lists are nested without end [9.6]', async () => {
    open();
    await happened(/document/);
    const closed = closing();
    node().socket?.send(`{"kind":${'['.repeat(1000)}${']'.repeat(1000)}}`);
    expect((await closed).code).toBe(closeCodes.malformed);
  });

  test('ends at a frame that cannot be read, says where, and is opened again', async () => {
    open();
    await happened(/document/);
    const closed = closing();
    node().socket?.send('{"kind":"delta","base":"x"}');
    const { code, reason } = await closed;
    expect(code).toBe(closeCodes.malformed);
    expect(reason).toContain('unreadable frame: base');
    await happened(/document/, 2);
  });

  test('takes no binary frames', async () => {
    open();
    await happened(/document/);
    const closed = closing();
    node().socket?.send(Buffer.from('{}'));
    expect((await closed).code).toBe(closeCodes.malformed);
  });

  test('passes over a message of a later platform', async () => {
    open();
    await happened(/document/);
    node().socket?.send('{"kind":"latency","ms":[1,2]}');
    await happened(/passed over: latency/);
    node().socket?.send('{"kind":"retry","because":"of a later platform"}');
    await happened(/retry/);
    expect(stream.isOpen).toBe(true);
  });

  test('begins as a platform of before capabilities knows it', async () => {
    platform.serves = null;
    open();
    await happened(/document/);
    expect(node().said[0]).toMatchObject({ kind: 'hello', protocol: 3 });
    expect(node().said[0]).not.toHaveProperty('capability');
    const problem = { subsystem: 'agent', detail: 'x', since: '2026-11-30T10:00:00Z' } as const;
    const problems = [
      { ...problem, code: 'unsupported' },
      { ...problem, code: 'agent_error' },
    ] as const;
    stream.sendConfirmed({ kind: 'problems', problems: [...problems] }, () => note('read'));
    await happened(/read/);
    expect(node().said[1]).toMatchObject({ problems: [{ code: 'agent_error' }] });
  });

  test('goes on with a platform that serves more', async () => {
    platform.serves = { earliest: newestCapability, newest: newestCapability + 5 };
    open();
    await happened(/document/);
    expect(node().said[0]).toMatchObject({ capability: newestCapability });
  });

  test.each([
    ['earlier', { earliest: 1, newest: 2 }, 'the platform serves capability 1 to 2'],
    ['later', { earliest: 900, newest: 901 }, 'the platform serves capability 900 to 901'],
  ])('is given up for long where the platform is too much %s, and both say why', async (_, serves, words) => {
    platform.serves = serves;
    const clock = new FakeClock();
    open(clock);
    await happened(/lost: the platform serves/);
    expect(events).toEqual([expect.stringContaining(words)]);
    expect(events[0]).toContain(`the agent ${earliestCapability} to ${newestCapability}`);
    platform.serves = servedCapabilities;
    await clock.advance(reconnectMaxMs - 1);
    expect(events).toHaveLength(1);
    await clock.advance(1);
    await happened(/document/);
  });

  test('is not opened again when the platform says so', async () => {
    open();
    await happened(/document/);
    node().socket?.close(closeCodes.revoked, 'gone');
    await happened(/revoked/);
    expect(events.filter((event) => event.startsWith('lost'))).toEqual([]);
    expect(stream.isOpen).toBe(false);
  });

  test('opened again on purpose says hello again', async () => {
    open();
    await happened(/document/);
    stream.reopen();
    await happened(/document/, 2);
    expect(node().said.map((message) => message.kind)).toEqual(['hello', 'hello']);
  });

  test('tells what the platform answered instead of opening it', async () => {
    platform.refusal = { code: 'permission_denied', detail: 'This certificate is no longer valid.' };
    open();
    await happened(/lost: This certificate is no longer valid\./);
  });

  test('closed stays closed', async () => {
    open();
    await happened(/document/);
    const closed = closing();
    stream.close();
    expect((await closed).code).toBe(1000);
    stream.send({ kind: 'resync' });
    expect(node().said.map((message) => message.kind)).toEqual(['hello']);
  });
});

test('a platform that is not the one that was joined is not spoken to', async () => {
  const other = new FixturePlatform();
  await other.listen({ host: '127.0.0.1' });
  open(systemClock, new URL(`https://127.0.0.1:${other.port}`));
  await happened(/lost: .*(?:certificate|verify)/i);
  await other.down();
});

test('silence is asked about, and then given up', async () => {
  // A line that is there and says nothing more, as behind a router that lost power.
  const line = net.createServer((socket) => {
    const onward = net.connect(platform.port, '127.0.0.1');
    socket.pipe(onward).pipe(socket);
    socket.on('error', () => undefined);
    onward.on('error', () => undefined);
    stall = () => {
      onward.unpipe(socket);
      onward.pause();
    };
  });
  let stall: () => void = () => undefined;
  await new Promise<void>((resolve) => line.listen(0, '127.0.0.1', resolve));
  const address = line.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const clock = new FakeClock();
  open(clock, new URL(`https://127.0.0.1:${port}`));
  await happened(/document/);
  stall();
  await clock.advance(20_000);
  expect(stream.isOpen).toBe(true);
  await clock.advance(10_000);
  await happened(/lost/);
  line.close();
});
