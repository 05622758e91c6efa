// What is read of a machine's underlay: routes as `ip` prints them, and the files of resolvers and DHCP clients.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { underlayFactsMax } from '@powernode/core/limits/agent';
import { underlay } from '@powernode/core/wire/underlay';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FakeRun } from '../ports/run.fixture.ts';
import { dhcpServersIn, lookAtUnderlay, platformFact, resolversIn } from './underlay.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'underlay-'));
});
afterEach(() => rmSync(root, { recursive: true }));

function file(name: string, text: string): void {
  mkdirSync(path.join(root, path.dirname(name)), { recursive: true });
  writeFileSync(path.join(root, name), text);
}

interface Kernel {
  readonly ipv4?: object[];
  readonly ipv6?: object[];
  /** What each look at the interfaces prints; the last one again for those after. */
  readonly links?: readonly object[][];
}

function machine({ ipv4 = [], ipv6 = [], links = [] }: Kernel): FakeRun {
  let looks = 0;
  const linksNow = () => links[Math.min(looks++, links.length - 1)] ?? [];
  const found = (args: readonly string[]) => {
    if (args.includes('link')) return linksNow();
    return args.includes('-4') ? ipv4 : ipv6;
  };
  return new FakeRun({ ip: ({ args }) => ({ stdout: JSON.stringify(found(args)) }) });
}

const isOurs = (name: string) => name === 'wg-ours';

test('has gateways, networks, resolvers and DHCP servers, and nothing of the overlays [9.10]', async () => {
  file('etc/resolv.conf', '# by hand\nnameserver 127.0.0.53\nnameserver 192.168.1.53 \noptions edns0\n');
  file('run/systemd/resolve/resolv.conf', 'nameserver fe80::1%eth0\nnameserver 2001:db8::53\n');
  file('run/systemd/netif/leases/2', 'ADDRESS=192.168.1.7\nSERVER_ADDRESS=192.168.1.67\n');
  const run = machine({
    ipv4: [
      { dst: 'default', gateway: '192.168.1.1', dev: 'eth0' },
      { dst: '192.168.1.0/24', dev: 'eth0', scope: 'link', prefsrc: '192.168.1.7' },
      { dst: '0.0.0.0/1', dev: 'tun0' },
      { dst: '100.101.102.103', dev: 'tailscale0', table: '52' },
      {
        dst: '10.8.0.0/16',
        nexthops: [
          { gateway: '192.168.1.2', dev: 'eth0' },
          { gateway: '192.168.1.3', dev: 'eth0' },
        ],
      },
      { dst: '100.64.0.0/18', dev: 'wg-ours', protocol: '212' },
      { dst: '10.9.0.0/24', dev: 'wg-theirs' },
      { type: 'local', dst: '192.168.1.7', dev: 'eth0', table: 'local' },
      { type: 'broadcast', dst: '192.168.1.255', dev: 'eth0', table: 'local' },
      { type: 'blackhole', dst: '10.0.0.0/8' },
    ],
    ipv6: [
      { dst: 'fe80::/64', dev: 'eth0' },
      { dst: 'fd00:1::/64', dev: 'eth0' },
      { dst: 'default', gateway: 'fe80::1', dev: 'eth0' },
      { type: 'multicast', dst: 'ff00::/8', dev: 'eth0' },
      { dst: '203.0.113.0/24', via: { family: 'inet6', host: 'fd00:1::9' }, dev: 'eth0' },
    ],
  });
  const facts = await lookAtUnderlay({ run, isOurs, root });
  expect(facts.map(({ kind, at, interface: name }) => `${kind} ${at} ${name}`)).toEqual([
    'gateway 192.168.1.1/32 eth0',
    'gateway 192.168.1.2/32 eth0',
    'gateway 192.168.1.3/32 eth0',
    'gateway fd00:1::9/128 eth0',
    'resolver 192.168.1.53/32 null',
    'resolver 2001:db8::53/128 null',
    'dhcp_server 192.168.1.67/32 null',
    'network 10.8.0.0/16 eth0',
    'network 10.9.0.0/24 wg-theirs',
    'network 192.168.1.0/24 eth0',
    'network 203.0.113.0/24 eth0',
    'network 100.101.102.103/32 tailscale0',
    'network fd00:1::/64 eth0',
  ]);
  expect(underlay.parse(facts)).toEqual(facts);
});

test('has nothing of interfaces that the agent made and does not know yet, or no more', async () => {
  const interfaces = ['wg-left', 'wg-removed', 'wg-fresh', 'wg-theirs'];
  const ipv4 = interfaces.map((dev, i) => ({ dst: `100.64.${i}.0/24`, dev, protocol: 'kernel' }));
  const left = { ifname: 'wg-left', ifalias: 'powernode-agent' };
  const theirs = { ifname: 'wg-theirs', ifalias: 'of somebody else' };
  const removed = { ifname: 'wg-removed', ifalias: 'powernode-agent' };
  const fresh = { ifname: 'wg-fresh', ifalias: 'powernode-agent:new' };
  const links = [
    [left, theirs, removed],
    [left, theirs, fresh],
  ];
  const own = { dst: '100.64.9.9', dev: 'wg-unmarked', protocol: '212' };
  const run = machine({ ipv4: [...ipv4, own], links });
  const facts = await lookAtUnderlay({ run, isOurs: () => false, root });
  expect(facts).toEqual([{ kind: 'network', at: '100.64.3.0/24', interface: 'wg-theirs' }]);
});

test('is bounded, the most important kept, whatever the machine has [9.10]', async () => {
  const ipv4 = Array.from({ length: 2 * underlayFactsMax }, (_, i) => ({
    dst: `10.${i >> 8}.${i & 255}.0/24`,
    dev: 'an-interface-whose-name-is-much-too-long',
    gateway: i === 400 ? '192.168.0.1' : undefined,
  }));
  const facts = await lookAtUnderlay({ run: machine({ ipv4 }), isOurs, root });
  expect(facts).toHaveLength(underlayFactsMax);
  expect(facts[0]).toMatchObject({ kind: 'gateway', at: '192.168.0.1/32' });
  expect(underlay.parse(facts)).toEqual(facts);
});

test('is empty where nothing can be read, and does not fail [9.10]', async () => {
  for (const run of [
    new FakeRun({}),
    new FakeRun({ ip: () => ({ stdout: 'no JSON' }) }),
    new FakeRun({ ip: () => ({ exitCode: 1 }) }),
  ]) {
    expect(await lookAtUnderlay({ run, isOurs, root })).toEqual([]);
  }
});

test('reads what clients and resolvers write [9.10]', () => {
  expect(resolversIn('nameserver 9.9.9.9\n nameserver  fd00::53\nsearch nameserver 1.1.1.1\n')).toEqual([
    '9.9.9.9',
    'fd00::53',
  ]);
  expect(dhcpServersIn('lease {\n  option dhcp-server-identifier 10.0.0.2;\n}\n')).toEqual(['10.0.0.2']);
  expect(dhcpServersIn("dhcp_server_identifier='10.0.0.3'\n")).toEqual(['10.0.0.3']);
  expect(platformFact('203.0.113.9')).toEqual([{ kind: 'platform', at: '203.0.113.9/32', interface: null }]);
  for (const own of [null, '127.0.0.1', '::1', 'nonsense']) expect(platformFact(own)).toEqual([]);
});
