// How the live and the listed events become one list.
import { expect, it } from 'vitest';
import type { Event } from '../../api/event.ts';
import { mergeEvents } from './merge.ts';

function event(id: string, kind = 'sdwan.peer.attached'): Event {
  const actor = { kind: 'platform' as const, id: null, name: 'p' };
  return { id, account_id: 'a', kind, severity: 'info', at: '', actor, correlation_id: '', payload: {} };
}

it('has each event once, the newest first', () => {
  const merged = mergeEvents([event('4'), event('3')], [event('3'), event('1'), event('2')], '');
  expect(merged.map((e) => e.id)).toEqual(['4', '3', '2', '1']);
});

it('has only kinds that begin as asked', () => {
  const merged = mergeEvents([event('2'), event('3', 'sdwan.network.created')], [event('1')], 'sdwan.peer.');
  expect(merged.map((e) => e.id)).toEqual(['2', '1']);
});
