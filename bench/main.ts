// The benchmarks: `npm run bench` runs all of them, `npm run bench -- compile` one. One table, JSON beside it.
import path from 'node:path';
import { parseArgs } from 'node:util';
import { benchActions } from './actions.ts';
import { benchAgent } from './agent.ts';
import { benchAttach } from './attach.ts';
import { benchCompile } from './compile.ts';
import { benchDeliver } from './deliver.ts';
import { benchFailover } from './failover.ts';
import { benchFirewall } from './firewall.ts';
import { benchGrowth } from './growth.ts';
import { Report } from './report.ts';
import { benchRouting } from './routing.ts';
import { endAll } from './stage/endings.ts';
import { familyMeter, OthersMeter } from './stage/processes.ts';
import { benchStart } from './start.ts';

const benches: Readonly<Record<string, (report: Report) => Promise<void> | void>> = {
  compile: benchCompile,
  deliver: benchDeliver,
  attach: benchAttach,
  agent: benchAgent,
  start: benchStart,
  actions: benchActions,
  failover: benchFailover,
  firewall: benchFirewall,
  growth: benchGrowth,
  routing: benchRouting,
};

const usage = `npm run bench [-- NAME…]: the benchmarks, about ten minutes; one table, JSON beside it.

  NAME   ${Object.keys(benches).join(', ')}; all of them without any

Most need Linux and root. What is missing of the machine's tools is said, and installed with apt-get.
`;

const chosen = readArguments(process.argv.slice(2));

function readArguments(args: readonly string[]): readonly string[] {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { help: { type: 'boolean', short: 'h', default: false } },
    });
    if (values.help || positionals[0] === 'help') {
      process.stdout.write(usage);
      process.exit(0);
    }
    const unknown = positionals.filter((name) => !Object.hasOwn(benches, name));
    if (unknown.length === 0) return positionals;
    throw new Error(`There is no benchmark ${unknown.join(', ')}.`);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    process.exit(64);
  }
}

const report = new Report();
const others = new OthersMeter(familyMeter());
let interrupted = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    interrupted = true;
    void endAll().then(() => process.exit(130));
  });
}

async function runChosen(): Promise<void> {
  for (const [name, run] of Object.entries(benches)) {
    if (chosen.length > 0 && !chosen.includes(name)) continue;
    others.readShare();
    await run(report);
    report.disturbed(name, others.readShare());
  }
}

await runChosen().catch((error: unknown) => {
  // What was under way fails when everything is ended; the process ends once that is done.
  if (interrupted) return new Promise<never>(() => undefined);
  throw error;
});
// Some of them alone do not replace what a whole run has found.
const name = chosen.length === 0 ? 'latest.json' : `${chosen.join('-')}.tmp.json`;
const file = path.join(import.meta.dirname, 'results', name);
report.write(file);
process.stdout.write(`\nWritten to ${path.relative(process.cwd(), file)}\n`);
const missed = report.missed();
if (missed.length > 0) process.stdout.write(`Missed: ${missed.map((figure) => figure.what).join('; ')}\n`);
