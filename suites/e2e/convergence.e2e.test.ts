// A tenth of the benchmark of routing: every prefix that real bgpds announce is in the kernels of agents, and one more as
// well. Needs root and FRR.
import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { converge } from '../../bench/routing/convergence.ts';

const canRun = process.platform === 'linux' && process.getuid?.() === 0 && existsSync('/usr/lib/frr/bgpd');

test.skipIf(!canRun)('100 prefixes of 5 peers are in every kernel, and one more', async () => {
  const { farthestKernelMs, hubKernelsMs, oneMoreMs } = await converge({ peers: 5, prefixes: 100, more: 1 });
  expect(oneMoreMs).toHaveLength(1);
  process.stdout.write(
    `farthest kernel ${Math.round(farthestKernelMs)} ms, hubs ${Math.round(hubKernelsMs)} ms after the last bgpd; one more ${Math.round(oneMoreMs[0] ?? 0)} ms\n`,
  );
});
