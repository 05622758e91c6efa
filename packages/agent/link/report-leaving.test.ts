// Leaving, as the platform hears it: in the name of the machine's certificate, and never a reason not to leave.

import { afterEach, beforeEach, expect, it } from 'vitest';
import { enrolled } from '../fixtures/enrolled.ts';
import type { FixturePlatform } from '../fixtures/platform.ts';
import type { Identity } from '../state/identity.ts';
import { reportLeaving } from './report-leaving.ts';

let platform: FixturePlatform;
let identity: Identity;

beforeEach(async () => {
  ({ platform, identity } = await enrolled());
});
afterEach(() => platform.down());

it('the platform is told which machine has left [9.15]', async () => {
  expect(await reportLeaving(identity)).toEqual({ kind: 'ended' });
  expect(platform.left).toEqual([identity.instance_id]);
});

it('another machine with the same identity keeps its instance [9.31]', async () => {
  platform.duplicates = true;
  expect(await reportLeaving(identity)).toEqual({ kind: 'kept' });
  expect(platform.left).toEqual([]);
});

it('without its platform it can leave too, and knows that it was not told [9.15]', async () => {
  await platform.down();
  expect(await reportLeaving(identity)).toMatchObject({
    kind: 'not_reported',
    why: expect.stringMatching(/127\.0\.0\.1/),
  });
});
