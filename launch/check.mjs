// `npm run check`: the static gate and the quick tests, for before every commit.
import { runGate } from './gate.mjs';
import { printHelpAndEnd } from './help.mjs';
import { runVitest } from './vitest.mjs';

printHelpAndEnd('check');
const begin = performance.now();
const gate = await runGate();
const gateSeconds = (performance.now() - begin) / 1000;
process.stdout.write(`static gate: ${gateSeconds.toFixed(1)} s\n`);
const tests = await runVitest(['quick'], { args: process.argv.slice(2) });
const seconds = (performance.now() - begin) / 1000;
const failed = gate.failed + tests.failed;
process.stdout.write(
  `${gate.passed + tests.passed} passed, ${failed} failed, ${tests.skipped} skipped in ${seconds.toFixed(1)} s\n`,
);
process.exitCode = failed === 0 ? 0 : 1;
