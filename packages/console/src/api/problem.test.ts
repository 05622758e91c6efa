// What is shown for anything that was thrown.
import { callError } from '@powernode/client/call-error';
import { expect, it } from 'vitest';
import { problemOfThrown } from './problem.ts';

it('shows the problem of the platform, and says that the fault is the console’s when something else was thrown', () => {
  expect(problemOfThrown(new TypeError('x is undefined'))).toMatchObject({
    code: 'internal',
    detail: 'The console itself failed: x is undefined',
  });
  const own = callError('not_found', 'There is no network n.');
  expect(problemOfThrown(own)).toBe(own.problem);
});
