// What a path is taken for, as it is heard and not heard. A simulated clock and seeded losses.
import { probeDeadMs, probeIntervalMs, probeTickMs } from '@powernode/core/limits/probe';
import { StarvationCompensatedClock } from '@powernode/core/presence/starvation-compensated-clock';
import { seededRandom } from '@powernode/core/testing/random';
import { describe, expect, test } from 'vitest';
import { probeClockTimings } from './engine.ts';
import { type PathState, PathTracker } from './path-state.ts';

/** Lets a path be heard where `hears` says so, and keeps the changes of its state. */
function watch(forMs: number, hears: (atMs: number) => boolean) {
  const tracker = new PathTracker(probeDeadMs);
  const changes: [number, PathState][] = [];
  for (let atMs = 0; atMs <= forMs; atMs += probeTickMs) {
    if (atMs % probeIntervalMs === 0 && hears(atMs)) tracker.heard(atMs);
    tracker.update(atMs, probeDeadMs);
    if (tracker.state !== (changes.at(-1)?.[1] ?? 'untried')) changes.push([atMs, tracker.state]);
  }
  return changes;
}

describe('a path', () => {
  test('that was never heard is untried for ever, and not dead', () => {
    expect(watch(60_000, () => false)).toEqual([]);
  });

  test('is trusted soon the first time', () => {
    expect(watch(60_000, () => true)).toEqual([
      [0, 'returning'],
      [480, 'alive'],
    ]);
  });

  test('is dead when nothing was heard for long quorum, and has to be heard for a while after that', () => {
    const changes = watch(60_000, (atMs) => atMs < 6_000 || atMs >= 20_040);
    expect(changes.slice(2)).toEqual([
      [5_880 + 480, 'dead'],
      [20_040, 'returning'],
      [25_040, 'alive'],
    ]);
  });

  test('that flaps is held down longer each time, and is trusted again in the end', () => {
    // One second away in every eight: for as long as that goes on it is held down for longer than it lasts.
    const changes = watch(600_000, (atMs) => atMs > 300_000 || atMs % 8_000 < 7_000);
    const alive = changes.filter(([, state]) => state === 'alive').map(([atMs]) => atMs);
    const during = alive.filter((atMs) => atMs < 300_000);
    expect(during.length).toBeLessThanOrEqual(3);
    expect(alive.length).toBe(during.length + 1);
    expect(alive.at(-1)).toBeGreaterThan(300_000 + 60_000);
  });

  test('does not die of the losses of an ordinary bad line', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const random = seededRandom(seed);
      // Three in a hundred lost each way, for ten minutes.
      const changes = watch(600_000, () => random() > 0.03 && random() > 0.03);
      expect(changes.filter(([, state]) => state === 'dead').length).toBeLessThanOrEqual(1);
    }
  });
});

describe('the clock of silence', () => {
  test('goes with the time as long as it is looked at', () => {
    const clock = new StarvationCompensatedClock(1_000, probeClockTimings);
    for (let atMs = 1_000; atMs < 5_000; atMs += probeTickMs) expect(clock.at(atMs)).toBe(atMs);
    expect(clock.isSettled(5_000)).toBe(true);
  });

  test('stood still while nobody looked, and nobody is called dead at once', () => {
    const clock = new StarvationCompensatedClock(0, probeClockTimings);
    clock.at(probeTickMs);
    const runMs = clock.at(30_000);
    expect(runMs).toBe(2 * probeTickMs);
    expect(clock.isSettled(runMs)).toBe(false);
    expect(clock.isSettled(clock.at(30_000 + probeIntervalMs))).toBe(true);
  });
});
