// Ids of events, whatever the clocks of the platform's processes say.
import { v7 as uuidv7 } from 'uuid';
import { expect, test } from 'vitest';
import { idAfter } from './write-events.ts';

test('an id of now, when it is after the last', () => {
  const last = uuidv7({ msecs: 1_000_000 });
  const fresh = uuidv7({ msecs: 1_000_001 });
  expect(idAfter(last, fresh)).toBe(fresh);
});

test('an id of the next millisecond, when the last was made by a clock ahead of ours', () => {
  const last = uuidv7({ msecs: 0x0198_0000_0fff });
  const next = idAfter(last, uuidv7({ msecs: 0x0190_0000_0000 }));
  expect(next > last).toBe(true);
  expect(next).toMatch(/^01980000-1000-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});
