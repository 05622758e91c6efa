// What breaks in a lab beside cuts and power: partitions, and a router that is alive but forwards nothing; and the
// count of what it forwards.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Lab, upSpec } from '../lab.ts';
import { ownLabFolder, uniqueName } from '../testing/scene.ts';
import { waitFor } from './process.ts';

let lab: Lab;
let removeFolder: () => Promise<void>;
const near = '192.168.2.10';
const far = '192.168.3.11';

/** A street with a NAT, beside it `near` – `router` – `far`, and two strangers of one protocol each. */
beforeAll(async () => {
  removeFolder = await ownLabFolder();
  lab = await upSpec({
    name: uniqueName('faults'),
    lans: [{ name: 'home' }, { name: 'left' }, { name: 'right' }],
    nats: [{ name: 'nat-home', kind: 'cone', lan: 'home' }],
    hosts: [
      { name: 'pub1', on: 'public' },
      { name: 'pub2', on: 'public' },
      { name: 'home1', on: 'home' },
      { name: 'near', on: 'left' },
      { name: 'router', on: ['left', 'right'] },
      { name: 'far', on: 'right' },
      { name: 'old', on: 'public', agent: 'none', families: ['ipv4'] },
      { name: 'young', on: 'public', agent: 'none', families: ['ipv6'] },
    ],
  });
  const shell = (host: string, text: string) => lab.exec(host, { program: 'sh', args: ['-ec', text] });
  await shell('router', 'echo 1 > /proc/sys/net/ipv4/ip_forward');
  await shell('near', 'ip route add default via 192.168.2.11');
  await shell('far', 'ip route add default via 192.168.3.10');
});

afterAll(async () => {
  await lab?.down();
  await removeFolder();
});

const address = (host: string) => {
  const wire = lab.plan.hosts.find(({ name }) => name === host)?.attachments[0];
  return { ipv4: wire?.address4 ?? '', ipv6: wire?.address6 ?? '' };
};

async function answers(from: string, to: string): Promise<boolean> {
  const ping = { program: 'ping', args: ['-n', '-c', '1', '-W', '0.3', to] };
  return (await lab.exec(from, ping)).exitCode === 0;
}

/** Neighbours that could not be found are looked for once a second only. */
async function reaches(from: string, to: string): Promise<void> {
  await waitFor({ what: `${from} to reach ${to}`, limitMs: 10_000 }, () => answers(from, to));
}

test('a stranger speaks the protocols that it was given, and no other', async () => {
  expect(await answers('old', address('pub1').ipv4)).toBe(true);
  expect(await answers('old', address('pub1').ipv6)).toBe(false);
  expect(await answers('young', address('pub1').ipv6)).toBe(true);
  expect(await answers('young', address('pub1').ipv4)).toBe(false);
});

test('a partition parts those named from all others, by both protocols, until all are together again', async () => {
  const across: readonly (readonly [string, string])[] = [
    ['home1', address('pub2').ipv4],
    ['pub2', address('pub1').ipv4],
    ['pub1', address('pub2').ipv6],
  ];
  const young: readonly [string, string] = ['young', address('pub1').ipv6];
  await lab.partition(['pub1', 'home1', 'old']);
  expect(await lab.parted()).toEqual(['pub1', 'home1', 'old']);
  for (const pair of [...across, young]) expect(await answers(...pair), pair.join(' to ')).toBe(false);
  await reaches('home1', address('pub1').ipv4);
  await reaches('old', address('pub1').ipv4);
  await reaches('young', address('pub2').ipv6);
  await lab.partition(['young']);
  for (const pair of across) await reaches(...pair);
  expect(await answers(...young)).toBe(false);
  await lab.unite();
  await lab.unite();
  expect(await lab.parted()).toEqual([]);
  await reaches(...young);
});

test('a partition and cuts do not touch each other', async () => {
  await lab.cut({ a: 'pub1', b: 'pub2' });
  await lab.partition(['home1']);
  await lab.unite();
  expect(await lab.cuts()).toEqual([{ a: 'pub1', b: 'pub2' }]);
  expect(await answers('home1', address('pub1').ipv4)).toBe(true);
  expect(await answers('pub1', address('pub2').ipv4)).toBe(false);
  await lab.heal({ a: 'pub1', b: 'pub2' });
  expect(await lab.cuts()).toEqual([]);
});

test('a router with broken forwarding answers for itself and passes nothing on', async () => {
  expect(await answers('near', far)).toBe(true);
  await lab.breakForwarding('router');
  await lab.breakForwarding('router');
  expect(await answers('near', far)).toBe(false);
  expect(await answers('near', '192.168.3.10')).toBe(true);
  await lab.repairForwarding('router');
  expect(await answers('near', far)).toBe(true);
  await expect(lab.repairForwarding('router')).rejects.toThrow('forwarding is not broken on "router"');
});

test('what a host forwards between two addresses is counted, both ways', async () => {
  const count = await lab.countForwarded('router', { from: near, to: far });
  expect(await count.read()).toBe(0);
  await lab.exec('near', { program: 'ping', args: ['-c', '3', '-i', '0.01', far] });
  expect(await count.read()).toBe(6);
  await lab.exec('near', { program: 'ping', args: ['-c', '1', '192.168.3.10'] });
  expect(await count.read()).toBe(6);
  await count.end();
});

test('a watch sees routes into overlays come and go, and nothing else', async () => {
  const shell = (text: string) => lab.exec('far', { program: 'sh', args: ['-ec', text] });
  await shell('ip link add wg-x type veth peer name other; ip link set wg-x up; ip link set other up');
  const watch = await lab.watchRoutes('far');
  await shell('ip -6 route add fd01::/64 dev other; ip -6 route add fd00::/64 dev wg-x');
  expect(await lab.wayTo('far', 'fd00::1')).toBe('wg-x');
  await shell('ip -6 route del fd00::/64 dev wg-x');
  expect(await lab.wayTo('far', 'fd00::1')).toBe(null);
  await waitFor({ what: 'both changes', limitMs: 10_000 }, () => watch.changes.length >= 2);
  expect(watch.changes).toEqual([
    expect.stringMatching(/^fd00::\/64 dev wg-x/),
    expect.stringMatching(/^Deleted fd00::\/64 dev wg-x/),
  ]);
  await watch.stop();
});
