// Whether FRR can be used, looked at while no network speaks BGP.
import { frrMissingAgainMs } from '@powernode/core/limits/agent';
import { expect, test } from 'vitest';
import { FakeClock } from '../ports/clock.fixture.ts';
import { DaemonWatch } from './daemon-watch.ts';
import type { FrrSeen } from './frr.ts';

test('each change is said once, and a look that fails says nothing', async () => {
  const clock = new FakeClock();
  const missing: FrrSeen = { kind: 'missing', detail: 'FRR is not installed.' };
  const usable: FrrSeen = { kind: 'usable', version: '8.4.4' };
  let found: FrrSeen | null = missing;
  const told: (FrrSeen | null)[] = [];
  const watch = new DaemonWatch({
    clock,
    frr: { look: () => (found === null ? Promise.reject(new Error('fork')) : Promise.resolve(found)) },
    changed: () => told.push(watch.seen),
  });
  expect(watch.seen).toBeNull();
  await watch.look();
  await clock.advance(frrMissingAgainMs);
  expect(told).toEqual([missing]);
  found = null;
  await clock.advance(frrMissingAgainMs);
  expect(watch.seen).toEqual(missing);
  found = usable;
  await clock.advance(frrMissingAgainMs);
  expect(told).toEqual([missing, usable]);
  watch.stop();
  found = missing;
  await clock.advance(frrMissingAgainMs);
  expect(told).toHaveLength(2);
});
