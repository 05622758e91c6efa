// How long a session has been established, as text.
import { expect, test } from 'vitest';
import { uptimeText } from './uptime.ts';

test.each([
  [0, '0s'],
  [4, '4s'],
  [184, '3m04s'],
  [7380, '2h03m'],
  [93_780, '1d02h03m'],
  [8_640_000, '100d00h00m'],
])('%i seconds are %s', (seconds, text) => {
  expect(uptimeText(seconds)).toBe(text);
});
