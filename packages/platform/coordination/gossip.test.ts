// What processes say to each other: whom a message reaches, how often everything is repeated, and until when an answer
// counts.
import { gossipBeatMs, gossipExpiryMs } from '@powernode/core/limits/gossip';
import { expect, test } from 'vitest';
import type { BusMessage } from '../events/event-bus.ts';
import { inProcessBus } from '../events/event-bus.ts';
import type { IdentityGossip } from '../events/presence-gossip.ts';
import { Gossip, isBeatDue, isExpired, onEveryBeat, Questions } from './gossip.ts';

class TestClock {
  now = 0;
  readonly #waiting = new Set<{ readonly at: number; readonly run: () => void }>();

  after(delayMs: number, run: () => void): () => void {
    const one = { at: this.now + delayMs, run };
    this.#waiting.add(one);
    return () => this.#waiting.delete(one);
  }

  pass(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      const [next] = [...this.#waiting].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.now = next.at;
      this.#waiting.delete(next);
      next.run();
    }
    this.now = end;
  }
}

function gossipOf(processId: string, bus: ReturnType<typeof inProcessBus>, isForAll?: true) {
  const received: IdentityGossip[] = [];
  const gossip = new Gossip<IdentityGossip>({
    processId,
    bus,
    pack: (identity) => ({ kind: 'identity', identity }),
    unpack: (message: BusMessage) => (message.kind === 'identity' ? message.identity : null),
    ...(isForAll === undefined ? {} : { isForAll }),
    received: (message) => received.push(message),
  });
  return { gossip, received };
}

const asks = (from: string, to: string | null): IdentityGossip => {
  return { about: 'asks', question: 'q', from, to, instanceId: 'i', address: '192.0.2.1' };
};

test('a message reaches the other processes that it is for, and nobody after the end', () => {
  const bus = inProcessBus(() => undefined);
  const [a, b, c] = [gossipOf('a', bus), gossipOf('b', bus), gossipOf('c', bus, true)];
  a.gossip.publish(asks('a', null));
  a.gossip.publish(asks('a', 'b'));
  bus.publish({ kind: 'retry', instanceId: 'i' });
  expect(a.received).toEqual([]);
  expect(b.received).toEqual([asks('a', null), asks('a', 'b')]);
  expect(c.received).toEqual(b.received);
  b.gossip.publish(asks('b', 'c'));
  expect(a.received).toEqual([]);
  a.gossip.close();
  a.gossip.publish(asks('a', null));
  b.gossip.publish(asks('b', 'a'));
  expect(a.received).toEqual([]);
  expect(b.received).toHaveLength(2);
});

test('everything is repeated at once and then every beat, until it is ended', () => {
  const clock = new TestClock();
  let count = 0;
  const end = onEveryBeat(clock, () => count++);
  expect(count).toBe(1);
  clock.pass(3 * gossipBeatMs);
  expect(count).toBe(4);
  end();
  clock.pass(3 * gossipBeatMs);
  expect(count).toBe(4);
  expect([isBeatDue(0, gossipBeatMs - 1), isBeatDue(0, gossipBeatMs)]).toEqual([false, true]);
  expect([isExpired(0, gossipExpiryMs), isExpired(0, gossipExpiryMs + 1)]).toEqual([false, true]);
});

test('an answer counts once and in time; what stays open ends with the process', () => {
  const clock = new TestClock();
  const questions = new Questions<string>('a', clock);
  const heard: string[] = [];
  const ask = (about: string) => {
    let id = '';
    questions.ask({
      about,
      withinMs: 1_000,
      ask: (question) => {
        id = question;
      },
      answered: (answer) => heard.push(`${about}: ${answer}`),
      unanswered: () => heard.push(`${about}: none`),
    });
    return id;
  };
  const [one, two] = [ask('one'), ask('two')];
  expect(one).not.toBe(two);
  expect(questions.isAsking('one')).toBe(true);
  questions.answer(one, 'yes');
  questions.answer(one, 'no');
  expect(questions.isAsking('one')).toBe(false);
  clock.pass(1_000);
  questions.answer(two, 'late');
  ask('three');
  questions.close();
  expect(heard).toEqual(['one: yes', 'two: none', 'three: none']);
});
