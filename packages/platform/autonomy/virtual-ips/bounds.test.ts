// What a holder may be acting on is forgotten when it has applied something newer, and not before.
import { FleetIndex } from '@powernode/core/compile/fleet-index';
import type { PeerModel, VirtualIpModel } from '@powernode/core/compile/model';
import { beforeEach, expect, test } from 'vitest';
import { type Held, NodeState } from '../../deliver/nodes/node-state.ts';
import { Bounds } from './bounds.ts';

const base: PeerModel = {
  id: 'a',
  networkId: 'n',
  instanceId: 'i-a',
  hostAddress: 'fd00::1',
  ipv4Address: null,
  publicKey: 'key of a',
  directKey: null,
  directEndpoint: null,
  hubSlot: null,
  endpoint: null,
  listenPort: 51820,
  tags: [],
  draining: false,
};
const item: VirtualIpModel = {
  type: 'virtual_ip',
  id: 'v',
  networkId: 'n',
  addresses: ['fd00::5'],
  anycast: false,
  candidates: ['a', 'b'],
  holder: 'a',
  epoch: 1,
};
const older = { witnesses: ['h1', 'h2'], enough: 2 };
const newer = { witnesses: ['h1'], enough: 1 };

let fleet: FleetIndex;
let node: NodeState;
let applied: Held | null;
let bounds: Bounds;

beforeEach(() => {
  fleet = new FleetIndex();
  const hub = (slot: number): PeerModel => ({
    ...base,
    id: `h${slot}`,
    instanceId: `i-h${slot}`,
    hostAddress: `fd00::a${slot}`,
    publicKey: `key of h${slot}`,
    hubSlot: slot,
    endpoint: `192.0.2.${slot}:51820`,
  });
  const other = { ...base, id: 'b', instanceId: 'i-b', hostAddress: 'fd00::2', publicKey: 'key of b' };
  const network = {
    id: 'n',
    accountId: 'account',
    handle: 'n',
    prefix: 'fd00::/64',
    ipv4Prefix: null,
    mtu: 1420,
    topologyStrategy: 'hub_and_spoke',
    firewallDefaultPolicy: 'accept',
  } as const;
  fleet.load(network, [base, other, hub(1), hub(2)], [item]);
  node = new NodeState({
    instanceId: 'i-a',
    accountId: 'account',
    hostname: 'a',
    desiredRevision: 10,
    digest: 7n,
    applied: null,
    lastHeartbeatMs: null,
    subsystems: [],
  });
  applied = null;
  bounds = new Bounds({ network: (id) => fleet.network(id), node: () => node, applied: () => applied });
  bounds.note(item);
});

function loseHub(): void {
  const before = fleet.network('n')?.peer('h2') ?? null;
  fleet.apply({ kind: 'peer_changed', networkId: 'n', before, after: null });
  node.desiredRevision = 20;
  bounds.note(item);
}

test('both count until the holder has applied what brought the newer ones', () => {
  loseHub();
  expect(bounds.termsOf('v', 'a')).toEqual([older, newer]);
  applied = { revision: 19, hash: 'of another document' };
  expect(bounds.applied('v', 'a')).toBe(false);
  expect(bounds.termsOf('v', 'a')).toEqual([older, newer]);
  applied = { revision: 20, hash: 'of another document' };
  expect(bounds.applied('v', 'a')).toBe(true);
  expect(bounds.termsOf('v', 'a')).toEqual([newer]);
  expect(bounds.applied('v', 'a')).toBe(false);
});

test('a change that this process takes after the holder has applied it counts as applied', () => {
  applied = { revision: 20, hash: 'of another document' };
  loseHub();
  expect(bounds.termsOf('v', 'a')).toEqual([newer]);
});

test('a virtual IP that is gone is forgotten, alone or with its network', () => {
  bounds.forgetGone('n');
  expect(bounds.termsOf('v', 'a')).toEqual([older]);
  fleet.apply({ kind: 'network_deleted', networkId: 'n' });
  bounds.forgetGone('another');
  expect(bounds.termsOf('v', 'a')).toEqual([older]);
  bounds.forgetGone('n');
  expect(bounds.termsOf('v', 'a')).toEqual(['unknown']);
});
