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
