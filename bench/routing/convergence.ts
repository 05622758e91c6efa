// How long BGP takes until kernels have the prefixes that many spokes announce, and one more of them. Two hubs and the
// farthest spoke have real agents; the other spokes are real bgpds with a tunnel each on one host (crowd.ts).
import { setTimeout as pause } from 'node:timers/promises';
import { bgpJoiningMs } from '@powernode/core/limits/agent';
import { Fleet } from '../../packages/agent/fixtures/agents.ts';
import { Overlay, subnetBehind } from '../../packages/agent/fixtures/overlay.ts';
import { ending } from '../stage/endings.ts';
import { withFolder } from '../stage/platform.ts';
import { Crowd, type Spoke, spokesOf } from './crowd.ts';

export interface ConvergenceSizes {
  /** With the hubs and the farthest spoke. */
  readonly peers: number;
  /** Announced by the other spokes in turn before the last bgpd starts. */
  readonly prefixes: number;
  /** Announced after that, one after the other. */
  readonly more: number;
}

/** In milliseconds, from the start of the last bgpd. */
export interface Convergence {
  readonly configuredMs: number;
  readonly farthestKernelMs: number;
  readonly hubKernelsMs: number;
  /** Of each one more prefix, from its delivery to the farthest kernel. */
  readonly oneMoreMs: readonly number[];
}

const hubs = ['hub1', 'hub2'];
const farthest = 'farthest';
const lookMs = 20;
const limitMs = 120_000;

/** Ends everything that it has started. Throws when a prefix does not arrive within two minutes. */
export async function converge(sizes: ConvergenceSizes): Promise<Convergence> {
  return withFolder(async (folder) => {
    const fleet = new Fleet();
    const endFleet = ending(() => fleet.end());
    try {
      await fleet.start([...hubs, farthest]);
      const spokes = spokesOf(sizes.peers - hubs.length - 1);
      const crowd = new Crowd(await fleet.stage.host('crowd'), spokes);
      const endCrowd = ending(() => crowd.end());
      try {
        return await new Converging({ sizes, fleet, crowd, spokes }).run(folder);
      } finally {
        await endCrowd();
      }
    } finally {
      await endFleet();
    }
  });
}

interface Parts {
  readonly sizes: ConvergenceSizes;
  readonly fleet: Fleet;
  readonly crowd: Crowd;
  /** Those without agents. */
  readonly spokes: readonly Spoke[];
}

class Converging {
  readonly #parts: Parts;
  readonly #overlay: Overlay;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#overlay = new Overlay(parts.fleet, { hubs, spokes: [farthest] });
    this.#overlay.asNumber = 65_010;
  }

  async run(folder: string): Promise<Convergence> {
    const { fleet, crowd, spokes, sizes } = this.#parts;
    for (const spoke of spokes) this.#overlay.setUnmanaged(spoke.name, spoke);
    for (let i = 0; i < sizes.prefixes; i++) this.#announce(i);
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
    const configuredMs = performance.now() - lastStartedMs;
    await this.#hasAll(farthest);
    const farthestKernelMs = performance.now() - lastStartedMs;
    for (const hub of hubs) await this.#hasAll(hub);
    const hubKernelsMs = performance.now() - lastStartedMs;
    return { configuredMs, farthestKernelMs, hubKernelsMs, oneMoreMs: await this.#oneMore() };
  }

  async #oneMore(): Promise<number[]> {
    const { crowd, sizes } = this.#parts;
    const times: number[] = [];
    for (let i = sizes.prefixes; i < sizes.prefixes + sizes.more; i++) {
      const name = this.#announce(i);
      const began = performance.now();
      // As a delivery does: whoever announces it and whoever uses it have it at once.
      await Promise.all([
        this.#overlay.apply(),
        crowd.configure(this.#overlay, name),
        until('one more prefix', async () => (await this.#routes(farthest)).includes(`${prefixAt(i)} `)),
      ]);
      times.push(performance.now() - began);
      await pause(1000);
    }
    return times;
  }

  /** Answers with the name of the spoke that announces it. */
  #announce(i: number): string {
    const { spokes } = this.#parts;
    const name = spokes[i % spokes.length]?.name ?? '';
    const of = { id: `subnet-${i}`, prefix: prefixAt(i), preference: 100 };
    this.#overlay.setItem(subnetBehind(this.#overlay.peerId(name), of));
    return name;
  }

  async #hasAll(name: string): Promise<void> {
    const { prefixes } = this.#parts.sizes;
    await until(`${prefixes} prefixes at ${name}`, async () => (await this.#has(name)) >= prefixes);
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
  const end = performance.now() + limitMs;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`waited for ${what} in vain`);
    await pause(lookMs);
  }
}
