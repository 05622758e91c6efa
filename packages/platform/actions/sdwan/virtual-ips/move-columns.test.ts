// What is stored of the holder that an address is taken from: its failed health checks, by the reason, and its terms.
import { expect, test } from 'vitest';
import type { VirtualIpRow } from './model.ts';
import { type Away, awayColumns } from './move-columns.ts';

const holder = 'b';
const earlier = [{ peer_id: 'a', recovered: false, at: '2026-11-29T10:00:00.000Z' }];
const now = new Date('2026-11-29T10:05:00.000Z');
const failedNow = { peer_id: 'b', recovered: false, at: now.toISOString() };

function columnsOf(away: Pick<Away, 'reason'> & Partial<Away>) {
  const before = { failed_checks: earlier, epoch: 1 } as unknown as VirtualIpRow;
  const at = { actor: 'o', now, sequence: 1, holder, holderInstanceId: null };
  return awayColumns(before, { successor: 'c', detail: '', terms: [], ...away }, at);
}

test.each<[string, Pick<Away, 'reason' | 'holderFails'>, unknown[]]>([
  ['the check of the holder fails', { reason: 'check_failed' }, [...earlier, failedNow]],
  [
    'a person moves it, or approves that, from a holder whose check fails',
    { reason: 'by_hand', holderFails: true },
    [...earlier, failedNow],
  ],
  ['a person moves it from a holder that is well', { reason: 'by_hand' }, []],
  ['its holder is dead', { reason: 'holder_dead' }, earlier],
])('when %s', (_, away, expected) => {
  expect(columnsOf(away).failed_checks).toEqual(expected);
});

test('terms are written as rows of earlier versions have them', () => {
  const { transition } = columnsOf({
    reason: 'holder_dead',
    terms: [{ witnesses: ['h1', 'h2'], quorum: 2 }, null, 'unknown'],
  });
  expect(transition.terms).toEqual([{ witnesses: ['h1', 'h2'], enough: 2 }, null, 'unknown']);
});
