// Test support: a virtual IP with three candidates and two hubs, of which the first candidate holds it and is well.
import type { PeerFacts, Row } from './state.ts';

export const hubs = ['h1', 'h2'];
export const lease = { witnesses: hubs, quorum: 2 };

export const row: Row = {
  anycast: false,
  candidates: ['a', 'b', 'c'],
  preempt: false,
  holdDownMs: 0,
  holder: 'a',
  epoch: 1,
  releasing: null,
  successor: null,
  move: null,
  lastMovedMs: null,
  checked: false,
  failedChecks: [],
  phase: 'active',
  detail: null,
};

export const well: PeerFacts = {
  hostname: '',
  connected: true,
  applied: 10,
  inSync: true,
  draining: false,
  presence: 'attached',
};
