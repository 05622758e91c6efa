// The rules of one stream: what begins it, what ends it, what is sent when the line is slow.
import { FleetIndex } from '@powernode/core/compile/fleet-index';
import type { PeerModel } from '@powernode/core/compile/model';
import { networkModel, peerModel } from '@powernode/core/compile/model.fixture';
import * as limits from '@powernode/core/limits/node-stream';
import { earliestCapability, newestCapability } from '@powernode/core/wire/capability';
import { pino } from 'pino';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { SimulatedClock } from '../../trust/clock.fixture.ts';
import { DeliveryCounters } from '../counters.ts';
import { Dispatcher } from '../nodes/dispatcher.ts';
import type { NodeState } from '../nodes/node-state.ts';
import type { FakeChannel } from './channel.fixture.ts';
import { DocumentSendLimiter } from './document-send-limiter.ts';
import { openSession, type SessionScene } from './session.fixture.ts';
import type { Session } from './session.ts';

const network = networkModel();

const hourMs = 3_600_000;

let clock: SimulatedClock;
let dispatcher: Dispatcher;
let node: NodeState;
let channel: FakeChannel;
let session: Session;
let sequence: number;
const counters = new DeliveryCounters();
const log = pino({ level: 'silent' });
function open(parts: SessionScene['parts'] = {}): Session {
  ({ channel, session } = openSession({ clock, node, dispatcher, counters, parts }));
  return session;
}

function hello(members: object = {}): string {
  const empty = { held: null, applied: null, addresses: [], underlay: [], unused_keys: [] };
  return JSON.stringify({
    kind: 'hello',
    capability: newestCapability,
    run: 'run-1',
    agent_version: 'x',
    hostname: 'h',
    ...empty,
    ...members,
  });
}

async function attach(number: number, hubSlot: number | null = null): Promise<void> {
  const after: PeerModel = peerModel({
    id: `p${number}`,
    instanceId: `i${number}`,
    hostAddress: `fd00::${number}`,
    publicKey: `k${number}`,
    hubSlot,
    endpoint: hubSlot === null ? null : '192.0.2.1:51820',
  });
  dispatcher.changed('a', ++sequence, [{ kind: 'peer_changed', networkId: 'n', before: null, after }]);
  await clock.advance(0);
}

beforeEach(async () => {
  clock = new SimulatedClock();
  const fleet = new FleetIndex();
  fleet.load(network, []);
  dispatcher = new Dispatcher({
    fleet,
    source: { read: async () => [], sequences: async () => [] },
    clock,
    soon: (run) => clock.after(0, run),
    counters,
    log,
    subscribers: [],
  });
  dispatcher.load('a', 0);
  sequence = 0;
  await attach(1, 1);
  node = dispatcher.nodes.get('i1') as NodeState;
  open();
});

async function greeted(): Promise<void> {
  session.received(hello());
  await clock.advance(0);
  channel.drain();
}

describe('a stream', () => {
  test('begins with a welcome and the whole document for a node that holds nothing', async () => {
    await greeted();
    expect(channel.kinds()).toEqual(['welcome', 'document']);
    expect(channel.sent[1]).toMatchObject({ revision: 1 });
  });

  test('ends when it begins with anything but hello, says hello twice, or speaks another version', async () => {
    session.received('{"kind":"resync"}');
    expect(channel.closed).toBe(4400);
    open().received(hello());
    await clock.advance(0);
    session.received(hello());
    expect(channel.closed).toBe(4400);
    open().received(hello({ capability: earliestCapability - 1 }));
    expect(channel.closed).toBe(4426);
    expect(node.stream).toBeNull();
  });

  test('ends on what is no JSON, what is none of the protocol, and text that no database stores', async () => {
    const frames = [
      '',
      '{',
      '[]',
      '{"kind":"applied","revision":-1,"hash":""}',
      '{"kind":"failed","revision":1,"message":"\\u0000"}',
      '{"kind":"failed","revision":1,"message":"\\ud800"}',
      '{"kind":"lease_renew","sequence":1}',
    ];
    for (const frame of frames) {
      open();
      await greeted();
      session.received(frame);
      expect(channel.closed, frame).toBe(4400);
    }
  });

  test('merges what happens while its line is full into one delta', async () => {
    await greeted();
    channel.backlogBytes = limits.nodeBacklogBytesMax + 1;
    for (const number of [2, 3, 4]) await attach(number);
    expect(channel.kinds()).toEqual(['welcome', 'document']);
    channel.drain();
    expect(channel.kinds()).toEqual(['welcome', 'document', 'delta']);
    expect(channel.sent[2]).toMatchObject({ base: 1, revision: 4 });
    expect(channel.sent[2]?.set).toHaveLength(3);
  });

  test('answers "current" to a node with the newest document, and the whole document to one that is ahead', async () => {
    const { desiredRevision: revision } = node;
    const hash = node.digest.toString(16).padStart(32, '0');
    session.received(hello({ held: { revision, hash } }));
    await clock.advance(0);
    expect(channel.kinds()).toEqual(['welcome', 'current']);
    open().received(hello({ held: { revision: 99, hash } }));
    await clock.advance(50);
    expect(channel.kinds()).toEqual(['welcome', 'document']);
  });

  test('sends nothing older to a node that is ahead while the database does not answer', async () => {
    open();
    dispatcher.refresh = () => Promise.reject(new Error('away'));
    session.received(hello({ held: { revision: 99, hash: 'f'.repeat(32) } }));
    await clock.advance(0);
    expect(channel.kinds()).toEqual(['welcome']);
    expect(channel.closed).toBe(1013);
    expect(node.stream).toBeNull();
  });

  test('sends the whole document to a node whose hash it does not know', async () => {
    session.received(hello({ held: { revision: 0, hash: 'f'.repeat(32) } }));
    await clock.advance(0);
    expect(channel.kinds()).toEqual(['welcome', 'document']);
  });

  test('sends the document again when asked, but not for ever', async () => {
    await greeted();
    for (let i = 0; i < limits.resyncsPerMinuteMax; i++) {
      session.received('{"kind":"resync"}');
      channel.drain();
    }
    expect(channel.kinds().filter((kind) => kind === 'document')).toHaveLength(
      1 + limits.resyncsPerMinuteMax,
    );
    session.received('{"kind":"resync"}');
    expect(channel.closed).toBe(4400);
  });

  test('asks a silent node, and gives up on one that does not answer', async () => {
    await greeted();
    await clock.advance(limits.streamPingMs);
    session.tick();
    expect(channel.pings).toBe(1);
    session.heard();
    await clock.advance(limits.streamDeadMs - 1);
    session.tick();
    expect(channel.terminated).toBe(false);
    await clock.advance(1);
    session.tick();
    expect(channel.terminated).toBe(true);
    expect(node.stream).toBeNull();
  });

  test.each([hourMs, -hourMs])(
    'lives and dies as long, the clock being set by %d ms [9.24]',
    async (byMs) => {
      await greeted();
      clock.set(byMs);
      expect(node.lastHeartbeatMs).toBe(clock.now() - byMs);
      session.tick();
      expect([channel.pings, channel.terminated]).toEqual([0, false]);
      session.heard();
      // When it was heard is shown, and so by the clock as it is now.
      expect(node.lastHeartbeatMs).toBe(clock.now());
      clock.set(-byMs);
      await clock.advance(limits.streamDeadMs - 1);
      session.tick();
      expect(channel.terminated).toBe(false);
      await clock.advance(1);
      session.tick();
      expect(channel.terminated).toBe(true);
    },
  );

  test.each([hourMs, -hourMs])(
    'gets as many documents in a minute, the clock being set by %d ms [9.24]',
    async (byMs) => {
      await greeted();
      for (let i = 0; i < limits.resyncsPerMinuteMax; i++) {
        session.received('{"kind":"resync"}');
        channel.drain();
      }
      clock.set(byMs);
      await clock.advance(59_999);
      session.received('{"kind":"resync"}');
      expect(channel.closed).toBe(4400);
    },
  );

  test('treats an answer as one to all that was asked before it', async () => {
    await greeted();
    const answered: string[] = [];
    for (const name of ['first', 'second', 'third']) session.whenAnswered(() => answered.push(name));
    session.answered('of another stream');
    expect(answered).toEqual([]);
    session.answered('2');
    expect(answered).toEqual(['first', 'second']);
    session.answered('2');
    session.answered('3');
    expect(answered).toEqual(['first', 'second', 'third']);
  });

  test('that never says hello is given up earlier', async () => {
    await clock.advance(limits.helloMs);
    session.tick();
    expect(channel.terminated).toBe(true);
  });

  test('that pings and never says hello is given up as early [9.4]', async () => {
    for (let ms = 0; ms < limits.helloMs; ms += limits.streamPingMs / 4) {
      await clock.advance(limits.streamPingMs / 4);
      session.heard();
      session.answered('');
      session.tick();
    }
    expect(channel.terminated).toBe(true);
  });

  test('that ends because the machine goes carries its last document first', async () => {
    await greeted();
    const before = dispatcher.fleet.network('n')?.peer('p1');
    if (before === undefined) throw new Error('there is no peer p1');
    dispatcher.changed('a', ++sequence, [{ kind: 'peer_changed', networkId: 'n', before, after: null }]);
    session.end('revoked');
    expect(channel.kinds()).toEqual(['welcome', 'document', 'delta']);
    expect(channel.sent[2]).toMatchObject({ hash: '0'.repeat(32), set: [] });
    expect(channel.closed).toBe(4403);
    await clock.advance(limits.streamCloseMs);
    expect(channel.terminated).toBe(true);
  });
});

describe('the limiter for whole documents', () => {
  test('sends large documents one after the other, and does not wait for ever for one', async () => {
    const sendLimiter = new DocumentSendLimiter(clock);
    const sent: number[] = [];
    const whenSent: (() => void)[] = [];
    for (const number of [1, 2, 3]) {
      sendLimiter.request({
        send: () => {
          sent.push(number);
          return limits.documentEntriesMax;
        },
        whenSent: (run) => void whenSent.push(run),
      });
    }
    expect(sent).toEqual([1]);
    whenSent[0]?.();
    expect(sent).toEqual([1, 2]);
    await clock.advance(limits.documentHoldMs);
    expect(sent).toEqual([1, 2, 3]);
  });
});

describe('a node among very many', () => {
  test('is asked to beat less often, never more often again, and not for a small difference [9.14]', () => {
    let beatMs: number = limits.streamBeatMs;
    open({ beatMs: () => beatMs }).received(hello());
    return vi
      .waitFor(() => expect(session.ready).toBe(true))
      .then(() => {
        const beats = () =>
          channel.sent.flatMap((frame) => (frame.kind === 'beat' ? [frame['every_ms']] : []));
        session.tick();
        expect(beats()).toEqual([]);
        for (const wanted of [limits.streamBeatMs + 10, 900, 910, 700, limits.streamBeatMaxMs]) {
          beatMs = wanted;
          session.tick();
        }
        expect(beats()).toEqual([900, limits.streamBeatMaxMs]);
        expect(node.beatMs).toBe(limits.streamBeatMaxMs);
      });
  });
});
