// `npm test`: installs what the tests need from the machine, runs all of them, and says at the end what was
// left out and why. The last line counts.
import { spawnSync } from 'node:child_process';
import { ensureConsole } from './console.mjs';
import { runGate, tool } from './gate.mjs';
import { prepareMachine } from './machine.mjs';
import { root } from './places.mjs';
import { runVitest } from './vitest.mjs';

const skips = prepareMachine();
const environment = { POWERNODE_SKIP: JSON.stringify(skips) };
const gate = await runGate();
const bundle = await buildConsole();
const runs = [await runVitest(['quick', 'db'], { environment })];
if (skips.browser === undefined) runs.push(await runVitest(['browser'], { environment }));
// Alone, one file after the other: these measure and load the machine's network.
if (skips.net === undefined) runs.push(await runVitest(['net'], { environment }));

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
if (skips.net !== undefined) skipped += countTests('net');
const services = countTests('net', {
  filter: 'suites/e2e/services',
  environment: { POWERNODE_SERVICES: '1' },
});
skipped += services;
lines.push(
  `skipped: suites/e2e/services (${services} tests): ten minutes by themselves; POWERNODE_SERVICES=1 npx vitest run --project net suites/e2e/services`,
);
process.stdout.write(`${[...lines, `${passed} passed, ${failed} failed, ${skipped} skipped`].join('\n')}\n`);
process.exitCode = failed === 0 ? 0 : 1;

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
  const { stdout } = spawnSync(tool('vitest'), ['list', ...filter, `--project=${project}`, '--json'], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, ...environment, ...of.environment },
    maxBuffer: 64 * 1024 * 1024,
  });
  try {
    /** @type {unknown[]} */
    const tests = JSON.parse(stdout);
    return Math.max(1, tests.length);
  } catch {
    return 1;
  }
}
