// Benchmark (a): compiling one node and all nodes, full and after one change, beside the naive compiler.
// Processor time, not wall time: these machines are shared.
import { type Change, FleetIndex } from '@powernode/core/compile/fleet-index';
import type { NetworkModel, PeerModel } from '@powernode/core/compile/model';
import { compileNaively } from '@powernode/core/compile/naive';
import { percentile, type Report } from './report.ts';

type Strategy = NetworkModel['topologyStrategy'];

const sizes = [100, 1000, 10_000] as const;
/** Nodes of a network whose documents the naive compiler makes; all of 10,000 would take minutes. */
const naiveSample = 20;
const repeats = 31;

export function benchCompile(report: Report): void {
  report.heading('(a) compile');
  for (const strategy of ['hub_and_spoke', 'full_mesh'] as const) {
    for (const size of sizes) benchNetwork(report, { strategy, size });
  }
}

function benchNetwork(report: Report, of: { readonly strategy: Strategy; readonly size: number }): void {
  const { strategy, size } = of;
  const label = `${strategy} of ${size}`;
  const network: NetworkModel = {
    id: 'network',
    accountId: 'account',
    handle: 'bench123',
    prefix: 'fd00:0:0:1::/64',
    mtu: 1420,
    topologyStrategy: strategy,
  };
  const peers = Array.from({ length: size }, (_, i) => peerOf(strategy, i));
  const index = new FleetIndex();
  const load = processorMs(() => index.load(network, peers));
  const naive = [{ network, peers }];

  const one = median(() => index.compile('instance-0').length);
  const oneNaive = median(() => compileNaively(naive, 'instance-0').size, 5);
  report.add({
    bench: 'compile',
    what: `one hub's document, ${label}`,
    value: one,
    unit: 'ms',
    beside: { what: 'naive', value: oneNaive },
  });

  const all = load + processorMs(() => peers.forEach((peer) => index.digest(peer.instanceId)));
  const sampled = processorMs(() => {
    for (let i = 0; i < naiveSample; i++)
      compileNaively(naive, `instance-${Math.floor((i * size) / naiveSample)}`);
  });
  report.add({
    bench: 'compile',
    what: `all documents' hashes from nothing, ${label}`,
    value: all,
    unit: 'ms',
    beside: { what: 'naive (from a sample)', value: (sampled / naiveSample) * size },
  });

  const times: number[] = [];
  for (let i = 0; i < repeats; i++) {
    const after = peerOf(strategy, size + i);
    const change: Change = { kind: 'peer_changed', networkId: network.id, before: null, after };
    times.push(processorMs(() => void index.apply(change)));
  }
  const reached = strategy === 'full_mesh' ? size : 2;
  report.add({
    bench: 'compile',
    what: `one change (attach), ${label}, ${reached} nodes reached`,
    value: percentile(times, 0.5),
    unit: 'ms',
    beside: { what: 'naive, the reached nodes', value: (sampled / naiveSample) * reached },
    ...(size === 10_000 ? { target: { value: 5, better: 'lower' as const } } : {}),
  });
}

function peerOf(strategy: Strategy, i: number): PeerModel {
  const hub = strategy === 'full_mesh' || i < 2;
  return {
    id: `peer-${i}`,
    networkId: 'network',
    instanceId: `instance-${i}`,
    hostAddress: `fd00:0:0:1::${(i + 0x100).toString(16)}`,
    publicKey: Buffer.from(String(i).padStart(32, '0')).toString('base64'),
    hubSlot: hub ? i + 1 : null,
    endpoint: hub ? `192.0.2.1:${1024 + (i % 60_000)}` : null,
    listenPort: 51820,
  };
}

function processorMs(run: () => void): number {
  const before = process.cpuUsage();
  run();
  const used = process.cpuUsage(before);
  return (used.user + used.system) / 1000;
}

function median(run: () => number, times = repeats): number {
  return percentile(
    Array.from({ length: times }, () => processorMs(() => void run())),
    0.5,
  );
}
