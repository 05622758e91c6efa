// The two kinds of NAT, with real packets: what they map, what they let in, and that a tunnel gets through.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Lab, upSpec } from '../lab.ts';
import {
  type HostScript,
  ownLabFolder,
  pings,
  script,
  seenAs,
  streets,
  udpSocket,
  uniqueName,
} from '../testing/scene.ts';
import { waitFor } from './process.ts';

const port = 40_000;
let lab: Lab;
let removeFolder: () => Promise<void>;
let pub1: HostScript;
let pub2: HostScript;
const addresses = { pub1: '', pub2: '' };

beforeAll(async () => {
  removeFolder = await ownLabFolder();
  lab = await upSpec(streets(uniqueName('nat')));
  pub1 = await script(lab, 'pub1', udpSocket(port));
  pub2 = await script(lab, 'pub2', udpSocket(port));
  for (const name of ['pub1', 'pub2'] as const) {
    addresses[name] = lab.plan.hosts.find((host) => host.name === name)?.attachments[0]?.address4 ?? '';
  }
});

afterAll(async () => {
  await lab?.down();
  await removeFolder();
});

const to1 = (word: string) => ({ address: addresses.pub1, port, word });
const to2 = (word: string) => ({ address: addresses.pub2, port, word });

test('a cone NAT gives one socket one outer port, whatever the destination', async () => {
  const home1 = await script(lab, 'home1', udpSocket(51_820));
  const [first, second] = [await seenAs(home1, to1('a')), await seenAs(home1, to2('b'))];
  expect(first).toBe(second);
  home1.child.kill();
});

test('a cone NAT does so too for two hosts that use the same port, and tells them apart', async () => {
  const home1 = await script(lab, 'home1', udpSocket(51_900));
  const home2 = await script(lab, 'home2', udpSocket(51_900));
  const one = [await seenAs(home1, to1('a')), await seenAs(home1, to2('b'))];
  const two = [await seenAs(home2, to2('c')), await seenAs(home2, to1('d'))];
  expect(new Set(one).size).toBe(1);
  expect(new Set(two).size).toBe(1);
  expect(one[0]).not.toBe(two[0]);
});

test('a symmetric NAT gives one socket another outer port for each destination', async () => {
  const office = await script(lab, 'office1', udpSocket(51_820));
  const [first, second] = [await seenAs(office, to1('a')), await seenAs(office, to2('b'))];
  expect(first.split('-')[0]).toBe(second.split('-')[0]);
  expect(first).not.toBe(second);
});

test.each(['home1', 'office1'])('nothing gets in to %s that was not asked for', async (host) => {
  const inside = await script(lab, host, udpSocket(52_000));
  const [address = '', outer = ''] = (await seenAs(inside, to1(`in-${host}`))).split('-');
  // pub2 was never spoken to; pub1 was, so its packet shows when both have had the time to arrive.
  pub2.tell(`send ${address} ${outer} stranger`);
  await waitFor({ what: 'pub2 to have sent', limitMs: 10_000 }, () => seenAs(pub2, to1(`sent-${host}`)));
  pub1.tell(`send ${address} ${outer} known`);
  await inside.line('got known');
  expect(inside.lines.filter((line) => line.startsWith('got stranger'))).toEqual([]);
  expect(await pings(lab, 'pub1', address)).toBe(false);
});

test('hosts behind a NAT have no IPv6 to the outside', async () => {
  expect(
    (await lab.exec('home1', { program: 'ip', args: ['-6', 'route', 'get', '2001:db8::1'] })).exitCode,
  ).not.toBe(0);
});
