// Which of two processes keeps a machine's stream, by a bus and clocks of the test.
import { beforeEach, describe, expect, it } from 'vitest';
import { type BusMessage, type EventBus, inProcessBus } from '../../events/event-bus.ts';
import { StreamsElsewhere } from './elsewhere.ts';

class Process {
  readonly streams: StreamsElsewhere;
  /** Who answers on its stream; null: it has none. */
  there: boolean | null = null;
  holder: string | null = null;
  readonly duplicates: string[] = [];
  readonly timers: (() => void)[] = [];

  constructor(processId: string, bus: EventBus) {
    this.streams = new StreamsElsewhere({
      processId,
      bus,
      clock: {
        after: (_delayMs, fire) => {
          this.timers.push(fire);
          return () => undefined;
        },
      },
      holderOf: () => this.holder,
      prove: () => (this.there === null ? null : Promise.resolve(this.there)),
      duplicated: (instanceId, address) => this.duplicates.push(`${instanceId} ${address}`),
    });
  }
}

let one: Process;
let two: Process;
beforeEach(() => {
  const local = inProcessBus((error) => {
    throw error;
  });
  // Messages are on their way for a moment, so that two can cross.
  const bus = { ...local, publish: (message: BusMessage) => queueMicrotask(() => local.publish(message)) };
  [one, two] = [new Process('1', bus), new Process('2', bus)];
});

describe('a stream of a machine that another process has', () => {
  it('is refused while a machine answers there, whose process is notified [9.31]', async () => {
    one.there = true;
    two.holder = '1';
    expect(await two.streams.before('i', '192.0.2.1')).toBe('there');
    expect(one.duplicates).toEqual(['i 192.0.2.1']);
    expect(two.duplicates).toEqual([]);
  });

  it.each([false, null])(
    'is free when no machine answers there, or the stream has ended: %s [9.31]',
    async (there) => {
      one.there = there;
      two.holder = '1';
      expect(await two.streams.before('i', '192.0.2.1')).toBe('free');
      expect(one.duplicates).toEqual([]);
    },
  );

  it('is free when the other process says nothing in time, or this one ends [9.31]', async () => {
    two.holder = '3';
    const late = two.streams.before('i', '192.0.2.1');
    for (const fire of two.timers) fire();
    expect(await late).toBe('free');
    const unasked = two.streams.before('i', '192.0.2.1');
    two.streams.close();
    expect(await unasked).toBe('free');
  });

  it('asks nobody when no other process is known to have it [9.31]', () => {
    expect(two.streams.before('i', '192.0.2.1')).toBeNull();
  });
});

describe('a stream that was granted before the processes knew of each other', () => {
  it('is given back when somebody answers on another one [9.31]', async () => {
    one.there = true;
    expect(await two.streams.after('i', '192.0.2.1')).toBe('there');
    expect(one.duplicates).toEqual(['i 192.0.2.1']);
  });

  it('is kept by exactly one of two that took at once [9.31]', async () => {
    one.there = true;
    two.there = true;
    const said = [one.streams.after('i', '192.0.2.1'), two.streams.after('i', '192.0.2.2')] as const;
    expect(await said[1]).toBe('there');
    for (const fire of one.timers) fire();
    expect(await said[0]).toBe('free');
    expect([one.duplicates, two.duplicates]).toEqual([['i 192.0.2.2'], []]);
  });
});
