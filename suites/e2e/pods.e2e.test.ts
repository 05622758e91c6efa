// Pods of a cluster on the nodes of a network: with slices that the platform assigns, with exactly the routes and the
// masquerading of flannel's host-gw and without, with static routes and with iBGP, by interfaces to two hubs.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { firewallActions } from '@powernode/core/actions/firewall';
import { fleetActions } from '@powernode/core/actions/fleet';
import { routingActions } from '@powernode/core/actions/routing';
import { sdwanActions } from '@powernode/core/actions/sdwan';
import type { Network } from '@powernode/core/intent/network';
import type { Peer } from '@powernode/core/intent/peer';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Call } from '../../packages/lab/fleet/api.ts';
import { type Lab, upSpec } from '../../packages/lab/lab.ts';
import { ownLabFolder, uniqueName } from '../../packages/lab/testing/scene.ts';

const hasFrr = existsSync('/usr/lib/frr/bgpd');
const cidr = '10.42.0.0/16';
/** Each a node of the cluster; the first one is a hub of the network too. */
const nodes = ['hub1', 'node1', 'node2', 'node3'];

let lab: Lab;
let removeFolder: () => Promise<void>;
let call: Call;
let network: Network;

beforeAll(async () => {
  removeFolder = await ownLabFolder();
  lab = await upSpec({
    name: uniqueName('pods'),
    platforms: [{ name: 'main' }],
    hosts: [
      { name: 'hub1', on: 'public', role: 'hub' },
      { name: 'hub2', on: 'public', role: 'hub' },
      ...['node1', 'node2', 'node3'].map((name) => ({ name, on: 'public' })),
    ],
    networks: [
      {
        name: 'cluster',
        hosts: ['hub1', 'hub2', 'node1', 'node2', 'node3'],
        pod_subnet_prefix: cidr,
        // Spokes meet by their hubs alone, by other interfaces than the one that host-gw is bound to.
        direct_paths: false,
      },
    ],
  });
  call = await lab.platform('main');
  network = await theNetwork();
  await look();
  for (const name of nodes) await startPod(name, peerOf(name).pod_subnet ?? '');
});

afterAll(async () => {
  await lab?.down();
  await removeFolder();
});

async function theNetwork(): Promise<Network> {
  const { networks } = await call(sdwanActions.listNetworks, {});
  const [found] = networks;
  if (found === undefined) throw new Error('the lab has no network');
  return found;
}

/** As they were at the last look, by the name of the machine. */
const peers = new Map<string, Peer>();

async function look(): Promise<void> {
  for (const peer of (await call(sdwanActions.listPeers, { limit: 500 })).peers)
    peers.set(peer.hostname, peer);
}

function peerOf(hostname: string): Peer {
  const peer = peers.get(hostname);
  if (peer === undefined) throw new Error(`${hostname} is no peer`);
  return peer;
}

async function peerNow(hostname: string): Promise<Peer> {
  await look();
  return peerOf(hostname);
}

async function must(host: string, text: string): Promise<string> {
  const [program = '', ...args] = text.split(' ');
  const { exitCode, stdout, stderr } = await lab.exec(host, { program, args });
  if (exitCode !== 0) throw new Error(`${host}: ${text}: ${stderr}`);
  return stdout;
}

/** The n-th address of a slice. */
const inSlice = (slice: string, n: number) => slice.replace(/0\/\d+$/, String(n));
/** The address of the pod that a node was given at first. */
const podOf = (host: string) => pods.get(host) ?? '';
const pods = new Map<string, string>();

/** A pod as a node has it: a namespace behind the bridge of the cluster. */
async function startPod(host: string, slice: string): Promise<void> {
  await must(host, 'ip link add cni0 type bridge');
  await must(host, `ip address add ${inSlice(slice, 1)}/24 dev cni0`);
  await must(host, 'ip link set cni0 up');
  await must(host, 'ip netns add pod');
  await must(host, 'ip link add veth-pod type veth peer name eth0 netns pod');
  await must(host, 'ip link set veth-pod master cni0 up');
  await must(host, 'ip -n pod link set lo up');
  await must(host, `ip -n pod address add ${inSlice(slice, 7)}/24 dev eth0`);
  await must(host, 'ip -n pod link set eth0 up');
  await must(host, `ip -n pod route add default via ${inSlice(slice, 1)}`);
  pods.set(host, inSlice(slice, 7));
}

async function podPings(from: string, to: string): Promise<boolean> {
  const args = ['netns', 'exec', 'pod', 'ping', '-n', '-c', '1', '-W', '1', to];
  return (await lab.exec(from, { program: 'ip', args })).exitCode === 0;
}

async function hostPings(from: string, to: string): Promise<boolean> {
  return (await lab.exec(from, { program: 'ping', args: ['-n', '-c', '1', '-W', '1', to] })).exitCode === 0;
}

const becomes = (ask: () => Promise<boolean>, wanted: boolean) => expect.poll(ask).toBe(wanted);

/** Every pod reaches every other one, and every node's overlay address; every node reaches every pod. */
async function allReachAll(): Promise<void> {
  for (const from of nodes) {
    for (const to of nodes) {
      if (from === to) continue;
      await becomes(() => podPings(from, podOf(to)), true);
      await becomes(() => hostPings(from, podOf(to)), true);
      await becomes(() => podPings(from, peerOf(to).ipv4_address ?? ''), true);
    }
    // An API server answers pods of its own node at that node's address.
    await becomes(() => podPings(from, peerOf(from).ipv4_address ?? ''), true);
  }
}

/** As flannel's backend host-gw writes them: the address of the other node as next hop, on the interface it is bound to. */
function hostGwRoutes(host: string): string[] {
  const others = nodes.filter((one) => one !== host).map(peerOf);
  const iface = network.flannel?.flannel_iface;
  return others.map((peer) => `${peer.pod_subnet} via ${peer.ipv4_address} dev ${iface}`);
}

/** Routes of the main table that are not the agent's, as they were written. */
async function foreignRoutes(host: string): Promise<string[]> {
  const shown = await must(host, 'ip -4 route show table main');
  return shown
    .split('\n')
    .map((line) => line.replace(/ (?:onlink|linkdown) *$/, '').trim())
    .filter((line) => line.includes(' via ') && line.startsWith('10.42.'));
}

/** Its masquerading (flannel's `masqRules`), which is none of the agent's. */
const masquerade = (slice: string) => `table ip flannel {
  chain postrouting {
    type nat hook postrouting priority srcnat;
    ip saddr ${cidr} ip daddr ${cidr} return
    ip saddr ${cidr} ip daddr != 224.0.0.0/4 masquerade
    ip saddr != ${cidr} ip daddr ${slice} return
    ip saddr != ${cidr} ip daddr ${cidr} masquerade
  }
}
`;

/** What answers say of a ping from a pod, until it is told to end. */
async function steadyPings(from: string, to: string) {
  const ping = `echo $$; exec ip netns exec pod ping -n -D -i 0.01 -W 1 ${to}`;
  const command = lab.command(from, { program: 'sh', args: ['-c', ping] });
  const child = spawn(command.program, [...command.args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  let stdout = '';
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += String(chunk);
  });
  const answers = () => stdout.split('icmp_seq=').length - 1;
  const more = async (count: number) => {
    const before = answers();
    await expect.poll(answers).toBeGreaterThan(before + count);
  };
  await more(50);
  return {
    more,
    async end() {
      await must(from, `kill -INT ${stdout.split('\n')[0]}`);
      await closed;
      const [, sent = '0', received = '0'] = /(\d+) packets transmitted, (\d+) received/.exec(stdout) ?? [];
      const times = Array.from(stdout.matchAll(/^\[([\d.]+)\].* icmp_seq=/gm), ([, at]) => Number(at) * 1000);
      const gaps = times.slice(1).map((at, i) => at - (times[i] ?? at));
      return { sent: Number(sent), lost: Number(sent) - Number(received), longestMs: Math.max(...gaps) };
    },
  };
}

async function verdictOf(from: string, to: string): Promise<string> {
  const { verdict } = await call(firewallActions.explainReachability, {
    network_id: network.id,
    source: { address: from },
    destination: { address: to },
    protocol: 'icmp6',
  });
  return verdict;
}

test('each node has a slice, which all tunnels in use cover: pods reach pods without any route of a cluster', async () => {
  expect(network.flannel).toEqual({
    flannel_iface: `wg-${network.handle}`,
    flannel_backend: 'host-gw',
    cluster_cidr: cidr,
  });
  const slices = nodes.map((name) => peerOf(name).pod_subnet);
  expect(new Set(slices).size).toBe(nodes.length);
  // Beside the interface that host-gw is bound to, a spoke has one for each hub.
  const links = await must('node1', 'ip -brief link show');
  expect(links.match(new RegExp(`wg-${network.handle}`, 'g'))).toHaveLength(3);
  await allReachAll();
});

test('with exactly the routes and the masquerading of host-gw it is the same', async () => {
  for (const host of nodes) {
    for (const route of hostGwRoutes(host)) await must(host, `ip route add ${route}`);
    const { exitCode } = await lab.exec(host, {
      program: 'nft',
      args: ['-f', '-'],
      input: masquerade(peerOf(host).pod_subnet ?? ''),
    });
    expect(exitCode).toBe(0);
  }
  await allReachAll();
  for (const host of nodes) {
    expect((await foreignRoutes(host)).sort()).toEqual(hostGwRoutes(host).sort());
  }
  // Not by that interface: its tunnels do not cover the slice, and no packet goes there.
  const way = await must('node1', `ip route get ${podOf('node2')}`);
  expect(way).toMatch(new RegExp(`dev wg-${network.handle}-[12] `));
});

test('rules decide about pods at their peers, by the addresses that they have', async () => {
  const [pod1, pod2] = [podOf('node1'), podOf('node2')];
  await call(sdwanActions.updateNetwork, { network_id: network.id, firewall_default_policy: 'drop' });
  await becomes(() => podPings('node1', pod2), false);
  expect(await verdictOf(pod1, pod2)).toBe('denied');
  const slice = peerOf('node1').pod_subnet ?? '';
  await call(firewallActions.createFirewallRule, {
    network_id: network.id,
    direction: 'ingress',
    action: 'accept',
    selector: { kind: 'cidr', cidr: slice },
    destination: { kind: 'all' },
    protocol: 'icmp6',
  });
  await becomes(() => podPings('node1', pod2), true);
  expect(await verdictOf(pod1, pod2)).toBe('allowed');
  // By its own address, which masquerading would have taken.
  const node2 = peerOf('node2').ipv4_address ?? '';
  await becomes(() => podPings('node1', node2), true);
  expect(await verdictOf(pod1, node2)).toBe('allowed');
  expect(await podPings('node3', pod2)).toBe(false);
  expect(await verdictOf(podOf('node3'), pod2)).toBe('denied');
  expect(await podPings('node2', node2)).toBe(false);
  expect(await verdictOf(pod2, node2)).toBe('denied');
  await call(sdwanActions.updateNetwork, { network_id: network.id, firewall_default_policy: 'accept' });
  await becomes(() => podPings('node3', pod2), true);
});

test.skipIf(!hasFrr)(
  'switched to iBGP and back no packet of pods is lost, with host-gw’s routes and without',
  async () => {
    const pinging = await steadyPings('node1', podOf('node2'));
    const isEstablished = async () => {
      const { sessions } = await call(routingActions.getBgpSessions, { network_id: network.id });
      return sessions.length > 0 && sessions.every(({ state }) => state === 'Established');
    };
    await call(sdwanActions.updateNetwork, { network_id: network.id, routing_mode: 'ibgp' });
    await expect.poll(isEstablished, { timeout: 60_000 }).toBe(true);
    await allReachAll();
    const { bgp_routes: routes } = await call(routingActions.getRoutingSummary, { network_id: network.id });
    expect(routes).toContainEqual(
      expect.objectContaining({
        prefix: peerOf('node2').pod_subnet,
        source: expect.stringMatching(/^pod_subnet:/),
        best: peerOf('node2').id,
      }),
    );
    for (const host of nodes) {
      for (const route of hostGwRoutes(host)) await must(host, `ip route delete ${route}`);
    }
    await allReachAll();
    await call(sdwanActions.updateNetwork, { network_id: network.id, routing_mode: 'static' });
    await pinging.more(100);
    const { sent, lost } = await pinging.end();
    console.log(`static, iBGP, static: ${lost} of ${sent} packets between pods lost`);
    expect(lost).toBe(0);
    for (const host of nodes) {
      for (const route of hostGwRoutes(host)) await must(host, `ip route add ${route}`);
    }
  },
);

test('a slice that flannel says becomes that of the peer, unless it is another’s', async () => {
  const env = (slice: string) =>
    `FLANNEL_NETWORK=${cidr}\nFLANNEL_SUBNET=${inSlice(slice, 1)}/24\nFLANNEL_MTU=1420\n`;
  const say = async (host: string, slice: string) => {
    await must(host, 'mkdir -p /run/flannel');
    const args = ['-c', 'cat > /run/flannel/subnet.env'];
    await lab.exec(host, { program: 'sh', args, input: env(slice) });
  };
  const [one, two] = [peerOf('node1'), peerOf('node2')];
  await say('node1', one.pod_subnet ?? '');
  await expect.poll(async () => (await peerNow('node1')).pod_subnet_source).toBe('observed');
  await say('node2', one.pod_subnet ?? '');
  await expect.poll(async () => (await peerNow('node2')).problem?.code).toBe('pod_subnet_refused');
  expect(peerOf('node2').pod_subnet).toBe(two.pod_subnet);
  const { events } = await call(fleetActions.recentEvents, { kind_prefix: 'sdwan.peer.pod_subnet_refused' });
  expect(events).toHaveLength(1);
  expect(await podPings('node3', podOf('node1'))).toBe(true);
  expect(await podPings('node3', podOf('node2'))).toBe(true);
  await say('node2', '10.42.0.0/24');
  await expect
    .poll(async () => (await peerNow('node2')).pod_subnet, { timeout: 90_000 })
    .toBe('10.42.0.0/24');
});

test('a hub that dies takes no pod with it', async () => {
  const pinging = await steadyPings('node1', podOf('node3'));
  const way = await must('node1', `ip route get ${podOf('node3')}`);
  const used = /dev wg-\w+-([12]) /.exec(way)?.[1];
  await lab.kill(used === '1' ? 'hub1' : 'hub2');
  await pinging.more(300);
  const { longestMs } = await pinging.end();
  console.log(`a hub of the pods’ network died: the longest gap was ${longestMs.toFixed(0)} ms`);
  expect(longestMs).toBeLessThan(3000);
});
