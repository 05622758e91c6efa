// Packets into and out of LANs, as an explanation says it.
import { describe, expect, test } from 'vitest';
import { networkModel, subnetModel } from '../compile/model.fixture.ts';
import type { Item, SubnetModel } from '../compile/model.ts';
import { NetworkIndex } from '../compile/network-index.ts';
import { matrixNodes, matrixRows } from './matrix.ts';
import { type LiveState, NetworkSnapshot } from './network-snapshot.ts';
import { explain } from './reachability.ts';
import { peer, rule } from './small-network.fixture.ts';

const network = networkModel({
  id: 'net',
  handle: 'net',
  prefix: 'fd00:1::/64',
  ipv4Prefix: '100.64.0.0/18',
  firewallDefaultPolicy: 'accept',
});

const peers = [
  peer('hub', 1, { hubSlot: 1, endpoint: '192.0.2.1:51820' }),
  peer('edge1', 11),
  peer('edge2', 12),
  peer('laptop', 13),
];

function lan(id: string, peerId: string, more: Partial<SubnetModel> = {}): SubnetModel {
  return subnetModel({ id, networkId: 'net', peerId, prefix: '192.168.7.0/24', ...more });
}

function ask(items: readonly Item[], from: string, to: string, live: LiveState = {}) {
  const snapshot = new NetworkSnapshot(new NetworkIndex(network, peers, items), live);
  const end = (text: string) =>
    /[.:]/.test(text) ? ({ kind: 'address', address: text } as const) : ({ kind: 'peer', id: text } as const);
  const { verdict, because } = explain(
    { snapshot, nameOf: ({ id }) => id },
    { source: end(from), destination: end(to), protocol: 'tcp', port: 22 },
  );
  return [verdict, ...because.map(({ step, peerId, detail }) => `${peerId ?? '-'} ${step}: ${detail}`)];
}

const office = lan('office', 'edge1');
const branch = lan('branch', 'edge2', { prefix: '192.168.8.0/24' });

test('a packet goes from LAN to LAN by the peers in front of them', () => {
  expect(ask([office, branch], '192.168.7.5', '192.168.8.6')).toEqual([
    'allowed',
    'edge1 source: 192.168.7.5 is in the LAN 192.168.7.0/24 behind edge1, where its packets enter the network.',
    'edge2 destination: 192.168.8.6 is in 192.168.8.0/24, behind edge2.',
    'edge1 route: 192.168.8.0/24 is behind edge2; it goes to a hub by wg-net-1.',
    'edge1 egress: No egress rule matches it, so it is sent.',
    'edge1 tunnel: wg-net-1 carries it to hub.',
    'hub forward: It forwards between the peers of the network.',
    'hub route: 192.168.8.0/24 is behind edge2; it goes there by wg-net.',
    'hub tunnel: wg-net carries it to edge2.',
    'edge2 forward: The packet leaves the network into the LAN 192.168.8.0/24 at edge2.',
    'edge2 ingress: No ingress rule matches it, so the network’s default policy accepts it.',
    'edge2 verdict: It reaches 192.168.8.6. Replies return on the same path: rules are stateful.',
  ]);
});

test('translation and source NAT are said where the packet is translated', () => {
  const mapped = { localPrefix: '192.168.1.0/24', sourceNat: true };
  const items = [{ ...office, ...mapped }, branch];
  expect(ask(items, 'laptop', '192.168.7.5')).toContain(
    'edge1 forward: The packet leaves the network into the LAN 192.168.7.0/24 at edge1. Its destination becomes 192.168.1.5 there (1:1 translation). Clients there see the address of edge1 as its source (source NAT).',
  );
  expect(ask(items, '192.168.7.5', 'laptop')).toContain(
    'edge1 source: 192.168.7.5 is in the LAN 192.168.7.0/24 behind edge1, where its packets enter the network. Its source is 192.168.1.5 in the LAN (1:1 translation).',
  );
});

test('the rules decide at the peer in front: egress out of the LAN, ingress into it', () => {
  const out = rule({ direction: 'egress', selector: { kind: 'cidr', cidr: '192.168.7.0/28' } });
  expect(ask([office, branch, out], '192.168.7.5', '192.168.8.6').slice(-2)).toEqual([
    'edge1 egress: The rule "rule" drops it.',
    'edge1 verdict: It is stopped at edge1.',
  ]);
  expect(ask([office, branch, out], '192.168.7.16', '192.168.8.6')[0]).toBe('allowed');
  const into = rule({ destination: { kind: 'cidr', cidr: '192.168.8.0/24' } });
  expect(ask([office, branch, into], 'laptop', '192.168.8.6').slice(-2)).toEqual([
    'edge2 ingress: The rule "rule" drops it.',
    'edge2 verdict: It is stopped at edge2.',
  ]);
});

test('of two peers in front the preferred one is used, the other when it is not reachable', () => {
  const items = [office, lan('other', 'edge2', { preference: 200 })];
  const before = ask(items, 'laptop', '192.168.7.5');
  expect(before[2]).toBe(
    'edge2 destination: 192.168.7.5 is in 192.168.7.0/24, behind edge2 (edge1 when that path is down).',
  );
  expect(before.at(-1)).toMatch(/^edge2 verdict: It reaches/);
  const presenceOf = (id: string) => ({ reachable: id !== 'edge2', because: null });
  expect(ask(items, 'laptop', '192.168.7.5', { presenceOf }).at(-1)).toMatch(/^edge1 verdict: It reaches/);
});

describe('where BGP decides', () => {
  const shared = [office, lan('other', 'edge2', { preference: 200 })];
  const addresses: Record<string, string> = {
    edge1: 'fd00:1::11',
    edge2: 'fd00:1::12',
    laptop: 'fd00:1::13',
  };
  /** Every peer but those in front has these paths, as announcer and next hop. */
  const live = (...paths: [announcer: string, nextHop?: string][]): LiveState => ({
    bestOf: () =>
      paths.map(([announcer, nextHop = announcer]) => ({
        announcer: addresses[announcer] ?? '',
        nextHop: addresses[nextHop] ?? '',
      })),
  });

  test('the peer of its best path is used, and evaluates, whichever is preferred', () => {
    const into = rule({ destination: { kind: 'cidr', cidr: '192.168.7.0/24' } });
    const lines = ask([...shared, into], 'laptop', '192.168.7.5', live(['edge1']));
    expect(lines[2]).toBe(
      'edge1 destination: 192.168.7.5 is in 192.168.7.0/24, behind edge1 (edge2 when that path is down).',
    );
    expect(lines).toContain('laptop route: 192.168.7.0/24 is behind edge1; it goes to a hub by wg-net-1.');
    expect(lines).toContain('hub route: 192.168.7.0/24 is behind edge1; it goes there by wg-net.');
    expect(lines.at(-1)).toBe('edge1 verdict: It is stopped at edge1.');
    expect(ask(shared, 'laptop', '192.168.7.5', live(['edge1'])).at(-1)).toMatch(
      /^edge1 verdict: It reaches/,
    );
    expect(ask(shared, '192.168.7.5', 'laptop', live(['edge1']))[1]).toMatch(/^edge1 source: /);
    expect(ask(shared, '192.168.7.5', 'laptop')[1]).toMatch(/^edge2 source: /);
  });

  test('a prefix that no path arrives to has no route, and a step says so', () => {
    const lines = ask(shared, 'laptop', '192.168.7.5', live());
    expect(lines[0]).toBe('no_route');
    expect(lines).toContain(
      'laptop route: No path to 192.168.7.0/24 arrives at laptop by BGP (system_sdwan_explain_route says why).',
    );
  });

  test('a peer without FRR is used by its preference', () => {
    const without = peers.map((one) => (one.id === 'edge2' ? { ...one, routingDaemonMissing: true } : one));
    const speaking = { ...network, asNumber: 65_010 };
    const at = (items: readonly Item[], known: LiveState) => {
      const snapshot = new NetworkSnapshot(new NetworkIndex(speaking, without, items), known);
      const source = { kind: 'peer', id: 'laptop' } as const;
      const destination = { kind: 'address', address: '192.168.7.5' } as const;
      return explain(
        { snapshot, nameOf: ({ id }) => id },
        { source, destination, protocol: 'tcp', port: 22 },
      ).because.at(-1)?.peerId;
    };
    expect(at(shared, live(['edge1']))).toBe('edge2');
    expect(at([lan('office', 'edge1', { preference: 300 }), ...shared.slice(1)], live(['edge1']))).toBe(
      'edge1',
    );
    expect(at(shared, live())).toBe('edge2');
  });

  test('the next hop that a policy has set is met, and named', () => {
    const hub = ask([office], 'hub', '192.168.7.5', live(['edge1', 'laptop']));
    expect(hub).toContain(
      'hub route: 192.168.7.0/24 has the next hop laptop by a route policy; it goes there by wg-net.',
    );
    expect(hub).toContain('hub tunnel: wg-net carries it to laptop.');
  });
});

test('the longest prefix decides, also on the peer in front of one of them', () => {
  const items = [lan('wide', 'edge1', { prefix: '192.168.0.0/16' }), branch];
  expect(ask(items, 'laptop', '192.168.8.6').at(-1)).toMatch(/^edge2 verdict: It reaches/);
  expect(ask(items, 'laptop', '192.168.9.6').at(-1)).toMatch(/^edge1 verdict: It reaches/);
  expect(ask(items, 'edge1', '192.168.8.6').at(-1)).toMatch(/^edge2 verdict: It reaches/);
});

test('a prefix that is no longer declared has no route, nor does its LAN send', () => {
  expect(ask([branch], 'laptop', '192.168.7.5')).toEqual([
    'no_route',
    '- destination: 192.168.7.5 is outside the overlay, which does not route to it.',
  ]);
  expect(ask([branch], '192.168.7.5', '192.168.8.6')).toEqual([
    'no_route',
    'edge2 destination: 192.168.8.6 is in 192.168.8.0/24, behind edge2.',
    '- source: 192.168.7.5 is outside the overlay; only port mappings admit traffic from there.',
  ]);
  expect(ask([{ ...office, peerId: 'gone' }], 'laptop', '192.168.7.5')[0]).toBe('no_route');
});

test('what stays at one peer is no matter of the network, and its addresses are closed to its LAN', () => {
  const twice = [office, lan('second', 'edge1', { prefix: '192.168.8.0/24' }), rule({ direction: 'both' })];
  expect(ask(twice, '192.168.7.5', '192.168.8.6')[0]).toBe('allowed');
  expect(ask(twice, 'edge1', '192.168.8.6').slice(1)).toContain(
    'edge1 route: 192.168.8.0/24 is behind edge1 itself: the packet does not enter the network, and no rule applies.',
  );
  const mapped = [office, lan('second', 'edge1', { prefix: '192.168.8.0/24', localPrefix: '10.0.0.0/24' })];
  expect(ask(mapped, '192.168.7.5', '192.168.8.6')[0]).toBe('no_route');
  expect(ask([office], '192.168.7.5', '100.64.0.11')[0]).toBe('denied');
});

test('no packet has addresses of both families', () => {
  expect(ask([office], '192.168.7.5', 'fd00:1::13')[0]).toBe('no_route');
});

test('the matrix has each prefix once, and prefixes of different families do not reach each other', () => {
  const items = [office, lan('other', 'edge2'), lan('six', 'edge2', { prefix: 'fd00:8::/64' })];
  const snapshot = new NetworkSnapshot(new NetworkIndex(network, peers, items));
  const { nodes } = matrixNodes(snapshot);
  expect(nodes.map(({ id }) => id)).toEqual(['hub', 'edge1', 'edge2', 'laptop', 'office', 'six']);
  const rows = [...matrixRows(snapshot, nodes, { protocol: 'tcp', port: 22 })].flatMap((row) => row ?? []);
  expect(rows.map(({ id, verdicts }) => `${id} ${verdicts}`)).toEqual([
    'hub -aaaaa',
    'edge1 a-aaaa',
    'edge2 aa-aaa',
    'laptop aaa-aa',
    'office adaa-n',
    'six aadan-',
  ]);
});
