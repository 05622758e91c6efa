// Which sessions are told.
import type { BgpSessionObservation } from '@powernode/core/wire/node-stream';
import { expect, test } from 'vitest';
import { SessionNews } from './session-news.ts';

const session = (peer: string, of: Partial<BgpSessionObservation> = {}): BgpSessionObservation => ({
  ...{ network_id: 'n', peer_id: peer, state: 'Established', established_at: '2026-01-01T00:00:00.000Z' },
  ...{ prefixes_received: 1, last_error: null },
  ...of,
});

test('changes alone are told, all of them to a new stream, and what left the document once', () => {
  const news = new SessionNews();
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
