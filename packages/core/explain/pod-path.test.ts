// Packets from and to pods, as an explanation says it: evaluated at their peers, as LANs are.
import { expect, test } from 'vitest';
import { networkModel, subnetModel } from '../compile/model.fixture.ts';
import type { Item } from '../compile/model.ts';
import { NetworkIndex } from '../compile/network-index.ts';
import { matrixNodes, matrixRows } from './matrix.ts';
import { NetworkSnapshot } from './network-snapshot.ts';
import { explain } from './reachability.ts';
import { peer, rule } from './small-network.fixture.ts';

const network = networkModel({
  id: 'net',
  handle: 'net',
  prefix: 'fd00:1::/64',
  ipv4Prefix: '100.64.0.0/18',
  podPrefix: '10.42.0.0/16',
});

const peers = [
  peer('hub', 1, { hubSlot: 1, endpoint: '192.0.2.1:51820' }),
  peer('node1', 11),
  peer('node2', 12),
];

const slices = ['hub', 'node1', 'node2'].map((peerId, i) =>
  subnetModel({ id: `slice of ${peerId}`, networkId: 'net', peerId, prefix: `10.42.${i}.0/24` }),
);

function ask(items: readonly Item[], from: string, to: string) {
  const snapshot = new NetworkSnapshot(new NetworkIndex(network, peers, [...slices, ...items]), {});
  const { verdict, because } = explain(
    { snapshot, nameOf: ({ id }) => id },
    {
      source: { kind: 'address', address: from },
      destination: { kind: 'address', address: to },
      protocol: 'tcp',
      port: 443,
    },
  );
  return [verdict, ...because.map(({ step, peerId, detail }) => `${peerId ?? '-'} ${step}: ${detail}`)];
}

test('a packet goes from pod to pod by the tunnels of their peers', () => {
  expect(ask([], '10.42.1.7', '10.42.2.8')).toEqual([
    'allowed',
    'node1 source: 10.42.1.7 is in the pod subnet 10.42.1.0/24 of node1, where its packets enter the network.',
    'node2 destination: 10.42.2.8 is in 10.42.2.0/24, behind node2.',
    'node1 route: 10.42.2.0/24 is behind node2; it goes to a hub by wg-net-1.',
    'node1 egress: No egress rule matches it, so it is sent.',
    'node1 tunnel: wg-net-1 carries it to hub.',
    'hub forward: It forwards between the peers of the network.',
    'hub route: 10.42.2.0/24 is behind node2; it goes there by wg-net.',
    'hub tunnel: wg-net carries it to node2.',
    'node2 forward: The packet leaves the network into the pod subnet 10.42.2.0/24 at node2.',
    'node2 ingress: No ingress rule matches it, so the network’s default policy accepts it.',
    'node2 verdict: It reaches 10.42.2.8. Replies return on the same path: rules are stateful.',
  ]);
});

test('the rules decide at the peers: egress of the one, ingress of the other', () => {
  const out = rule({ direction: 'egress', selector: { kind: 'cidr', cidr: '10.42.1.0/28' } });
  expect(ask([out], '10.42.1.7', '10.42.2.8').at(-1)).toBe('node1 verdict: It is stopped at node1.');
  expect(ask([out], '10.42.1.16', '10.42.2.8')[0]).toBe('allowed');
  const into = rule({ destination: { kind: 'cidr', cidr: '10.42.2.0/24' } });
  expect(ask([into], '10.42.1.7', '10.42.2.8').at(-1)).toBe('node2 verdict: It is stopped at node2.');
});

test('pods reach their own node under its ingress rules, which is closed to LANs', () => {
  expect(ask([], '10.42.1.7', '100.64.0.11')[0]).toBe('allowed');
  const into = rule({
    selector: { kind: 'cidr', cidr: '10.42.0.0/16' },
    destination: { kind: 'peer', id: 'node1' },
  });
  expect(ask([into], '10.42.1.7', '100.64.0.11')[0]).toBe('denied');
  const lan = subnetModel({ id: 'lan', networkId: 'net', peerId: 'node1', prefix: '192.168.7.0/24' });
  expect(ask([lan], '192.168.7.5', '100.64.0.11')[0]).toBe('denied');
});

test('the matrix has each slice by its first address', () => {
  const snapshot = new NetworkSnapshot(new NetworkIndex(network, peers, slices), {});
  const { nodes } = matrixNodes(snapshot);
  expect(nodes.filter(({ kind }) => kind === 'subnet_advertisement').map(({ id }) => id)).toEqual(
    slices.map(({ id }) => id),
  );
  const rows = [...matrixRows(snapshot, nodes, { protocol: 'icmp6', port: null })].flatMap(
    (row) => row ?? [],
  );
  expect(rows.find(({ id }) => id === 'slice of node1')?.verdicts).toBe('aaaa-a');
});
