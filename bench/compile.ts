// Benchmark (a): compiling one node and all nodes, full and after one change, beside the naive compiler.
// Processor time, not wall time: these machines are shared.
import { type Change, FleetIndex } from '@powernode/core/compile/fleet-index';
import type { Item, NetworkModel, PeerModel, RuleModel, VirtualIpModel } from '@powernode/core/compile/model';
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
    ipv4Prefix: '100.64.0.0/18',
    mtu: 1420,
    topologyStrategy: strategy,
    firewallDefaultPolicy: 'drop',
    rematchConnections: true,
  };
  const peers = Array.from({ length: size }, (_, i) => peerOf(strategy, i));
  const items = itemsOf(size);
  const index = new FleetIndex();
  const load = processorMs(() => index.load(network, peers, items));
  const naive = [{ network, peers, items }];

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

  const reached = strategy === 'full_mesh' ? size : 2;
  const naively = sampled / naiveSample;
  benchChange(report, index, {
    what: `one change (attach), ${label}, ${reached} nodes reached`,
    naively: naively * reached,
    ...(size === 10_000 ? { targetMs: 5 } : {}),
    change: (i) => ({
      kind: 'peer_changed',
      networkId: 'network',
      before: null,
      after: peerOf(strategy, size + i),
    }),
  });
  benchItems(report, index, { label, size, naively });
}

/** Changes of what is in a network beside its peers, where spokes meet on hubs or everywhere alike. */
function benchItems(
  report: Report,
  index: FleetIndex,
  of: { readonly label: string; readonly size: number; readonly naively: number },
): void {
  const { label, size, naively } = of;
  const target = size === 10_000 ? { targetMs: 5 } : {};
  benchChange(report, index, {
    what: `one change (a rule to one peer), ${label}, 1 node reached`,
    naively,
    ...target,
    change: (i) => itemChange(ruleOf(size, { id: `new-${i}`, to: 'peer' })),
  });
  benchChange(report, index, {
    what: `one change (a rule to a tag), ${label}, ${size} nodes reached`,
    naively: naively * size,
    ...target,
    change: (i) => itemChange(ruleOf(size, { id: `new-${i}`, to: 'tag' })),
  });
  benchChange(report, index, {
    what: `one change (a virtual IP moves), ${label}`,
    naively,
    ...target,
    change: (i) => itemChange({ ...virtualIpOf(size, 0), holder: `peer-${10 + (i % 2)}`, epoch: i + 1 }),
  });
}

function itemChange(after: Item): Change {
  return { kind: 'item_changed', networkId: 'network', before: null, after };
}

function benchChange(
  report: Report,
  index: FleetIndex,
  of: {
    readonly what: string;
    readonly naively: number;
    readonly targetMs?: number;
    readonly change: (i: number) => Change;
  },
): void {
  const times: number[] = [];
  for (let i = 0; i < repeats; i++) {
    const change = of.change(i);
    times.push(processorMs(() => void index.apply(change)));
  }
  report.add({
    bench: 'compile',
    what: of.what,
    value: percentile(times, 0.5),
    unit: 'ms',
    beside: { what: 'naive, the reached nodes', value: of.naively },
    ...(of.targetMs === undefined ? {} : { target: { value: of.targetMs, better: 'lower' as const } }),
  });
}

/** A rule for every ten peers, a virtual IP for every hundred. */
function itemsOf(size: number): Item[] {
  const rules = Array.from({ length: size / 10 }, (_, i) =>
    ruleOf(size, { id: `rule-${i}`, to: i % 2 === 0 ? 'peer' : 'tag' }),
  );
  return [...rules, ...Array.from({ length: size / 100 }, (_, i) => virtualIpOf(size, i))];
}

function ruleOf(size: number, of: { readonly id: string; readonly to: 'peer' | 'tag' }): RuleModel {
  const number = Number(of.id.slice(of.id.indexOf('-') + 1));
  return {
    type: 'firewall_rule',
    id: of.id,
    networkId: 'network',
    direction: 'ingress',
    action: 'accept',
    selector: { kind: 'tag', tag: 'web' },
    destination:
      of.to === 'peer' ? { kind: 'peer', id: `peer-${(number * 7) % size}` } : { kind: 'tag', tag: 'db' },
    protocol: 'tcp',
    ports: [8443, 8443],
    enabled: true,
  };
}

function virtualIpOf(size: number, i: number): VirtualIpModel {
  const candidates = [10, 11].map((first) => `peer-${(i * 50 + first) % size}`);
  return {
    type: 'virtual_ip',
    id: `virtual-ip-${i}`,
    networkId: 'network',
    addresses: [`fd00:0:0:1::f:${i.toString(16)}`, `100.64.62.${i}`],
    anycast: false,
    candidates,
    holder: candidates[0] ?? null,
    epoch: 0,
  };
}

function peerOf(strategy: Strategy, i: number): PeerModel {
  const hub = strategy === 'full_mesh' || i < 2;
  return {
    id: `peer-${i}`,
    networkId: 'network',
    instanceId: `instance-${i}`,
    hostAddress: `fd00:0:0:1::${(i + 0x100).toString(16)}`,
    ipv4Address: `100.64.${i >> 8}.${i & 255}`,
    publicKey: keyOf(i),
    directKey: hub ? null : keyOf(1_000_000 + i),
    // Peers of a network that meet without a hub are few (directSpokesMax).
    directEndpoint: !hub && i >= 10 && i < 60 ? `198.51.100.1:${1024 + i}` : null,
    hubSlot: hub ? i + 1 : null,
    endpoint: hub ? `192.0.2.1:${1024 + (i % 60_000)}` : null,
    listenPort: 51820,
    tags: i % 10 === 0 ? ['web'] : i % 10 === 1 ? ['db'] : [],
    draining: false,
  };
}

function keyOf(i: number): string {
  return Buffer.from(String(i).padStart(32, '0')).toString('base64');
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
