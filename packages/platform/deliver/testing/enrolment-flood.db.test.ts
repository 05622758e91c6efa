// A flood of joins: few are under way at once, so that streams keep their share of the database; what finds no place is
// asked to retry later; a right secret gets in.
import { randomBytes } from 'node:crypto';
import { databaseSessionsMax } from '@powernode/core/limits/database';
import {
  enrolmentRetrySeconds,
  enrolmentsAtOnceMax,
  enrolmentsWaitingMax,
} from '@powernode/core/limits/trust';
import { sql } from 'kysely';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { inPlatform } from '../../store/tenancy.ts';
import { systemClock } from '../../trust/clock.ts';
import { createEnrolment } from '../../trust/enrol.ts';
import { type Machine, makeMachine } from '../../trust/machine.fixture.ts';
import { Stage } from './stage.fixture.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(() => stage.close());

/** Holds what every enrolment has to read, until it is let go. */
async function holdTokens(): Promise<() => Promise<void>> {
  let letGo: () => void = () => undefined;
  const isOver = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  let held: Promise<void> = Promise.resolve();
  await new Promise<void>((resolve) => {
    held = inPlatform(stage.store, async (trx) => {
      await sql`lock table join_tokens in access exclusive mode`.execute(trx);
      resolve();
      await isOver;
    });
  });
  return async () => {
    letGo();
    await held;
  };
}

function attempt(token: string, machine: Machine, source: string) {
  const body = { token, csr_pem: machine.csrPem, hostname: 'edge', agent_version: '1', unused_keys: [] };
  return { body, connectionKey: machine.publicKey, source };
}

/** Sessions that wait for the table. */
async function waitingSessions(): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from pg_locks
    where relation = 'join_tokens'::regclass and not granted and database = (select oid from pg_database where datname = current_database())
  `.execute(stage.store.db);
  return rows[0]?.count ?? 0;
}

test('a flood of joins leaves sessions to streams, is asked to retry later, and keeps no right secret out [9.6]', async () => {
  const { authority, bus } = stage;
  const enrol = createEnrolment({
    ...{ store: stage.store, authority, bus },
    ...{ clock: systemClock, log: pino({ level: 'silent' }) },
  });
  const right = await stage.joinToken();
  const wrong = `pnj_${randomBytes(32).toString('base64url')}_${authority.fingerprint()}`;
  const [bad, good] = [await makeMachine(), await makeMachine()];
  const letGo = await holdTokens();
  const refusals = new Map<string, number>();
  const flood = Array.from({ length: enrolmentsAtOnceMax + enrolmentsWaitingMax + 40 }, () =>
    enrol(attempt(wrong, bad, '192.0.2.66')).catch((error: { code: string; members: unknown }) => {
      refusals.set(error.code, (refusals.get(error.code) ?? 0) + 1);
      if (error.code === 'busy') {
        expect(error.members).toEqual({ retry_after_seconds: enrolmentRetrySeconds });
      }
    }),
  );
  const joined = enrol(attempt(right, good, '198.51.100.7'));
  await expect.poll(waitingSessions, { timeout: 20_000 }).toBe(enrolmentsAtOnceMax);
  // All that is left answers: without the limit the flood has every session, and this waits for it.
  const others = databaseSessionsMax - enrolmentsAtOnceMax - 1;
  await Promise.all(Array.from({ length: others }, () => sql`select 1`.execute(stage.store.db)));
  expect(refusals.get('busy')).toBe(41);
  await letGo();
  expect(await joined).toMatchObject({ account_id: stage.accountId });
  await Promise.all(flood);
  const refused = (refusals.get('unauthenticated') ?? 0) + (refusals.get('rate_limited') ?? 0);
  expect(refused).toBe(enrolmentsAtOnceMax + enrolmentsWaitingMax - 1);
}, 60_000);
