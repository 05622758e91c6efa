// WireGuard by hand in the hosts of a lab: tunnels pass both kinds of NAT, control sockets of one name do not
// meet, and a power cut ends the tunnel's process. The agent is not involved.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Lab, upSpec } from '../lab.ts';
import { findHolder, listProcesses, processesInside, waitFor } from '../stage/process.ts';
import { ownLabFolder, pings, runs, streets, uniqueName } from '../testing/scene.ts';

let lab: Lab;
let removeFolder: () => Promise<void>;
const keys = new Map<string, { readonly secret: string; readonly shown: string }>();
const overlay = new Map([
  ['pub1', 'fd00:5ca1::1'],
  ['home1', 'fd00:5ca1::2'],
  ['home2', 'fd00:5ca1::3'],
  ['office1', 'fd00:5ca1::4'],
]);
const spokes = ['home1', 'home2', 'office1'];

async function shell(host: string, text: string, input = ''): Promise<string> {
  const outcome = await lab.exec(host, { program: 'sh', args: ['-ec', text], input });
  if (outcome.exitCode !== 0) throw new Error(`${host}: ${text}: ${outcome.stderr}`);
  return outcome.stdout.trim();
}

/** The shell that starts wireguard-go ends at once, as an agent that is killed would. */
async function tunnel(host: string): Promise<void> {
  const secret = await shell(host, 'wg genkey');
  keys.set(host, { secret, shown: await shell(host, 'wg pubkey', secret) });
  await shell(host, 'wireguard-go -f wg-same > /dev/null 2>&1 &');
  const ready = () => lab.exec(host, { program: 'test', args: ['-S', '/run/wireguard/wg-same.sock'] });
  await waitFor(
    { what: `wireguard-go in ${host}`, limitMs: 10_000 },
    async () => (await ready()).exitCode === 0,
  );
  const address = overlay.get(host);
  await shell(
    host,
    `cat > /run/key; wg set wg-same listen-port 51820 private-key /run/key; rm /run/key
     ip address add ${address}/128 dev wg-same; ip link set wg-same up; ip route add fd00:5ca1::/32 dev wg-same`,
    secret,
  );
}

beforeAll(async () => {
  removeFolder = await ownLabFolder();
  lab = await upSpec(streets(uniqueName('tun')));
  for (const host of overlay.keys()) await tunnel(host);
  await shell('pub1', 'echo 1 > /proc/sys/net/ipv6/conf/all/forwarding');
  const hub = lab.plan.hosts[0]?.attachments[0]?.address4;
  for (const spoke of spokes) {
    await shell(
      'pub1',
      `wg set wg-same peer ${keys.get(spoke)?.shown} allowed-ips ${overlay.get(spoke)}/128`,
    );
    const at = `endpoint ${hub}:51820 allowed-ips fd00:5ca1::/32 persistent-keepalive 1`;
    await shell(spoke, `wg set wg-same peer ${keys.get('pub1')?.shown} ${at}`);
  }
});

afterAll(async () => {
  await lab?.down();
  await removeFolder();
});

test('every spoke behind every NAT reaches the hub and each other through it', async () => {
  for (const from of overlay.keys()) {
    for (const [to, address] of overlay) {
      if (from === to) continue;
      await waitFor({ what: `${from} to reach ${to}`, limitMs: 20_000 }, () => pings(lab, from, address));
    }
  }
});

test('a status reads the overlay address from the host', async () => {
  const { hosts } = await lab.status();
  expect(hosts.find((host) => host.name === 'home1')).toMatchObject({
    overlay_addresses: ['fd00:5ca1::2'],
    lan_addresses: ['192.168.1.10'],
  });
});

test('the matrix and continuous pings see all pairs, and a cut as loss', async () => {
  const matrix = await lab.matrix();
  expect(matrix).toHaveLength(12);
  expect(matrix.filter((result) => result.roundTripMs === null)).toEqual([]);
  const calm = await lab.startPings();
  await shell('pub1', 'ping -c 40 -i 0.01 fd00:5ca1::2');
  const before = await calm.stop();
  expect(before.filter((report) => report.lost > 0 || report.received < 20)).toEqual([]);
  const pairs = [{ from: 'home1', to: 'pub1', address: 'fd00:5ca1::1' }];
  const running = await lab.startPings({ pairs });
  await lab.cut({ a: 'home1', b: 'pub1' });
  await lab.exec('pub1', { program: 'ping', args: ['-c', '1', '-w', '1', 'fd00:5ca1::2'] });
  await lab.heal({ a: 'home1', b: 'pub1' });
  await waitFor({ what: 'home1 to be back', limitMs: 20_000 }, () => pings(lab, 'home1', 'fd00:5ca1::1'));
  const [report] = await running.stop();
  expect(report?.lost).toBeGreaterThan(0);
  expect(report?.longestGapMs).toBeGreaterThan(500);
});

test('wireguard-go outlives what started it and dies with its host', async () => {
  const holder = findHolder({ lab: lab.plan.name, node: 'office1' });
  if (holder === null) throw new Error('office1 is off');
  const tunnelProcess = processesInside(holder).find(
    ({ args }) => args[0]?.endsWith('wireguard-go') === true,
  );
  expect(tunnelProcess?.parentPid).toBe(holder.pid);
  await lab.kill('office1');
  expect(runs(tunnelProcess?.pid ?? 0)).toBe(false);
  expect(listProcesses().filter((process) => process.namespace === holder.namespace)).toEqual([]);
});
