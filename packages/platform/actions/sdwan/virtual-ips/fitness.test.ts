// An action waits for the fleet in memory once, and not for each virtual IP that it touches.
import { expect, test, vi } from 'vitest';
import { ActionContext, type Services, type Trx } from '../../context.ts';
import type { Caller } from '../../invoke-types.ts';
import { termsOfHolder } from './fitness.ts';
import type { VirtualIpRow } from './model.ts';

const row = { id: 'v' } as VirtualIpRow;
const lease = { witnesses: ['h1'], quorum: 1 };

function contextWith(caughtUp: () => Promise<void>) {
  const asked = vi.fn(caughtUp);
  const services = {
    deliverer: { caughtUp: asked },
    virtualIps: { terms: () => [lease] },
    now: () => new Date(0),
  } as unknown as Services;
  const context = new LockedContext({
    trx: {} as Trx,
    caller: { accountId: 'a' } as Caller,
    action: 'test',
    services,
    correlationId: 'test',
    dryRun: false,
  });
  return { context, asked };
}

/** Has the number of its change without a database. */
class LockedContext extends ActionContext {
  override lock(): Promise<number> {
    return Promise.resolve(7);
  }
}

test('a process that is behind is waited for once, and what holders act on is not known', async () => {
  const { context, asked } = contextWith(() => new Promise(() => undefined));
  const terms = [termsOfHolder(context, row), termsOfHolder(context, row), termsOfHolder(context, row)];
  expect(await context.isAbreast()).toBe(false);
  expect(await Promise.all(terms)).toEqual(Array.from({ length: 3 }, () => [lease, 'unknown']));
  expect(await termsOfHolder(context, row)).toEqual([lease, 'unknown']);
  expect(asked).toHaveBeenCalledExactlyOnceWith('a', 6);
});

test('one that is abreast is told at once', async () => {
  const { context, asked } = contextWith(() => Promise.resolve());
  expect(await termsOfHolder(context, row)).toEqual([lease]);
  expect(await context.isAbreast()).toBe(true);
  expect(asked).toHaveBeenCalledTimes(1);
});
