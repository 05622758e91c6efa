// Benchmark (e): from the start of the platform's process until it is up, on an empty folder and on one that has
// been used; beside the embedded database alone, which is most of it.
import { pino } from 'pino';
import { startEmbeddedServer } from '../packages/platform/store/embedded-server.ts';
import { writeFleet } from './deliver/fleet.ts';
import { percentile, type Report } from './report.ts';
import { start } from './stage/child.ts';
import { startPlatform, withFolder } from './stage/platform.ts';
import { processorMsOf } from './stage/processes.ts';

const repeats = 3;
const machines = 5000;
const meshed = 1000;
const bench = 'start';

export async function benchStart(report: Report): Promise<void> {
  report.heading('(e) start of the platform');
  const node = await medianOf(() =>
    start({ nodeArgs: ['-e', 'console.log(1)'], file: null, args: [], ready: /^1$/ }),
  );
  const cold = await medianOf(() => withFolder(startOnce));
  const coldDatabase = await medianOf(() => withFolder(databaseOnce));
  report.add({
    bench,
    what: 'cold: an empty folder',
    value: cold.readyMs,
    unit: 'ms',
    beside: { what: 'the embedded database alone', value: coldDatabase.readyMs },
    note: `${noteOf(cold)}; a Node program that does nothing: ${node.readyMs.toFixed(0)} ms`,
  });
  await withFolder(async (dataDir) => {
    await startOnce(dataDir);
    const warm = await medianOf(() => startOnce(dataDir));
    const warmDatabase = await medianOf(() => databaseOnce(dataDir));
    report.add({
      bench,
      what: 'warm: its folder of before',
      value: warm.readyMs,
      unit: 'ms',
      beside: { what: 'the embedded database alone', value: warmDatabase.readyMs },
      note: noteOf(warm),
    });
    await writeFleet(dataDir, { machines, meshed });
    const full = await medianOf(() => startOnce(dataDir));
    report.add({
      bench,
      what: `warm, with ${machines} machines and ${machines + meshed} peers`,
      value: full.readyMs,
      unit: 'ms',
      beside: { what: 'with none', value: warm.readyMs },
      note: noteOf(full),
    });
  });
}

interface Measured {
  readonly readyMs: number;
  /** Of the platform's process until then. */
  readonly processorMs?: number;
}

async function startOnce(dataDir: string): Promise<Measured> {
  const { pid, readyMs, stop } = await startPlatform({ dataDir });
  const processorMs = processorMsOf(pid);
  await stop();
  return { readyMs, processorMs };
}

async function databaseOnce(dataDir: string): Promise<Measured> {
  const began = performance.now();
  const server = await startEmbeddedServer({ dataDir, log: pino({ level: 'silent' }) });
  const readyMs = performance.now() - began;
  await server.stop();
  return { readyMs };
}

async function medianOf(run: () => Promise<Measured>): Promise<Measured> {
  const all: Measured[] = [];
  for (let i = 0; i < repeats; i++) all.push(await run());
  return {
    readyMs: percentile(
      all.map((one) => one.readyMs),
      0.5,
    ),
    processorMs: percentile(
      all.map((one) => one.processorMs ?? 0),
      0.5,
    ),
  };
}

function noteOf({ processorMs = 0 }: Measured): string {
  return `processor time of the platform ${processorMs.toFixed(0)} ms`;
}
