// The configuration of a bgpd from the entries of a document.
import { expect, test } from 'vitest';
import type { EntryValue } from '../wire/document.ts';
import { nodeDocumentOf } from '../wire/node-document.fixture.ts';
import { routingOf } from './from-entries.ts';

const network_id = '01990000-0000-7000-8000-000000000001';
const peer = (i: number) => `01990000-0000-7000-8000-00000000010${i}`;

const entries: readonly EntryValue[] = [
  {
    kind: 'bgp',
    key: `bgp/${network_id}`,
    network_id,
    as_number: 64_512,
    router_id: '0.0.0.1',
    host_address: 'fd00::1',
    role: 'reflector',
  },
  ...(['client', 'reflector'] as const).map((role, i) => ({
    kind: 'bgp_neighbor' as const,
    key: `bgp_neighbor/${network_id}/${peer(i)}`,
    network_id,
    peer_id: peer(i),
    host_address: `fd00::${i + 2}`,
    role,
  })),
  ...[2, 3].map((i) => ({
    kind: 'subnet' as const,
    key: `subnet/${i}`,
    network_id,
    subnet_id: peer(i),
    prefix: 'fd00:1::/64',
    peer_id: peer(i - 2),
    next_hop: `fd00::${i}`,
    preference: 100 * i,
    by: [],
  })),
];

test('a client may announce its own prefixes only, a reflector passes on those of others', () => {
  const routing = routingOf(nodeDocumentOf(entries), network_id);
  expect(routing?.neighbors).toEqual([
    { host_address: 'fd00::2', role: 'client', accept: ['fd00:1::/64'] },
    { host_address: 'fd00::3', role: 'reflector', accept: null },
  ]);
  expect(routing?.subnets).toEqual([
    {
      prefix: 'fd00:1::/64',
      announcers: [
        { next_hop: 'fd00::2', preference: 200 },
        { next_hop: 'fd00::3', preference: 300 },
      ],
    },
  ]);
});

test('a node of a network with static routes has none', () => {
  expect(routingOf(nodeDocumentOf(entries.slice(1)), network_id)).toBeNull();
  expect(routingOf(nodeDocumentOf(entries), peer(0))).toBeNull();
});

const held: readonly EntryValue[] = [1, 2].map((i) => ({
  kind: 'anycast_holder' as const,
  key: `anycast_holder/v/${i}`,
  network_id,
  virtual_ip_id: 'v',
  peer_id: `p${i}`,
  host_address: `fd00::${i}`,
  destinations: ['fd00::f0/128', '100.64.0.240/32'],
  by: [],
}));

test('an anycast address is accepted from each client that holds it, and from no other', () => {
  const routing = routingOf(nodeDocumentOf([...entries, ...held]), network_id);
  const accepted = routing?.neighbors.map(({ host_address, accept }) => [host_address, accept]);
  expect(accepted).toEqual([
    ['fd00::2', ['100.64.0.240/32', 'fd00:1::/64', 'fd00::f0/128']],
    ['fd00::3', null],
  ]);
  const stranger = { ...held[1], host_address: 'fd00::9', key: 'anycast_holder/v/9' } as EntryValue;
  const without = routingOf(nodeDocumentOf([...entries, ...held.slice(0, 1), stranger]), network_id);
  expect(without?.neighbors[0]?.accept).toEqual(['fd00:1::/64']);
});

test('what this node withholds it does not announce, and goes on accepting from others', () => {
  const document = nodeDocumentOf([...entries, ...held]);
  const announcersOf = (withheld: readonly string[]) =>
    routingOf(document, network_id, withheld)
      ?.subnets.filter(({ prefix }) => prefix === 'fd00::f0/128')
      .flatMap(({ announcers }) => announcers.map(({ next_hop }) => next_hop));
  expect(announcersOf([])).toEqual(['fd00::1', 'fd00::2']);
  expect(announcersOf(['fd00::f0'])).toEqual(['fd00::2']);
  expect(announcersOf(['fd00::f1'])).toEqual(['fd00::1', 'fd00::2']);
  expect(routingOf(document, network_id, ['fd00::f0'])?.neighbors).toEqual(
    routingOf(document, network_id)?.neighbors,
  );
});
