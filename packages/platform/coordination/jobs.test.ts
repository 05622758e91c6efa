// Periodic jobs: never two runs at once, whatever a run does; those of the leader by the leader alone.
import { jobLeaderCheckMs } from '@powernode/core/limits/coordination';
import { seededRandom } from '@powernode/core/testing/random';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SimulatedClock } from '../trust/clock.fixture.ts';
import { type Job, JobRunner, type LeaderPort } from './jobs.ts';

function runner(leader: LeaderPort | null = null) {
  const clock = new SimulatedClock();
  const warnings: string[] = [];
  const log = { warn: (of: { job: string }) => void warnings.push(of.job) };
  const jobs = new JobRunner({ clock, log: log as never, random: seededRandom(1), leader });
  return { clock, jobs, warnings };
}

const every = (intervalMs: number, run: Job['run']): Job => ({
  name: 'job',
  intervalMs,
  runsOn: 'every_process',
  run,
});

test('a run begins one interval after the one before has ended, so that runs never overlap', async () => {
  const { clock, jobs } = runner();
  const runs: [begun: number, ended: number][] = [];
  const start = clock.now();
  jobs.add(
    every(100, async () => {
      const begun = clock.now() - start;
      await new Promise<void>((resolve) => clock.after(250, resolve));
      runs.push([begun, clock.now() - start]);
    }),
  );
  await clock.advance(1_000);
  expect(runs).toEqual([
    [100, 350],
    [450, 700],
  ]);
});

test('whatever wakes it and however long it takes, one run is under way at most', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ afterMs: fc.nat(300), takesMs: fc.nat(300), fails: fc.boolean() }), {
        maxLength: 30,
      }),
      async (turns) => {
        const { clock, jobs } = runner();
        let under = 0;
        let most = 0;
        let at = 0;
        jobs.add(
          every(100, async () => {
            most = Math.max(most, ++under);
            const turn = turns[at++ % Math.max(turns.length, 1)];
            await new Promise<void>((resolve) => clock.after(turn?.takesMs ?? 10, resolve));
            under--;
            if (turn?.fails === true) throw new Error('failed');
          }),
        );
        for (const { afterMs } of turns) {
          await clock.advance(afterMs);
          jobs.wake('job');
        }
        await clock.advance(10_000);
        expect(most).toBe(1);
        const [figures] = jobs.figures();
        expect((figures?.succeeded ?? 0) + (figures?.failed ?? 0)).toBe(at - under);
      },
    ),
  );
});

test('what wakes it during a run is seen by one more run right after it', async () => {
  const { clock, jobs } = runner();
  const begun: number[] = [];
  const start = clock.now();
  jobs.add(
    every(1_000, async () => {
      begun.push(clock.now() - start);
      await new Promise<void>((resolve) => clock.after(50, resolve));
    }),
  );
  jobs.wake('job');
  await clock.advance(10);
  jobs.wake('job');
  jobs.wake('job');
  await clock.advance(900);
  expect(begun).toEqual([0, 50]);
});

test('a failure is counted each time, logged once in a row, and stops nothing', async () => {
  const { clock, jobs, warnings } = runner();
  let fails = true;
  jobs.add(
    every(100, () => {
      if (fails) throw new Error('away');
    }),
  );
  await clock.advance(350);
  expect(jobs.figures()).toEqual([{ name: 'job', succeeded: 0, failed: 3, lastSuccessMs: null }]);
  expect(warnings).toEqual(['job']);
  fails = false;
  await clock.advance(100);
  expect(jobs.figures()).toMatchObject([{ succeeded: 1, failed: 3, lastSuccessMs: clock.now() - 50 }]);
  fails = true;
  await clock.advance(100);
  expect(warnings).toEqual(['job', 'job']);
});

test('a job of the leader runs as soon as this process leads, and only when no other process runs it', async () => {
  let leads = false;
  let isTaken = true;
  const { clock, jobs } = runner({
    leads: () => leads,
    exclusively: async (_name, work) => {
      if (isTaken) return false;
      await work();
      return true;
    },
  });
  let runs = 0;
  jobs.add({ name: 'job', intervalMs: 60_000, firstMs: 0, runsOn: 'leader', run: () => void runs++ });
  await clock.advance(10_000);
  leads = true;
  await clock.advance(10_000);
  expect(runs).toBe(0);
  isTaken = false;
  await clock.advance(jobLeaderCheckMs);
  expect(runs).toBe(1);
  await clock.advance(30_000);
  expect(runs).toBe(1);
});

test('a pause is longer by up to the jitter, never shorter', async () => {
  const { clock, jobs } = runner();
  const begun: number[] = [];
  jobs.add({ ...every(100, () => void begun.push(clock.now())), jitter: 0.5 });
  await clock.advance(10_000);
  const pauses = begun.slice(1).map((at, i) => at - (begun[i] ?? 0));
  expect(Math.min(...pauses)).toBeGreaterThanOrEqual(100);
  expect(Math.max(...pauses)).toBeLessThanOrEqual(150);
  expect(new Set(pauses).size).toBeGreaterThan(10);
});

test('what stops waits for the run under way, which hears of it, and begins no other', async () => {
  const { clock, jobs } = runner();
  const seen: boolean[] = [];
  jobs.add(
    every(100, async (stopping) => {
      await new Promise<void>((resolve) => clock.after(500, resolve));
      seen.push(stopping.aborted);
    }),
  );
  await clock.advance(150);
  let isStopped = false;
  const stopped = jobs.stop().then(() => (isStopped = true));
  await clock.advance(100);
  expect(isStopped).toBe(false);
  await clock.advance(1_000);
  await stopped;
  jobs.wake('job');
  await clock.advance(1_000);
  expect(seen).toEqual([true]);
});

test('a name is used once, and a job of the leader needs one', () => {
  const { jobs } = runner();
  jobs.add(every(100, () => undefined));
  expect(() => jobs.add(every(100, () => undefined))).toThrow('two jobs');
  expect(() => jobs.add({ ...every(100, () => undefined), name: 'other', runsOn: 'leader' })).toThrow(
    'leader',
  );
  expect(() => jobs.wake('none')).toThrow('no job');
});
