// Benchmark: the firewall of a node with 10,000 rules and 5,000 peers. How long a change of one rule takes until it is
// in the kernel, and read back, beside loading the whole table; and what the rules cost a stream through a tunnel.
import { setTimeout as pause } from 'node:timers/promises';
import type { NodeDocument } from '@powernode/core/wire/node-document';
import { noListeners } from '../packages/agent/apply/kernel-machine.ts';
import { Namespace } from '../packages/agent/fixtures/namespace.ts';
import { systemClock } from '../packages/agent/ports/clock.ts';
import type { Ruleset } from '../packages/agent/subsystems/nftables/model.ts';
import { isLoaded } from '../packages/agent/subsystems/nftables/observed.fixture.ts';
import { rulesetOf } from '../packages/agent/subsystems/nftables/ruleset.ts';
import { NftTable } from '../packages/agent/subsystems/nftables/table.ts';
import { changeText, freshText } from '../packages/agent/subsystems/nftables/text.ts';
import { FirewallDocument } from './firewall/document.ts';
import { Tunnel } from './firewall/tunnel.ts';
import { percentile, type Report } from './report.ts';
import { ending } from './stage/endings.ts';
import { lacking } from './stage/machine.ts';

const bench = 'firewall';
const ruleCount = 10_000;
const peerCount = 5_000;
const changes = 40;
const runs = 8;
const betweenChangesMs = 50;

export async function benchFirewall(report: Report): Promise<void> {
  report.heading(`(h) firewall of a node, ${ruleCount} rules and ${peerCount} peers`);
  const missing = lacking();
  if (missing !== null) return report.skip(bench, missing);
  const document = new FirewallDocument({ rules: ruleCount, peers: peerCount });
  await benchChanges(report, document);
  await benchThroughput(report, document);
}

function rulesetFor(document: NodeDocument, previous: Ruleset | null): Ruleset {
  const closedOtherwise = { ipv6: true, ipv4: true };
  const ruleset = rulesetOf(document, { closedOtherwise, guarded: [], bridges: [], previous });
  if (ruleset === null) throw new Error('the document needs no rules');
  return ruleset;
}

interface Times {
  readonly compile: number;
  /** Until nft says that the kernel has it. */
  readonly applied: number;
  readonly readBack: number;
}

async function benchChanges(report: Report, document: FirewallDocument): Promise<void> {
  const namespace = await Namespace.open();
  const end = ending(() => namespace.end());
  try {
    const table = new NftTable({ ...noListeners, run: namespace, clock: systemClock });
    let current = document.whole;
    const began = performance.now();
    let ruleset = rulesetFor(current, null);
    await table.load(ruleset, 'whole');
    const wholeMs = performance.now() - began;
    report.add({ bench, what: 'the whole table, from the document to loaded', value: wholeMs, unit: 'ms' });
    for (const kind of document.changeKinds) {
      const times: Times[] = [];
      for (let i = 0; i < changes; i++) {
        const next = document.changed(current, kind, i);
        await pause(betweenChangesMs);
        const startMs = performance.now();
        const after = rulesetFor(next, ruleset);
        const compiledMs = performance.now();
        await table.load(after, 'change');
        const appliedMs = performance.now();
        if (!isLoaded(after, await table.look())) throw new Error('what was read back is something else');
        const readBack = performance.now() - startMs;
        times.push({ compile: compiledMs - startMs, applied: appliedMs - startMs, readBack });
        const text = changeText(ruleset, after);
        if (text === null || text === '') throw new Error(`${kind} is no change that could be measured`);
        [current, ruleset] = [next, after];
      }
      addChange(report, { kind, times, wholeMs });
    }
  } finally {
    await end();
  }
}

function addChange(
  report: Report,
  {
    kind,
    times,
    wholeMs,
  }: { readonly kind: string; readonly times: readonly Times[]; readonly wholeMs: number },
): void {
  const median = (of: (one: Times) => number) => percentile(times.map(of), 0.5);
  const applied = times.map((one) => one.applied);
  report.add({
    bench,
    what: `change of ${kind}, from the document to the kernel, p50 of ${times.length}`,
    value: percentile(applied, 0.5),
    unit: 'ms',
    beside: { what: 'loading everything', value: wholeMs },
    target: { value: 50, better: 'lower' },
    note: `p95 ${percentile(applied, 0.95).toFixed(0)} ms; ${median((one) => one.compile).toFixed(0)} ms of it to compile; read back after ${median((one) => one.readBack).toFixed(0)} ms`,
  });
}

/** What every stateful firewall asks of the kernel, and nothing else. */
const tracking = [
  'table inet tracking {',
  'chain input {',
  'type filter hook input priority 0',
  'ct state established accept',
  '}',
  '}',
  '',
].join('\n');

/** In turns, so that whatever else the machine does falls on all. */
async function benchThroughput(report: Report, document: FirewallDocument): Promise<void> {
  const tunnel = await Tunnel.open();
  const end = ending(() => tunnel.end());
  try {
    const texts = {
      ruled: freshText(rulesetFor(document.whole, null)),
      // One rule, which lets the stream in, for a network of one peer.
      unruled: freshText(rulesetFor(new FirewallDocument({ rules: 1, peers: 1 }).whole, null)),
      tracked: tracking,
      free: '',
    };
    const measured: Record<keyof typeof texts, number[]> = { ruled: [], unruled: [], tracked: [], free: [] };
    const names = Object.keys(texts) as (keyof typeof texts)[];
    for (let i = 0; i < runs; i++) {
      // Each comes first as often as the others.
      for (const [j] of names.entries()) {
        const name = names[(i + j) % names.length] ?? 'free';
        await tunnel.tell(`flush ruleset\n${texts[name]}`);
        measured[name].push(await tunnel.megabits());
      }
    }
    const { ruled, unruled, tracked, free } = measured;
    const share = (of: readonly number[], to: readonly number[]) => percentile(of, 0.5) / percentile(to, 0.5);
    report.add({
      bench,
      what: `throughput with ${ruleCount} rules, as a share of that of the same node without them`,
      value: share(ruled, unruled),
      unit: '',
      target: { value: 0.95, better: 'higher' },
      note: `${percentile(unruled, 0.5).toFixed(0)} Mbit/s without, wireguard-go, one stream, median of ${runs} in turns`,
    });
    report.add({
      bench,
      what: 'the same, as a share of that of a kernel with no table at all',
      value: share(ruled, free),
      unit: '',
      beside: { what: 'one rule that asks for the state of connections', value: share(tracked, free) },
      note: `${percentile(free, 0.5).toFixed(0)} Mbit/s with no table; the difference is tracking connections`,
    });
  } finally {
    await end();
  }
}
