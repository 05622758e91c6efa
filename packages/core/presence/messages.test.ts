// What people read of a peer that is not reached.
import { expect, test } from 'vitest';
import type { Cause } from './evaluate-peer.ts';
import { messageOf } from './messages.ts';

const names = { self: 'edge1', hub: (id: string) => `hub${id}` };
const since = Date.parse('2026-11-29T20:00:00.400Z');
const cause = (some: Partial<Cause>): Cause => ({
  code: 'offline',
  sinceMs: since,
  hubIds: [],
  count: 0,
  ...some,
});

test.each<[Partial<Cause>, string]>([
  [
    { hubIds: ['1', '2'] },
    'edge1 has not been heard by the platform, hub1 and hub2 since 2026-11-29T20:00:00Z.',
  ],
  [{ sinceMs: null }, 'edge1 has not been heard by the platform.'],
  [{ count: 40 }, 'edge1 has not been heard by the platform and 40 peers since 2026-11-29T20:00:00Z.'],
  [
    { code: 'not_heard', hubIds: ['1'] },
    'The agent of edge1 is connected to the platform, but edge1 has not been heard in the overlay by hub1 since 2026-11-29T20:00:00Z.',
  ],
  [
    { code: 'udp_blocked', hubIds: ['1', '2'] },
    'The agent of edge1 is connected to the platform, but none of its hubs has answered it since 2026-11-29T20:00:00Z, while others reach hub1 and hub2: UDP between edge1 and them does not pass.',
  ],
  [
    { code: 'hubs_dead', hubIds: ['1'] },
    'edge1 reaches none of its hubs (hub1) since 2026-11-29T20:00:00Z, and nobody else does.',
  ],
  [
    { code: 'no_path', hubIds: ['1'] },
    'Nothing passes between edge1 and hub1 since 2026-11-29T20:00:00Z; nobody else tells which side it is.',
  ],
  [
    { code: 'forwards_nothing', count: 3 },
    'edge1 answers for itself, but 3 peers find that it has passed nothing on since 2026-11-29T20:00:00Z.',
  ],
  [
    { code: 'contradiction', hubIds: ['1'] },
    'hub1 has not heard edge1 since 2026-11-29T20:00:00Z, although edge1 says that it is answered: one of the two is wrong.',
  ],
])('%j [9.14] [9.28]', (some, text) => {
  expect(messageOf(cause(some), names)).toBe(text);
});

test('a sentence about very many hubs stays one [9.14]', () => {
  const hubIds = Array.from({ length: 30 }, (_, i) => `${i}`);
  expect(messageOf(cause({ hubIds }), names)).toContain('hub4 and 25 more since');
});
