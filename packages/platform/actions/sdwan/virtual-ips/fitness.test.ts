// An action waits for the fleet in memory once, and not for each virtual IP that it touches.
import { expect, test, vi } from 'vitest';
import type { VirtualIpRow } from '../../../deliver/item-models.ts';
import type { ActionContext } from '../../context.ts';
import { isAbreast, termsOfHolder } from './fitness.ts';

const row = { id: 'v' } as VirtualIpRow;
const lease = { witnesses: ['h1'], enough: 1 };

function contextWith(caughtUp: () => Promise<void>) {
  const asked = vi.fn(caughtUp);
  const services = { deliverer: { caughtUp: asked }, virtualIps: { terms: () => [lease] } };
  const context = { accountId: 'a', lock: () => Promise.resolve(7), services } as unknown as ActionContext;
  return { context, asked };
}

test('a process that is behind is waited for once, and what holders act on is not known', async () => {
  const { context, asked } = contextWith(() => new Promise(() => undefined));
  const terms = [termsOfHolder(context, row), termsOfHolder(context, row), termsOfHolder(context, row)];
  expect(await isAbreast(context)).toBe(false);
  expect(await Promise.all(terms)).toEqual(Array.from({ length: 3 }, () => [lease, 'unknown']));
  expect(await termsOfHolder(context, row)).toEqual([lease, 'unknown']);
  expect(asked).toHaveBeenCalledExactlyOnceWith('a', 6);
});

test('one that is abreast is told at once', async () => {
  const { context, asked } = contextWith(() => Promise.resolve());
  expect(await termsOfHolder(context, row)).toEqual([lease]);
  expect(await isAbreast(context)).toBe(true);
  expect(asked).toHaveBeenCalledTimes(1);
});
