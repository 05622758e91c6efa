// Streams that were opened with a machine's certificate and on which nothing is said.
import { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import { FleetIndex } from '@powernode/core/compile/fleet-index';
import * as limits from '@powernode/core/limits/node-stream';
import { pino } from 'pino';
import { beforeEach, expect, test } from 'vitest';
import type { WebSocket } from 'ws';
import { inProcessBus } from '../../events/event-bus.ts';
import { SimulatedClock } from '../../trust/clock.fixture.ts';
import { DeliveryCounters } from '../counters.ts';
import { Dispatcher } from '../nodes/dispatcher.ts';
import { nodeState } from '../nodes/node-state.fixture.ts';
import type { NodeState } from '../nodes/node-state.ts';
import { ignoringSubscriber } from './node-stream-subscriber.ts';
import { Streams } from './streams.ts';

class FakeSocket extends EventEmitter {
  code: number | null = null;
  readonly bufferedAmount = 0;
  get isOpen(): boolean {
    return this.code === null;
  }
  send(): void {
    // Nobody reads.
  }
  ping(): void {
    // Nobody answers.
  }
  close(code: number): void {
    this.#over(code);
  }
  terminate(): void {
    this.#over(1006);
  }
  #over(code: number): void {
    if (!this.isOpen) return;
    this.code = code;
    this.emit('close', code);
  }
}

let clock: SimulatedClock;
let node: NodeState;
let streams: Streams;
const nothing = () => undefined;

beforeEach(async () => {
  clock = new SimulatedClock();
  const counters = new DeliveryCounters();
  const log = pino({ level: 'silent' });
  const dispatcher = new Dispatcher({
    fleet: new FleetIndex(),
    source: { read: async () => [], sequences: async () => [] },
    clock,
    soon: (run) => clock.after(0, run),
    counters,
    log,
    subscribers: [],
  });
  dispatcher.load('a', 0);
  node = nodeState({ instanceId: 'i1', hostname: 'h' });
  const reports = {
    arrived: nothing,
    keys: nothing,
    applied: nothing,
    failed: nothing,
    problems: nothing,
    observed: nothing,
    left: nothing,
    limited: nothing,
    calmed: nothing,
    duplicated: nothing,
    alone: nothing,
  };
  const others = { processId: 'p', bus: inProcessBus(nothing), holderOf: () => null };
  const parts = { dispatcher, reports, subscriber: ignoringSubscriber, counters, clock, log, others };
  streams = new Streams({ ...parts, platformVersion: 'test' });
});

function open(serial = 'one'): FakeSocket {
  const socket = new FakeSocket();
  streams.open({
    node,
    socket: socket as unknown as WebSocket,
    line: new EventEmitter() as Duplex,
    address: '192.0.2.1',
    certificate: { serial, expiresAt: new Date(clock.now() + 3_600_000) },
  });
  return socket;
}

test('of those without a hello the oldest end when there are too many, and pings keep none [9.4, 9.6]', async () => {
  const sockets = Array.from({ length: limits.streamsBeforeHelloMax + 3 }, () => open());
  expect(sockets.map((socket) => socket.isOpen)).toEqual([false, false, false, true, true]);
  expect(streams.count).toBe(limits.streamsBeforeHelloMax);
  for (let ms = 0; ms < limits.helloMs; ms += 1_000) {
    await clock.advance(1_000);
    for (const socket of sockets) if (socket.isOpen) socket.emit('ping');
    for (let turn = 0; turn < limits.streamGroups; turn++) streams.tick();
  }
  expect(streams.count).toBe(0);
});

test('a machine that is revoked loses those without a hello too [9.4]', () => {
  const sockets = [open(), open('two')];
  node.ended = true;
  streams.revoke(node.instanceId);
  expect(sockets.map((socket) => socket.code)).toEqual([4403, 4403]);
  expect(streams.count).toBe(0);
});
