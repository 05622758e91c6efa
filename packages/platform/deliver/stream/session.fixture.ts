// Test support: a session of a node over a channel that remembers what was sent to it. Its reports are read by nobody.
import { pino } from 'pino';
import type { Clock } from '../../trust/clock.ts';
import type { DeliveryCounters } from '../counters.ts';
import type { Dispatcher } from '../nodes/dispatcher.ts';
import type { NodeState } from '../nodes/node-state.ts';
import { FakeChannel } from './channel.fixture.ts';
import { DocumentSendLimiter } from './document-send-limiter.ts';
import { ignoringSubscriber } from './node-stream-subscriber.ts';
import { Session } from './session.ts';

export interface SessionScene {
  readonly clock: Clock;
  readonly node: NodeState;
  readonly dispatcher: Dispatcher;
  readonly counters: DeliveryCounters;
  /** Other parts than the usual ones. */
  readonly parts?: Partial<ConstructorParameters<typeof Session>[0]>;
}

/** The node's stream is this session from here on. */
export function openSession({ clock, node, dispatcher, counters, parts = {} }: SessionScene) {
  const channel = new FakeChannel();
  const session = new Session({
    node,
    channel,
    dispatcher,
    reports: ignoredReports,
    subscriber: ignoringSubscriber,
    counters,
    sendLimiter: new DocumentSendLimiter(clock),
    clock,
    log: pino({ level: 'silent' }),
    remoteAddress: '192.0.2.1',
    platformVersion: 'test',
    ...parts,
  });
  node.stream = session;
  return { channel, session };
}

const ignoredReports = {
  arrived: () => undefined,
  keys: () => undefined,
  applied: () => undefined,
  failed: () => undefined,
  problems: () => undefined,
  observed: () => undefined,
};
