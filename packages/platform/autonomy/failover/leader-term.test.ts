// The leader goes on when the database does not answer for a moment.
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { systemClock } from '../../trust/clock.ts';
import { LeaderTerm, type TermParts } from './leader-term.ts';

test('a policy that cannot be read when it is set is read again later', async () => {
  const logged = Promise.withResolvers<string>();
  const log = pino({ level: 'warn' }, { write: (line: string) => logged.resolve(line) });
  const rows = { modes: () => Promise.reject(new Error('the database is away')) };
  const term = new LeaderTerm({ rows, log, clock: systemClock } as unknown as TermParts);
  term.onMessage({
    kind: 'event',
    accountId: 'account',
    event: {
      id: 'event',
      account_id: 'account',
      at: new Date(0).toISOString(),
      kind: 'system.policy.set',
      severity: 'info',
      actor: { kind: 'platform', id: null, name: 'platform' },
      payload: {},
      correlation_id: 'test',
    },
  });
  expect(await logged.promise).toContain('read again later');
  await term.end();
});
