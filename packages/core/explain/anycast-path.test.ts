// Packets for an anycast address, as an explanation says it: to which holders they may go.
import { expect, test } from 'vitest';
import { networkModel } from '../compile/model.fixture.ts';
import type { PeerModel, VirtualIpModel } from '../compile/model.ts';
import { NetworkIndex } from '../compile/network-index.ts';
import { type LiveState, NetworkSnapshot } from './network-snapshot.ts';
import { explain } from './reachability.ts';
import { peer } from './small-network.fixture.ts';

const network = networkModel({
  ...{ id: 'net', handle: 'net', prefix: 'fd00:1::/64', ipv4Prefix: '100.64.0.0/18' },
  ...{ firewallDefaultPolicy: 'accept', asNumber: 65_010 },
});
const held: VirtualIpModel = {
  ...{ type: 'virtual_ip', id: 'vip', networkId: 'net', addresses: ['fd00:1::f0'] },
  ...{ anycast: true, candidates: ['edge1', 'edge2', 'edge3'], holder: null, epoch: 1 },
};

function ask(live: LiveState, more: Readonly<Record<string, Partial<PeerModel>>> = {}, from = 'hub') {
  const peers = [
    peer('hub', 1, { hubSlot: 1, endpoint: '192.0.2.1:51820' }),
    ...['edge1', 'edge2', 'edge3'].map((id, i) => peer(id, 11 + i, more[id])),
  ];
  const snapshot = new NetworkSnapshot(new NetworkIndex(network, peers, [held]), live);
  const [source, destination] =
    from === 'vip'
      ? ([
          { kind: 'virtual_ip', id: 'vip' },
          { kind: 'peer', id: 'hub' },
        ] as const)
      : ([
          { kind: 'peer', id: from },
          { kind: 'virtual_ip', id: 'vip' },
        ] as const);
  const question = { source, destination, protocol: 'tcp', port: 22 } as const;
  const { verdict, because } = explain({ snapshot, nameOf: ({ id }) => id }, question);
  const route = because.find(({ step }) => step === 'route')?.detail;
  return { verdict, route, at: because.at(-1)?.peerId, from: because[0]?.peerId };
}

const notReached = (...ids: string[]): LiveState => ({
  presenceOf: (id) => ({ reachable: !ids.includes(id), because: null }),
});
const bestPaths = (...last: number[]): LiveState => ({
  bestOf: () => last.map((n) => ({ announcer: `fd00:1::${n}`, nextHop: `fd00:1::${n}` })),
});

test('they go to one of several holders, and nobody but the node knows which is the nearest', () => {
  expect(ask({}).route).toBe(
    'fd00:1::f0 goes to one of edge1, edge2, edge3, the nearest by the round trips that the instance measures; this is the way to edge1, by wg-net.',
  );
});

test('a holder that is not reached is left out, in the order of the operator', () => {
  expect(ask(notReached('edge1'))).toMatchObject({
    ...{ verdict: 'allowed', at: 'edge2' },
    route: expect.stringContaining('goes to one of edge2, edge3,'),
  });
  expect(ask(notReached('edge1', 'edge3'))).toMatchObject({
    at: 'edge2',
    route: 'Of the peers that hold fd00:1::f0 only edge2 can be used; it goes there by wg-net.',
  });
  expect(ask(notReached('edge1'), {}, 'vip').from).toBe('edge2');
});

test('one whose health check fails is left out, unless all do', () => {
  const failing = (...ids: string[]) => ({ withdrawnBy: () => new Map(ids.map((id) => [id, 'refused'])) });
  expect(ask(failing('edge1')).at).toBe('edge2');
  expect(ask(failing('edge1', 'edge2', 'edge3')).at).toBe('edge1');
});

test('where BGP decides only holders of its best paths are used, and one without FRR', () => {
  expect(ask(bestPaths(12)).route).toContain('only edge2 can be used');
  expect(ask(bestPaths(13, 12)).route).toContain('one of edge2, edge3,');
  expect(ask(bestPaths(12), { edge3: { routingDaemonMissing: true } }).route).toContain(
    'one of edge2, edge3,',
  );
});
