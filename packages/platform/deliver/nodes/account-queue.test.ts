// Changes leave the queue in the order of their numbers, each once, however they arrive.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AccountQueue } from './account-queue.ts';

test('numbers come out in order and once, whatever order they came in, and a gap is known', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 60 }), (arrivals) => {
      const queue = new AccountQueue('a', 0);
      const applied: number[] = [];
      const here = new Set<number>();
      for (const sequence of arrivals) {
        queue.offer(sequence, []);
        here.add(sequence);
        for (let next = queue.next(); next !== null; next = queue.next()) applied.push(next.sequence);
        expect(queue.missing).toBe(Math.max(...here) > queue.applied);
      }
      let whole = 0;
      while (here.has(whole + 1)) whole++;
      expect(applied).toEqual(Array.from({ length: whole }, (_, i) => i + 1));
    }),
  );
});

test('a number without its changes is missing until they are read', () => {
  const queue = new AccountQueue('a', 4);
  queue.offer(5);
  expect(queue.next()).toBeNull();
  expect(queue.missing).toBe(true);
  queue.offer(5, []);
  expect(queue.next()).toEqual({ sequence: 5, changes: [] });
  expect(queue.missing).toBe(false);
});
