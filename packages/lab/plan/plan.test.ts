// Addresses and wires of a lab, and which of them a cut guards.
import { expect, test } from 'vitest';
import { lanPairs } from './lan-pairs.ts';
import { benchmarkBlocks, planLab, usualPublic } from './plan.ts';
import { planCut, planPartition } from './reach.ts';
import { acceptSpec } from './read.ts';

const spec = acceptSpec({
  name: 'a',
  platforms: [{ name: 'west' }, { name: 'east' }],
  lans: [{ name: 'home' }, { name: 'flat', prefix4: '10.1.0.0/16', prefix6: 'fd01::/64' }],
  nats: [
    { name: 'isp', kind: 'symmetric', lan: 'home' },
    { name: 'box', kind: 'cone', lan: 'flat', on: 'home' },
  ],
  hosts: [
    { name: 'p1', on: 'public', platform: 'west' },
    { name: 'p2', on: ['public', 'home'], platform: 'west', role: 'hub' },
    { name: 'h1', on: 'home', platform: 'east' },
    { name: 'f1', on: 'flat', platform: 'east' },
    { name: 'f2', on: 'flat', platform: 'east' },
  ],
});
const plan = planLab(spec, usualPublic);
const cut = (a: string, b: string) => planCut(plan, { a, b });

test('addresses follow the order of the file', () => {
  expect(plan.platforms.map((platform) => [platform.address4, platform.address6])).toEqual([
    ['198.51.100.1', '2001:db8:51::1'],
    ['198.51.100.2', '2001:db8:51::2'],
  ]);
  expect(plan.nats[1]).toEqual({
    name: 'box',
    kind: 'cone',
    wan: {
      segment: 'home',
      port: 'p3',
      device: 'wan',
      mac: '02:50:4e:00:00:03',
      address4: '192.168.1.10',
      address6: null,
    },
    lan: {
      segment: 'flat',
      port: 'p4',
      device: 'lan',
      mac: '02:50:4e:00:00:04',
      address4: '10.1.0.1',
      address6: 'fd01::1',
    },
  });
  expect(plan.hosts.map((host) => host.attachments.map((wire) => `${wire.device} ${wire.address4}`))).toEqual(
    [
      ['eth0 198.51.100.12'],
      ['eth0 198.51.100.13', 'eth1 192.168.1.11'],
      ['eth0 192.168.1.12'],
      ['eth0 10.1.0.10'],
      ['eth0 10.1.0.11'],
    ],
  );
});

test('the same file in another block keeps its numbers', () => {
  const other = planLab(spec, benchmarkBlocks(300));
  expect(other.platforms[1]).toMatchObject({ address4: '198.19.44.2', address6: '2001:db8:19:44::2' });
  expect(other.hosts[0]?.attachments[0]).toMatchObject({ address4: '198.19.44.12' });
});

test('a platform keeps the address that it was given, and nobody else gets it', () => {
  const given = acceptSpec({
    name: 'a',
    public: { prefix4: '203.0.113.0/24', prefix6: '2001:db8:113::/64' },
    platforms: [{ name: 'x' }, { name: 'y', address: '203.0.113.11' }, { name: 'z' }],
    hosts: [{ name: 'h', on: 'public', platform: 'x' }],
  });
  const made = planLab(given, given.public ?? usualPublic);
  expect(made.platforms.map((platform) => platform.address4)).toEqual([
    '203.0.113.1',
    '203.0.113.11',
    '203.0.113.2',
  ]);
  expect(made.hosts[0]?.attachments[0]?.address4).toBe('203.0.113.12');
});

test('a cut guards the port from which the other is seen by an address of its own, and their wires', () => {
  const guard = (port: string, ...addresses: string[]) => ({ port, of: 'far', addresses });
  const barrier = (guards: object, ...pairs: string[]) => ({
    kind: 'barrier',
    guards: [guards],
    pairs: pairs.map((pair) => ({ one: pair.split(' ')[0], other: pair.split(' ')[1] })),
  });
  expect(cut('p1', 'p2')).toEqual(barrier(guard('p5', '198.51.100.13', '2001:db8:51::13'), 'p5 p6'));
  expect(cut('p1', 'h1')).toEqual(barrier(guard('p8', '198.51.100.12', '2001:db8:51::12')));
  expect(cut('h1', 'p1')).toEqual(cut('p1', 'h1'));
  expect(cut('f1', 'f2')).toEqual(barrier(guard('p9', '10.1.0.11', 'fd01::11'), 'p9 p10'));
  expect(cut('h1', 'f1')).toEqual(barrier(guard('p9', '192.168.1.12')));
  expect(cut('f1', 'p2')).toEqual(barrier(guard('p9', '198.51.100.13', '2001:db8:51::13', '192.168.1.11')));
  expect(cut('west', 'f1')).toEqual(barrier(guard('p9', '198.51.100.1', '2001:db8:51::1')));
  expect(cut('f1', 'west')).toEqual(cut('west', 'f1'));
  expect(cut('west', 'east')).toEqual({ kind: 'platforms' });
});

test('a cut from a segment takes the wire; of a platform, which shares one, its addresses', () => {
  expect(cut('p2', 'public')).toEqual({ kind: 'links', ports: ['p6'] });
  expect(cut('home', 'p2')).toEqual({ kind: 'links', ports: ['p7'] });
  expect(cut('f1', 'public')).toEqual({ kind: 'links', ports: ['p9'] });
  expect(cut('isp', 'public')).toEqual({ kind: 'links', ports: ['p1'] });
  expect(cut('east', 'public')).toEqual({
    kind: 'barrier',
    guards: [{ port: 'p0', of: 'near', addresses: ['198.51.100.2', '2001:db8:51::2'] }],
    pairs: [],
  });
});

test('a partition guards every pair across it, each port once', () => {
  const far = (port: string, ...addresses: string[]) => ({ port, of: 'far', addresses });
  const platforms = ['198.51.100.1', '2001:db8:51::1', '198.51.100.2', '2001:db8:51::2'];
  const { guards, pairs } = planPartition(plan, ['p1', 'h1']);
  expect(pairs).toEqual([
    { one: 'p5', other: 'p6' },
    { one: 'p8', other: 'p7' },
  ]);
  expect(guards).toEqual([
    // p1 from p2, from those behind `box` as they are seen from outside; from the platforms.
    far('p5', '198.51.100.13', '2001:db8:51::13', ...platforms),
    far('p9', '198.51.100.12', '2001:db8:51::12', '192.168.1.12'),
    far('p10', '198.51.100.12', '2001:db8:51::12', '192.168.1.12'),
    far('p8', '198.51.100.13', '2001:db8:51::13', '192.168.1.11', ...platforms),
  ]);
  expect(planPartition(plan, [])).toEqual({ guards: [], pairs: [] });
  expect(() => planPartition(plan, ['flat'])).toThrow('"flat" is no host or platform');
  expect(() => planPartition(plan, ['west', 'p1'])).toThrow('platforms stay together');
});

test('a host without an agent belongs to no platform, and speaks what it is told to', () => {
  const strangers = planLab(
    acceptSpec({
      name: 'a',
      platforms: [{ name: 'x' }, { name: 'y' }],
      hosts: [
        { name: 'old', on: 'public', agent: 'none', families: ['ipv4'] },
        { name: 'young', on: 'public', agent: 'none', families: ['ipv6'] },
      ],
    }),
    usualPublic,
  );
  expect(
    strangers.hosts.map(({ platform, attachments: [wire] }) => [platform, wire?.address4, wire?.address6]),
  ).toEqual([
    [null, '198.51.100.11', null],
    [null, null, '2001:db8:51::12'],
  ]);
});

const sites = (ipv4_prefix?: null) =>
  planLab(
    acceptSpec({
      name: 'a',
      platforms: [{ name: 'x' }],
      lans: [
        { name: 'tokyo', prefix4: '192.168.7.0/24', prefix6: 'fd00:7::/64' },
        { name: 'osaka', ...(ipv4_prefix === null ? { prefix6: 'fd00:8::/64' } : {}) },
        { name: 'other' },
      ],
      hosts: [
        { name: 'e1', on: ['public', 'tokyo'] },
        { name: 'e2', on: ['public', 'osaka', 'tokyo'] },
        { name: 't', on: 'tokyo', agent: 'none', gateway: 'e1' },
        { name: 'o', on: 'osaka', agent: 'none' },
        { name: 'u', on: 'other', agent: 'none' },
      ],
      networks: [
        {
          ...{ name: 'n', hosts: ['e1', 'e2'], ...(ipv4_prefix === null ? { ipv4_prefix } : {}) },
          lan_subnets: [
            { host: 'e1', lan: 'tokyo', preference: 200 },
            { host: 'e2', lan: 'osaka', source_nat: true },
          ],
        },
      ],
    }),
    usualPublic,
  );

test('a LAN behind a host is declared by its prefix of each family that the network has', () => {
  const tokyo = { preference: 200, source_nat: false };
  expect(sites().networks[0]?.lans).toEqual([
    {
      host: 'e1',
      lan: 'tokyo',
      subnets: [
        { prefix: '192.168.7.0/24', ...tokyo },
        { prefix: 'fd00:7::/64', ...tokyo },
      ],
    },
    { host: 'e2', lan: 'osaka', subnets: [{ prefix: '192.168.2.0/24', preference: 100, source_nat: true }] },
  ]);
  expect(sites(null).networks[0]?.lans.map(({ subnets }) => subnets.map(({ prefix }) => prefix))).toEqual([
    ['fd00:7::/64'],
    ['fd00:8::/64'],
  ]);
});

test('hosts of different declared LANs are to reach each other; one without a gateway is only reached', () => {
  expect(lanPairs(sites())).toEqual([{ from: 't', to: 'o', address: '192.168.2.11' }]);
  expect(lanPairs(sites(null))).toEqual([{ from: 't', to: 'o', address: 'fd00:8::11' }]);
});

test.each([
  ['p1', 'p1', 'cannot be cut from itself'],
  ['p1', 'nobody', 'has no node "nobody"'],
  ['p1', 'flat', 'no path to "flat"'],
])('cutting %s from %s is refused', (a, b, complaint) => {
  expect(() => cut(a, b)).toThrow(complaint);
});
