// What a holder may be acting on is forgotten when it has applied something newer, and not before.
import { FleetIndex } from '@powernode/core/compile/fleet-index';
import type { PeerModel, VirtualIpModel } from '@powernode/core/compile/model';
import { networkModel, peerModel } from '@powernode/core/compile/model.fixture';
import { beforeEach, expect, test } from 'vitest';
import type { VirtualIpRow } from '../../actions/sdwan/virtual-ips/model.ts';
import { nodeState } from '../../deliver/nodes/node-state.fixture.ts';
import type { Held, NodeState } from '../../deliver/nodes/node-state.ts';
import { OutstandingLeases } from './outstanding-leases.ts';

const base: PeerModel = peerModel({
  id: 'a',
  instanceId: 'i-a',
  hostAddress: 'fd00::1',
  publicKey: 'key of a',
});
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
const older = { witnesses: ['h1', 'h2'], quorum: 2 };
const newer = { witnesses: ['h1'], quorum: 1 };

let fleet: FleetIndex;
let node: NodeState;
let applied: Held | null;
let leases: OutstandingLeases;

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
  const network = networkModel({ accountId: 'account' });
  fleet.load(network, [base, other, hub(1), hub(2)], [item]);
  node = nodeState({
    instanceId: 'i-a',
    accountId: 'account',
    hostname: 'a',
    desiredRevision: 10,
    digest: 7n,
  });
  applied = null;
  leases = new OutstandingLeases({
    network: (id) => fleet.network(id),
    node: () => node,
    applied: () => applied,
  });
  leases.note(item);
});

function loseHub(): void {
  const before = fleet.network('n')?.peer('h2');
  if (before === undefined) throw new Error('there is no second hub');
  fleet.apply({ kind: 'peer_changed', networkId: 'n', before, after: null });
  node.desiredRevision = 20;
  leases.note(item);
}

test('both count until the holder has applied what brought the newer ones', () => {
  loseHub();
  expect(leases.termsOf('v', 'a')).toEqual([older, newer]);
  applied = { revision: 19, hash: 'of another document' };
  expect(leases.applied('v', 'a')).toBe(false);
  expect(leases.termsOf('v', 'a')).toEqual([older, newer]);
  applied = { revision: 20, hash: 'of another document' };
  expect(leases.applied('v', 'a')).toBe(true);
  expect(leases.termsOf('v', 'a')).toEqual([newer]);
  expect(leases.applied('v', 'a')).toBe(false);
});

test('a change that this process applies after the holder has applied it counts as applied', () => {
  applied = { revision: 20, hash: 'of another document' };
  loseHub();
  expect(leases.termsOf('v', 'a')).toEqual([newer]);
});

test('a deleted virtual IP is forgotten, alone or with its network', () => {
  leases.forgetDeleted('n');
  expect(leases.termsOf('v', 'a')).toEqual([older]);
  fleet.apply({ kind: 'network_deleted', networkId: 'n' });
  leases.forgetDeleted('another');
  expect(leases.termsOf('v', 'a')).toEqual([older]);
  leases.forgetDeleted('n');
  expect(leases.termsOf('v', 'a')).toEqual(['unknown']);
});

test('those of a stored move count until the address is released', () => {
  leases.load({
    id: 'stored',
    network_id: 'n',
    releasing_peer_id: 'a',
    current_holder_peer_id: null,
    transition: { terms: [{ witnesses: ['h1', 'h2'], enough: 2 }, 'unknown', null] },
  } as unknown as VirtualIpRow);
  expect(leases.termsOf('stored', 'a')).toEqual([older, 'unknown', null]);
});
