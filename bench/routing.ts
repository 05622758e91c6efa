// Benchmark (j): BGP with 1,000 prefixes and 50 peers. How long it takes from the start of the last bgpd until the kernels
// of the hubs and of the farthest spoke have every prefix, and one more prefix (routing/convergence.ts).
import { systemRun } from '../packages/agent/ports/run.ts';
import { findFrr } from '../packages/agent/subsystems/frr/programs.ts';
import { percentile, type Report } from './report.ts';
import { converge } from './routing/convergence.ts';
import { lacking } from './stage/machine.ts';

const bench = 'routing';
const sizes = { peers: 50, prefixes: 1000, more: 10 };
const convergedMs = 10_000;
const oneMoreMs = 1000;

export async function benchRouting(report: Report): Promise<void> {
  report.heading(`(j) BGP: ${sizes.prefixes} prefixes, ${sizes.peers} peers`);
  const frr = await findFrr(systemRun);
  const missing = lacking() ?? (frr.kind === 'absent' ? frr.detail : null);
  if (missing !== null) return report.skip(bench, missing);
  const found = await converge(sizes);
  report.add({
    ...{ bench, what: 'from the last bgpd until all are configured', unit: 'ms' },
    value: found.configuredMs,
  });
  const target = { value: convergedMs, better: 'lower' as const };
  report.add({
    ...{ bench, what: 'from the last bgpd to all prefixes, farthest kernel', unit: 'ms' },
    ...{ value: found.farthestKernelMs, target },
  });
  report.add({
    ...{ bench, what: 'the same until the hubs have them too', unit: 'ms' },
    ...{ value: found.hubKernelsMs, target },
  });
  report.add({
    ...{ bench, what: `one more prefix, until the farthest kernel has it, p50 of ${sizes.more}`, unit: 'ms' },
    value: percentile(found.oneMoreMs, 0.5),
    target: { value: oneMoreMs, better: 'lower' },
    note: `longest ${Math.max(...found.oneMoreMs).toFixed(0)} ms`,
  });
}
