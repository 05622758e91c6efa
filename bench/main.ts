// The benchmarks: `npm run bench` runs all of them, `npm run bench -- compile` one. One table, JSON beside it.
import path from 'node:path';
import { benchActions } from './actions.ts';
import { benchCompile } from './compile.ts';
import { benchDeliver } from './deliver.ts';
import { Report } from './report.ts';
import { benchStart } from './start.ts';

const benches: Readonly<Record<string, (report: Report) => Promise<void> | void>> = {
  compile: benchCompile,
  deliver: benchDeliver,
  start: benchStart,
  actions: benchActions,
};

const chosen = process.argv.slice(2).filter((word) => !word.startsWith('-'));
const unknown = chosen.filter((name) => !Object.hasOwn(benches, name));
if (unknown.length > 0) {
  process.stderr.write(
    `There is no benchmark ${unknown.join(', ')}. There are: ${Object.keys(benches).join(', ')}.\n`,
  );
  process.exit(64);
}

const report = new Report();
for (const [name, run] of Object.entries(benches)) {
  if (chosen.length === 0 || chosen.includes(name)) await run(report);
}
const file = report.write(path.join(import.meta.dirname, 'results'));
process.stdout.write(`\nWritten to ${path.relative(process.cwd(), file)}\n`);
const missed = report.missed();
if (missed.length > 0) process.stdout.write(`Missed: ${missed.map((figure) => figure.what).join('; ')}\n`);
