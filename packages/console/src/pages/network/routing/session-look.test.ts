// What is not known of a session now is not shown as its state.
import { bgpStates } from '@powernode/core/intent/bgp';
import { expect, it } from 'vitest';
import { isEstablished, sessionLook } from './session-look.ts';

const at = '2026-11-29T10:00:00.000Z';

it.each(bgpStates)('%s is shown as it is only while the instance is connected', (state) => {
  expect(sessionLook({ state, observed_at: at, stale: false }).text).toBe(state);
  expect(sessionLook({ state, observed_at: at, stale: true })).toMatchObject({
    tone: 'idle',
    text: `was ${state}`,
  });
  for (const stale of [true, false]) {
    expect(sessionLook({ state, observed_at: null, stale }).text).toBe('not reported');
  }
  expect(isEstablished({ state, observed_at: at, stale: false })).toBe(state === 'Established');
  expect(isEstablished({ state, observed_at: at, stale: true })).toBe(false);
});
