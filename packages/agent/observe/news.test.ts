// Which observations are told, and how many at once.
import type { BgpSessionObservation } from '@powernode/core/wire/node-stream';
import { expect, test } from 'vitest';
import { News } from './news.ts';
import { goneSession } from './reporter.ts';

const session = (peer: string, of: Partial<BgpSessionObservation> = {}): BgpSessionObservation => ({
  ...{ network_id: 'n', peer_id: peer, state: 'Established', established_at: '2026-01-01T00:00:00.000Z' },
  ...{ prefixes_received: 1, last_error: null },
  ...of,
});

const newsOf = (perFrameMax: number) =>
  new News<BgpSessionObservation>({ keyOf: ({ peer_id }) => peer_id, gone: goneSession, perFrameMax });

test('changes alone are told, all of them to a new stream, and what left the document once', () => {
  const news = newsOf(10);
  expect(news.of([session('a'), session('b')])).toHaveLength(2);
  expect(news.of([session('a'), session('b')])).toEqual([]);
  expect(news.of([session('a', { prefixes_received: 2 }), session('b')])).toEqual([
    session('a', { prefixes_received: 2 }),
  ]);
  expect(news.of([session('b')])).toEqual([
    {
      network_id: 'n',
      peer_id: 'a',
      state: null,
      established_at: null,
      prefixes_received: 0,
      last_error: null,
    },
  ]);
  expect(news.of([session('b')])).toEqual([]);
  news.startAnew();
  expect(news.of([session('b')])).toEqual([session('b')]);
});

test('what a frame does not hold is told by the next ones, and what is no more goes first', () => {
  const news = newsOf(2);
  const all = ['a', 'b', 'c'].map((peer) => session(peer));
  expect(news.of(all)).toEqual([session('a'), session('b')]);
  expect(news.of(all)).toEqual([session('c')]);
  const others = ['d', 'e'].map((peer) => session(peer));
  expect(news.of(others).map(({ peer_id, state }) => [peer_id, state])).toEqual([
    ['a', null],
    ['b', null],
  ]);
  expect(news.of(others).map(({ peer_id }) => peer_id)).toEqual(['c', 'd']);
  expect(news.of(others)).toEqual([session('e')]);
});
