// Benchmark (e): from the start of the platform's process until it is up, on an empty folder and on one that has
// been used; beside the embedded database alone, which is most of it.
import { pino } from 'pino';
import { startEmbeddedServer } from '../packages/platform/store/embedded-server.ts';
import { writeFleet } from './deliver/fleet.ts';
import { percentile, type Report } from './report.ts';
import { start } from './stage/child.ts';
import { startPlatform, withFolder } from './stage/platform.ts';

const repeats = 3;
const machines = 5000;
const meshed = 1000;
const bench = 'start';

export async function benchStart(report: Report): Promise<void> {
  report.heading('(e) start of the platform');
  const node = await medianOf(() => start({ file: 'bench/stage/nothing.ts', args: [], ready: /^nothing$/ }));
  const cold = await medianOf(() => withFolder(platformMs));
  const coldDatabase = await medianOf(() => withFolder(databaseMs));
  report.add({
    bench,
    what: 'cold: an empty folder',
    value: cold,
    unit: 'ms',
    beside: { what: 'the embedded database alone', value: coldDatabase },
    note: `a Node program that does nothing: ${node.toFixed(0)} ms`,
  });
  await withFolder(async (dataDir) => {
    await platformMs(dataDir);
    const warm = await medianOf(() => platformMs(dataDir));
    report.add({
      bench,
      what: 'warm: its folder of before',
      value: warm,
      unit: 'ms',
      beside: { what: 'the embedded database alone', value: await medianOf(() => databaseMs(dataDir)) },
    });
    await writeFleet(dataDir, { machines, meshed });
    report.add({
      bench,
      what: `warm, with ${machines} machines and ${machines + meshed} peers`,
      value: await medianOf(() => platformMs(dataDir)),
      unit: 'ms',
      beside: { what: 'with none', value: warm },
    });
  });
}

async function platformMs(dataDir: string): Promise<number> {
  const platform = await startPlatform({ dataDir });
  await platform.stop();
  return platform.readyMs;
}

async function databaseMs(dataDir: string): Promise<number> {
  const began = performance.now();
  const server = await startEmbeddedServer({ dataDir, log: pino({ level: 'silent' }) });
  const elapsed = performance.now() - began;
  await server.stop();
  return elapsed;
}

async function medianOf(run: () => Promise<number | { readonly readyMs: number }>): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < repeats; i++) {
    const measured = await run();
    times.push(typeof measured === 'number' ? measured : measured.readyMs);
  }
  return percentile(times, 0.5);
}
