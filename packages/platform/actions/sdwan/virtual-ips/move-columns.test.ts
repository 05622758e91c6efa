// What is remembered of health checks that failed, by why an address is taken from its holder.
import { expect, test } from 'vitest';
import type { VirtualIpRow } from './model.ts';
import { type Away, awayColumns } from './move-columns.ts';

const holder = 'b';
const earlier = [{ peer_id: 'a', recovered: false, at: '2026-11-29T10:00:00.000Z' }];
const now = new Date('2026-11-29T10:05:00.000Z');
const failedNow = { peer_id: 'b', recovered: false, at: now.toISOString() };

function remembered(away: Pick<Away, 'reason' | 'holderFails'>) {
  const before = { failed_checks: earlier, epoch: 1 } as unknown as VirtualIpRow;
  const at = { actor: 'o', now, sequence: 1, holder, holderInstanceId: null };
  return awayColumns(before, { successor: 'c', detail: '', terms: [], ...away }, at).failed_checks;
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
  expect(remembered(away)).toEqual(expected);
});
