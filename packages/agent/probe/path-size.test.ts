// Finding the largest packet that passes a path, with losses by chance and without.
import { pathSizeAgainMs, pathSizeFloor, pathSizeStep, pathSizeWaitMs } from '@powernode/core/limits/probe';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PathSize, type PathSizeResult, type SmallProbes } from './path-size.ts';

interface World {
  readonly passes: (bytes: number) => boolean;
  readonly small?: (nowMs: number) => SmallProbes;
}

/** Runs until something is found; counts what was sent. */
function run(
  size: PathSize,
  world: World,
  from = 0,
): { result: PathSizeResult | null; sent: number; nowMs: number } {
  let sent = 0;
  let nowMs = from;
  for (; nowMs < from + 300_000; nowMs += 50) {
    const bytes = size.due(nowMs, world.small?.(nowMs) ?? 'answered');
    if (bytes !== null) {
      sent++;
      if (world.passes(bytes)) size.answered(bytes);
    }
    const result = size.take(nowMs);
    if (result !== null) return { result, sent, nowMs };
  }
  return { result: null, sent, nowMs };
}

describe('the largest packet [9.30]', () => {
  test('is the whole where everything passes, with one probe', () => {
    expect(run(new PathSize(1420), { passes: () => true })).toMatchObject({
      result: { isWhole: true, bytes: 1420 },
      sent: 1,
    });
  });

  test('is found to a few bytes, whatever it is', () => {
    fc.assert(
      fc.property(fc.integer({ min: pathSizeFloor, max: 1419 }), (most) => {
        const { result } = run(new PathSize(1420), { passes: (bytes) => bytes <= most });
        expect(result?.isWhole).toBe(false);
        expect(result?.bytes).toBeLessThanOrEqual(most);
        expect(result?.bytes).toBeGreaterThan(most - pathSizeStep);
      }),
    );
  });

  test('below what IPv6 needs is said to be that', () => {
    expect(run(new PathSize(1420), { passes: (bytes) => bytes < 1200 }).result).toEqual({
      isWhole: false,
      isBelowFloor: true,
      bytes: pathSizeFloor,
    });
  });

  test('is the whole on a path that loses every other packet by chance', () => {
    fc.assert(
      fc.property(fc.infiniteStream(fc.boolean()), (chances) => {
        let left = 3;
        // Never more than three in a row, as a path that is alive does not.
        const passes = () => {
          const isLost = chances.next().value === true && left > 0;
          left = isLost ? left - 1 : 3;
          return !isLost;
        };
        expect(run(new PathSize(1420), { passes }).result).toMatchObject({ isWhole: true });
      }),
    );
  });

  test('is not looked for while nothing is answered at all', () => {
    const world = { passes: () => false, small: () => 'dead' as const };
    expect(run(new PathSize(1420), world)).toMatchObject({ result: null, sent: 0 });
  });

  test('is looked for again when the path comes back, and rarely otherwise', () => {
    const size = new PathSize(1420);
    const first = run(size, { passes: (bytes) => bytes <= 1300 });
    expect(first.result?.bytes).toBeGreaterThan(1290);
    expect(run(size, { passes: () => true }, first.nowMs)).toMatchObject({ sent: 0 });
    const again = run(
      size,
      { passes: () => true, small: (nowMs) => (nowMs > first.nowMs + 1000 ? 'answered' : 'dead') },
      first.nowMs,
    );
    expect(again.result).toMatchObject({ isWhole: true });
    const later = run(size, { passes: () => true }, again.nowMs + pathSizeAgainMs);
    expect(later).toMatchObject({ result: { isWhole: true }, sent: 1 });
  });

  test('is found though small probes are missing now and then, and not while they always are', () => {
    const world: World = {
      passes: (bytes) => bytes <= 1300,
      small: (nowMs) => (nowMs % 3_000 < 1_300 ? 'answered' : 'missing'),
    };
    expect(run(new PathSize(1420), world).result?.bytes).toBeGreaterThan(1290);
    const missing: World = { passes: () => false, small: (nowMs) => (nowMs === 0 ? 'answered' : 'missing') };
    expect(run(new PathSize(1420), missing).result).toBeNull();
  });

  test('need not be measured again when the interface was made to fit', () => {
    const size = new PathSize(1420);
    const { result, nowMs } = run(size, { passes: (bytes) => bytes <= 1300 });
    size.configure(result?.bytes ?? 0);
    expect(run(size, { passes: (bytes) => bytes <= 1300 }, nowMs + pathSizeWaitMs)).toMatchObject({
      sent: 0,
    });
  });
});
