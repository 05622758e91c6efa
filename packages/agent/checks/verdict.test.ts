// What follows from outcomes, beside a model that looks at all of them each time.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { firstVerdict, type Health, nextVerdict } from './verdict.ts';

/** The first outcome decides; after it, the last ones when they are all against. */
function naively(outcomes: readonly boolean[], fall: number, rise: number, firstFall: number): Health {
  let health: Health = 'unknown';
  let from = 0;
  outcomes.forEach((isWell, i) => {
    const said: Health = isWell ? 'healthy' : 'failing';
    const needed = health === 'unknown' ? (isWell ? 1 : firstFall) : isWell ? rise : fall;
    const last = outcomes.slice(from, i + 1).slice(-needed);
    if (said !== health && last.length === needed && last.every((one) => one === isWell)) {
      health = said;
      from = i + 1;
    }
  });
  return health;
}

test('a service fails after so many failures in a row, and is well after so many successes', () => {
  const times = fc.integer({ min: 1, max: 4 });
  fc.assert(
    fc.property(
      fc.array(fc.boolean(), { maxLength: 40 }),
      times,
      times,
      times,
      (outcomes, fall, rise, firstFall) => {
        let verdict = firstVerdict(0);
        for (const [i, isWell] of outcomes.entries()) {
          const before = verdict;
          verdict = nextVerdict(before, isWell ? null : 'refused', { fall, rise, firstFall, nowMs: i + 1 });
          expect(verdict.sinceMs).toBe(verdict.health === before.health ? before.sinceMs : i + 1);
          expect(verdict.lastError).toBe(isWell ? null : 'refused');
        }
        expect(verdict.health).toBe(naively(outcomes, fall, rise, firstFall));
      },
    ),
  );
});
