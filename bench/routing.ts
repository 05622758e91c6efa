// Benchmark (j): BGP with 1,000 prefixes and 50 peers. How long it takes from the start of the last bgpd until the kernels
// of the hubs and of the farthest spoke have every prefix, and one more prefix. Two hubs and the farthest spoke have real
// agents; the other 47 spokes are real bgpds with a tunnel each on one host (routing/crowd.ts).
import { setTimeout as pause } from 'node:timers/promises';
import { bgpJoiningMs } from '@powernode/core/limits/agent';
import { Fleet } from '../packages/agent/fixtures/agents.ts';
import { Overlay, subnetBehind } from '../packages/agent/fixtures/overlay.ts';
import { systemRun } from '../packages/agent/ports/run.ts';
import { findFrr } from '../packages/agent/subsystems/frr/programs.ts';
import { percentile, type Report } from './report.ts';
import { Crowd, type Spoke, spokesOf } from './routing/crowd.ts';
import { ending } from './stage/endings.ts';
import { lacking } from './stage/machine.ts';
import { withFolder } from './stage/platform.ts';

const bench = 'routing';
const hubs = ['hub1', 'hub2'];
const farthest = 'farthest';
const peersCount = 50;
const prefixesCount = 1000;
const more = 10;
const convergedMs = 10_000;
const oneMoreMs = 1000;
const lookMs = 20;

export async function benchRouting(report: Report): Promise<void> {
  report.heading(`(j) BGP: ${prefixesCount} prefixes, ${peersCount} peers`);
  const frr = await findFrr(systemRun);
  const missing = lacking() ?? (frr.kind === 'absent' ? frr.detail : null);
  if (missing !== null) return report.skip(bench, missing);
  await withFolder(async (folder) => {
    const fleet = new Fleet();
    const endFleet = ending(() => fleet.end());
    try {
      await fleet.start([...hubs, farthest]);
      const spokes = spokesOf(peersCount - hubs.length - 1);
      const crowd = new Crowd(await fleet.stage.host('crowd'), spokes);
      const endCrowd = ending(() => crowd.end());
      try {
        await new RoutingBench({ report, fleet, crowd, names: spokes.map(({ name }) => name) }).run(
          folder,
          spokes,
        );
      } finally {
        await endCrowd();
      }
    } finally {
      await endFleet();
    }
  });
}

interface Parts {
  readonly report: Report;
  readonly fleet: Fleet;
  readonly crowd: Crowd;
  /** Of the spokes without agents. */
  readonly names: readonly string[];
}

class RoutingBench {
  readonly #parts: Parts;
  readonly #overlay: Overlay;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#overlay = new Overlay(parts.fleet, { hubs, spokes: [farthest] });
    this.#overlay.asNumber = 65_010;
  }

  async run(folder: string, spokes: readonly Spoke[]): Promise<void> {
    const { fleet, crowd, report, names } = this.#parts;
    for (const spoke of spokes) this.#overlay.setUnmanaged(spoke.name, spoke);
    for (let i = 0; i < prefixesCount; i++) this.#announce(i, names[i % names.length] ?? '');
    await this.#overlay.apply();
    await crowd.connect(
      hubs.map((name, i) => fleet.hub(name, i + 1)),
      folder,
    );
    // Until agents go by BGP alone: a prefix that nobody announces has no route then.
    await until('the farthest spoke to have no prefix', async () => (await this.#has(farthest)) === 0);
    await pause(bgpJoiningMs);
    const { lastStartedMs, configured } = await crowd.speak(this.#overlay);
    await configured;
    report.add({
      ...{ bench, what: 'the same until all are configured', unit: 'ms' },
      value: performance.now() - lastStartedMs,
    });
    await until('all prefixes', async () => (await this.#has(farthest)) >= prefixesCount);
    report.add({
      ...{ bench, what: 'from the last bgpd to all prefixes, farthest kernel', unit: 'ms' },
      value: performance.now() - lastStartedMs,
      target: { value: convergedMs, better: 'lower' },
    });
    for (const hub of hubs) {
      await until('all prefixes', async () => (await this.#has(hub)) >= prefixesCount);
    }
    report.add({
      ...{ bench, what: 'the same until the hubs have them too', unit: 'ms' },
      value: performance.now() - lastStartedMs,
      target: { value: convergedMs, better: 'lower' },
    });
    await this.#oneMore();
  }

  async #oneMore(): Promise<void> {
    const { crowd, report, names } = this.#parts;
    const times: number[] = [];
    for (let i = 0; i < more; i++) {
      const at = prefixesCount + i;
      const name = names[at % names.length] ?? '';
      this.#announce(at, name);
      const began = performance.now();
      // As a delivery does: whoever announces it and whoever uses it have it at once.
      await Promise.all([
        this.#overlay.apply(),
        crowd.configure(this.#overlay, name),
        until('one more prefix', async () => (await this.#routes(farthest)).includes(`${prefixAt(at)} `)),
      ]);
      times.push(performance.now() - began);
      await pause(1000);
    }
    report.add({
      ...{ bench, what: `one more prefix, until the farthest kernel has it, p50 of ${more}`, unit: 'ms' },
      value: percentile(times, 0.5),
      target: { value: oneMoreMs, better: 'lower' },
      note: `longest ${Math.max(...times).toFixed(0)} ms`,
    });
  }

  #announce(i: number, name: string): void {
    const of = { id: `subnet-${i}`, prefix: prefixAt(i), preference: 100 };
    this.#overlay.setItem(subnetBehind(this.#overlay.peerId(name), of));
  }

  /** How many of the prefixes a kernel has. */
  async #has(name: string): Promise<number> {
    return (await this.#routes(name)).split(prefixStart).length - 1;
  }

  #routes(name: string): Promise<string> {
    return this.#parts.fleet.member(name).host.must('ip', '-6', 'route', 'show', 'table', 'all');
  }
}

const prefixStart = 'fd00:5000:';

function prefixAt(i: number): string {
  return `${prefixStart}${(i + 1).toString(16)}::/64`;
}

async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 120_000;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`waited for ${what} in vain`);
    await pause(lookMs);
  }
}
