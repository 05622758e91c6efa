// The rate of one token counts on a clock that nobody sets.
import { requestBurstMax, requestsPerSecondMax } from '@powernode/core/limits/requests';
import { describe, expect, it } from 'vitest';
import type { Caller } from '../../actions/invoke-types.ts';
import { limitedAuthenticate } from './rate-limit.ts';

const caller = { tokenId: 'token' } as Caller;
const asked = { authorization: 'Bearer x', source: '192.0.2.1' };

describe('the rate of a token', () => {
  it('is what the steady clock says, however the clock of the machine is set [9.24]', async () => {
    let steadyMs = 1_000_000;
    const authenticate = limitedAuthenticate(
      async () => caller,
      () => steadyMs,
    );
    for (let i = 0; i < requestBurstMax; i++) await authenticate(asked);
    await expect(authenticate(asked)).rejects.toMatchObject({ code: 'rate_limited' });
    steadyMs += 1000;
    for (let i = 0; i < requestsPerSecondMax; i++) await expect(authenticate(asked)).resolves.toBe(caller);
  });
});
