// LANs behind peers, with static routing: clients that run no agent reach each other over the overlay, under its rules.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { firewallActions } from '@powernode/core/actions/firewall';
import { sdwanActions } from '@powernode/core/actions/sdwan';
import { subnetActions } from '@powernode/core/actions/subnets';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Call } from '../../packages/lab/fleet/api.ts';
import { type Lab, upSpec } from '../../packages/lab/lab.ts';
import { ownLabFolder, pings, uniqueName } from '../../packages/lab/testing/scene.ts';

let lab: Lab;
let removeFolder: () => Promise<void>;
let call: Call;

beforeAll(async () => {
  removeFolder = await ownLabFolder();
  lab = await upSpec({
    name: uniqueName('lans'),
    platforms: [{ name: 'main' }],
    lans: [
      { name: 'tokyo', prefix4: '192.168.7.0/24', prefix6: 'fd00:7::/64' },
      { name: 'osaka', prefix4: '192.168.8.0/24', prefix6: 'fd00:8::/64' },
      { name: 'nara', prefix4: '192.168.7.0/24', prefix6: 'fd00:9::/64' },
    ],
    hosts: [
      { name: 'hub1', on: 'public', role: 'hub' },
      { name: 'hub2', on: 'public', role: 'hub' },
      { name: 'edge1', on: ['public', 'tokyo'] },
      { name: 'edge2', on: ['public', 'osaka'] },
      { name: 'edge3', on: ['public', 'nara'] },
      { name: 'edge4', on: ['public', 'osaka'] },
      { name: 'client1', on: 'tokyo', agent: 'none', gateway: 'edge1' },
      { name: 'client2', on: 'osaka', agent: 'none', gateway: 'edge2' },
      { name: 'client3', on: 'osaka', agent: 'none' },
      { name: 'client4', on: 'nara', agent: 'none', gateway: 'edge3' },
    ],
    networks: [{ name: 'office', hosts: ['hub1', 'hub2', 'edge1', 'edge2', 'edge3', 'edge4'] }],
  });
  call = await lab.platform('main');
});

afterAll(async () => {
  await lab?.down();
  await removeFolder();
});

interface Subnet {
  readonly prefix: string;
  readonly local_prefix?: string;
  readonly preference?: number;
  readonly source_nat?: boolean;
}

async function declare(host: string, ...subnets: (string | Subnet)[]): Promise<void> {
  const { peers } = await call(sdwanActions.listPeers, { limit: 500 });
  const peer = peers.find(({ hostname }) => hostname === host);
  await call(subnetActions.declareLanSubnets, {
    peer_id: peer?.id ?? '',
    subnets: subnets.map((one) => (typeof one === 'string' ? { prefix: one } : one)),
  });
}

const lanAddress = (host: string, family: 4 | 6) => {
  const lan = lab.plan.hosts
    .find(({ name }) => name === host)
    ?.attachments.find(({ segment }) => segment !== 'public');
  return (family === 4 ? lan?.address4 : lan?.address6) ?? '';
};

/** The address of a host in another IPv4 prefix that stands for its LAN. */
const mappedTo = (prefix: string, host: string) =>
  prefix.replace(/0\/24$/, lanAddress(host, 4).split('.').at(-1) ?? '');

const isCutOff = (from: string, to: string) =>
  expect.poll(() => pings(lab, from, to), { timeout: 15_000 }).toBe(false);

/** What is said of a packet between two addresses. */
async function verdictOf(from: string, to: string): Promise<string> {
  const { networks } = await call(sdwanActions.listNetworks, {});
  const { verdict } = await call(firewallActions.explainReachability, {
    network_id: networks[0]?.id ?? '',
    source: { address: from },
    destination: { address: to },
    protocol: 'icmp6',
  });
  return verdict;
}

const reaches = (from: string, to: string) => expect.poll(() => pings(lab, from, to)).toBe(true);

test('clients of two LANs reach each other, and an instance reaches both', async () => {
  await declare('edge1', '192.168.7.0/24', 'fd00:7::/64');
  await declare('edge2', '192.168.8.0/24', 'fd00:8::/64');
  for (const family of [6, 4] as const) {
    await reaches('client1', lanAddress('client2', family));
    await reaches('client2', lanAddress('client1', family));
  }
  await reaches('edge3', lanAddress('client1', 6));
  await reaches('hub1', lanAddress('client2', 6));
});

test('under a default policy of drop a rule for a prefix lets packets into a LAN', async () => {
  const { networks } = await call(sdwanActions.listNetworks, {});
  const networkId = networks[0]?.id ?? '';
  const [client1, client2] = [lanAddress('client1', 4), lanAddress('client2', 4)];
  await call(sdwanActions.updateNetwork, { network_id: networkId, firewall_default_policy: 'drop' });
  await isCutOff('client1', client2);
  expect(await verdictOf(client1, client2)).toBe('denied');
  await call(firewallActions.createFirewallRule, {
    network_id: networkId,
    name: 'tokyo to osaka',
    direction: 'ingress',
    action: 'accept',
    selector: { kind: 'cidr', cidr: '192.168.7.0/24' },
    destination: { kind: 'cidr', cidr: '192.168.8.0/24' },
    protocol: 'icmp6',
  });
  await reaches('client1', client2);
  expect(await verdictOf(client1, client2)).toBe('allowed');
  expect(await pings(lab, 'client2', client1)).toBe(false);
  expect(await verdictOf(client2, client1)).toBe('denied');
  await call(sdwanActions.updateNetwork, { network_id: networkId, firewall_default_policy: 'accept' });
  await reaches('client2', client1);
});

test('a client without a route back is reached where its peer has source NAT', async () => {
  expect(await pings(lab, 'client1', lanAddress('client3', 4))).toBe(false);
  await declare('edge2', { prefix: '192.168.8.0/24', source_nat: true }, 'fd00:8::/64');
  await reaches('client1', lanAddress('client3', 4));
});

test('the same IPv4 LAN at two sites is reached by prefixes that stand for it', async () => {
  const [kyoto, nara] = ['10.17.0.0/24', '10.7.0.0/24'];
  // One of them may stay as it is: packets for the other one do not go to it.
  await declare('edge3', { prefix: nara, local_prefix: '192.168.7.0/24' });
  await reaches('client2', mappedTo(nara, 'client4'));
  await reaches('client2', lanAddress('client1', 4));
  await declare('edge1', { prefix: kyoto, local_prefix: '192.168.7.0/24' }, 'fd00:7::/64');
  await reaches('client1', mappedTo(nara, 'client4'));
  await reaches('client4', mappedTo(kyoto, 'client1'));
  expect(await verdictOf(mappedTo(kyoto, 'client1'), mappedTo(nara, 'client4'))).toBe('allowed');
});

test('packets for a LAN behind two peers go on by the other when the preferred one dies', async () => {
  await declare('edge2', { prefix: '192.168.8.0/24', preference: 200, source_nat: true });
  await declare('edge4', { prefix: '192.168.8.0/24', source_nat: true });
  const to = lanAddress('client3', 4);
  await reaches('client1', to);
  const args = ['-n', '-D', '-i', '0.01', '-w', '8', to];
  const command = lab.command('client1', { program: 'ping', args });
  const pinging = spawn(command.program, [...command.args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let stdout = '';
  pinging.stdout.on('data', (chunk: Buffer) => {
    stdout += String(chunk);
  });
  await expect.poll(() => stdout.split('icmp_seq=').length).toBeGreaterThan(100);
  await lab.kill('edge2');
  await once(pinging, 'close');
  const times = Array.from(stdout.matchAll(/^\[([\d.]+)\].* icmp_seq=/gm), ([, at]) => Number(at) * 1000);
  const gaps = times.slice(1).map((at, i) => at - (times[i] ?? at));
  const longestMs = Math.max(...gaps);
  console.log(`the LAN moved to the other peer after ${longestMs.toFixed(0)} ms, ${times.length} answers`);
  expect(times.length).toBeGreaterThan(300);
  expect(longestMs).toBeLessThan(3000);
});

test('an emptied list is no route any more', async () => {
  const to = lanAddress('client1', 6);
  await reaches('hub1', to);
  await declare('edge1');
  await isCutOff('hub1', to);
  expect(await verdictOf(mappedTo('10.7.0.0/24', 'client4'), lanAddress('client1', 4))).toBe('no_route');
});
