// The health checks of a machine: when services are asked, and what is withheld.
import type { HealthCheckEntry } from '@powernode/core/wire/anycast-entries';
import { nodeDocumentOf } from '@powernode/core/wire/node-document.fixture';
import { expect, test } from 'vitest';
import { FakeClock } from '../ports/clock.fixture.ts';
import type { Answer, Ask, Question } from './ask.ts';
import { HealthChecks } from './health-checks.ts';

function check(id: string, change: Partial<HealthCheckEntry> = {}): HealthCheckEntry {
  return {
    kind: 'health_check',
    key: `health_check/${id}`,
    network_id: 'n',
    virtual_ip_id: id,
    address: `fd00::${id}`,
    protocol: 'tcp',
    port: 80,
    interval_ms: 200,
    fall: 3,
    rise: 2,
    ...change,
  };
}

function machine() {
  const clock = new FakeClock();
  const asked: { readonly question: Question; readonly done: (answer: Answer) => void }[] = [];
  const counts = { cancelled: 0, changed: 0 };
  const turns: string[] = [];
  const ask: Ask = (question, done) => {
    asked.push({ question, done });
    return () => counts.cancelled++;
  };
  const checks = new HealthChecks({
    ...{ clock, ask },
    turned: (entry, { health }) => turns.push(`${entry.virtual_ip_id} ${health}`),
    changed: () => counts.changed++,
  });
  /** The service answers what it was asked last, and is asked again. */
  const answer = async (outcome: string | null) => {
    asked.at(-1)?.done({ outcome });
    await clock.advance(200);
  };
  return { clock, asked, counts, turns, checks, answer };
}

test('one check at a time is under way, and its interval begins when the one before began', async () => {
  const { clock, asked, checks } = machine();
  checks.apply(nodeDocumentOf([check('1')]));
  expect(asked).toHaveLength(1);
  await clock.advance(10_000);
  expect(asked).toHaveLength(1);
  asked[0]?.done({ outcome: null });
  await clock.advance(0);
  expect(asked).toHaveLength(2);
  await clock.advance(50);
  asked[1]?.done({ outcome: null });
  await clock.advance(149);
  expect(asked).toHaveLength(2);
  await clock.advance(1);
  expect(asked).toHaveLength(3);
});

test('an address is withheld after `fall` failures and announced after `rise` successes', async () => {
  const { checks, counts, turns, answer } = machine();
  checks.apply(nodeDocumentOf([check('1')]));
  await answer(null);
  await answer('the connection was refused');
  await answer('the connection was refused');
  expect(checks.withheld).toEqual([]);
  await answer('the connection was refused');
  expect(checks.withheld).toEqual(['fd00::1']);
  expect(checks.observations).toMatchObject([
    { virtual_ip_id: '1', health: 'failing', last_error: 'the connection was refused' },
  ]);
  await answer(null);
  expect(checks.withheld).toEqual(['fd00::1']);
  await answer(null);
  expect(checks.withheld).toEqual([]);
  expect(turns).toEqual(['1 healthy', '1 failing', '1 healthy']);
  expect(counts.changed).toBe(2);
});

test('the first check decides alone, and until then the address is announced', async () => {
  const { checks, answer } = machine();
  checks.apply(nodeDocumentOf([check('1')]));
  expect(checks.withheld).toEqual([]);
  expect(checks.observations).toMatchObject([{ health: 'unknown' }]);
  await answer('the connection was refused');
  expect(checks.withheld).toEqual(['fd00::1']);
});

test('nothing follows from a check during which the agent was not run', async () => {
  const { clock, checks, asked, answer } = machine();
  checks.apply(nodeDocumentOf([check('1', { fall: 1 })]));
  await answer(null);
  for (let i = 0; i < 20; i++) {
    asked.at(-1)?.done({});
    await clock.advance(200);
  }
  expect(asked).toHaveLength(22);
  expect(checks.withheld).toEqual([]);
});

test('a check that asks otherwise goes on from what was found, and one that is gone withholds nothing', async () => {
  const { checks, counts, asked, answer } = machine();
  checks.apply(nodeDocumentOf([check('1')]));
  await answer('the connection was refused');
  checks.apply(nodeDocumentOf([check('1', { port: 81 })]));
  expect(asked.at(-1)?.question.port).toBe(81);
  expect(counts.cancelled).toBe(1);
  expect(checks.withheld).toEqual(['fd00::1']);
  checks.apply(nodeDocumentOf([]));
  expect(checks.withheld).toEqual([]);
  expect(checks.observations).toEqual([]);
});
