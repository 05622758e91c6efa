// The one client of this page, bound to its session, its clock and its connection.
import { createClient } from '../api/client.ts';
import { learnServerTime } from '../parts/clock.ts';
import { noteAlive } from './connection.ts';
import { endSession, session } from './session.ts';

/** Set by the live stream while it runs: a call that met silence makes it look at once. */
let onSilence: (() => void) | null = null;

export function whenSilent(look: (() => void) | null): void {
  onSilence = look;
}

export const client = createClient({
  fetch: (url, init) => fetch(url, init),
  token: () => session.get().token,
  newIdempotencyKey: () => crypto.randomUUID(),
  onContact({ answered, at }) {
    if (answered) noteAlive(Date.now());
    else onSilence?.();
    if (at !== null) learnServerTime(at);
  },
  onUnauthenticated(error) {
    if (session.get().token !== null) endSession(`You were signed out: ${error.problem.detail}`);
  },
});
