// `npm test`: installs what the tests need from the machine, runs all of them, and says at the end what was
// left out and why. The last line counts.
import { spawnSync } from 'node:child_process';
import { ensureConsole } from './console.mjs';
import { runGate, tool } from './gate.mjs';
import { printHelpAndEnd } from './help.mjs';
import { prepareMachine } from './machine.mjs';
import { root } from './places.mjs';
import { tryAgain } from './second-try.mjs';
import { runVitest } from './vitest.mjs';

printHelpAndEnd('test');
const skips = prepareMachine();
const environment = {
  POWERNODE_SKIP: JSON.stringify(skips),
  // A tenth of the long form, with seeds of its own (suites/simulation/failover).
  POWERNODE_FAILOVER_RUNS: '600',
};
const gate = await runGate();
const bundle = await buildConsole();
const firstRuns = [await runVitest(['quick', 'db'], { environment })];
// What waits for timers alone hardly keeps browsers from their work.
const waiting = [
  ...(skips.browser === undefined ? ['browser'] : []),
  ...(skips.net === undefined ? ['timers'] : []),
];
firstRuns.push(...(await Promise.all(waiting.map((project) => runVitest([project], { environment })))));
/** One file of each at a time, after the others: these load the machine and its network. */
const together = ['net', 'labs'];
if (skips.net === undefined) {
  firstRuns.push(...(await Promise.all(together.map((project) => runVitest([project], { environment })))));
  firstRuns.push(await runVitest(['alone'], { environment }));
}
const { runs, failedOnce } = await tryAgain(firstRuns, { environment });

let passed = gate.passed + bundle.passed;
let failed = gate.failed + bundle.failed;
let skipped = 0;
const lines = Object.entries(skips).map(([group, reason]) => `skipped: tests that need ${group}: ${reason}`);
for (const run of runs) {
  passed += run.passed;
  failed += run.failed;
  skipped += run.skipped;
  lines.push(...run.skips.map(({ file, name }) => `skipped: ${file}: ${name}`));
}
if (skips.browser !== undefined) skipped += countTests('browser');
if (skips.net !== undefined) {
  for (const project of [...together, 'timers', 'alone']) skipped += countTests(project);
}
lines.push(...failedOnce.map((test) => describeFailure('failed once, passed alone', test)));
lines.push(...runs.flatMap(({ failures }) => failures.map((test) => describeFailure('FAILED', test))));
const install = { filter: 'suites/e2e/install' };
const fresh =
  countTests('net', { ...install, environment: { POWERNODE_INSTALL: '1' } }) - countTests('net', install);
skipped += fresh;
lines.push(
  `skipped: suites/e2e/install (${fresh} tests): fresh systems beside Debian 12, half an hour with downloads; POWERNODE_INSTALL=1 npx vitest run --project net suites/e2e/install`,
);
process.stdout.write(`${[...lines, `${passed} passed, ${failed} failed, ${skipped} skipped`].join('\n')}\n`);
process.exitCode = failed === 0 ? 0 : 1;

/** @returns {string} */
function describeFailure(
  /** @type {string} */ what,
  /** @type {import('./vitest.mjs').FailedTest} */ { file, name, message },
) {
  return `${what}: ${file}: ${name}\n${message.replaceAll(/^/gm, '    ')}`;
}

/** Counted like a step of the gate: without it, what can be tested is tested all the same. */
async function buildConsole() {
  try {
    await ensureConsole(process.execPath);
    return { passed: 1, failed: 0 };
  } catch (error) {
    process.stdout.write(
      `FAILED build of the console\n${error instanceof Error ? error.message : String(error)}\n`,
    );
    return { passed: 0, failed: 1 };
  }
}

/** Tests of a project that is not run at all; at least one, so that it cannot vanish from the count. */
function countTests(
  /** @type {string} */ project,
  /** @type {{ filter?: string, environment?: Record<string, string> }} */ of = {},
) {
  const filter = of.filter === undefined ? [] : [of.filter];
  // Those of a table, or that depend on the environment, are counted by reading the file as a program.
  const read = of.filter === undefined ? [] : ['--no-static-parse'];
  const { stdout } = spawnSync(
    tool('vitest'),
    ['list', ...filter, `--project=${project}`, '--json', ...read],
    {
      cwd: root,
      encoding: 'utf8',
      env: { ...process.env, ...environment, ...of.environment },
      maxBuffer: 64 * 1024 * 1024,
    },
  );
  try {
    /** @type {unknown[]} */
    const tests = JSON.parse(stdout);
    return Math.max(1, tests.length);
  } catch {
    return 1;
  }
}
