// Which peers a spoke reaches without a hub: by the routes that it reported, and by its document.
import { FleetIndex } from '@powernode/core/compile/fleet-index';
import type { PeerModel } from '@powernode/core/compile/model';
import { networkModel, peerModel } from '@powernode/core/compile/model.fixture';
import { beforeEach, expect, test } from 'vitest';
import { nodeState } from '../nodes/node-state.fixture.ts';
import type { NodeState } from '../nodes/node-state.ts';
import { directPeers } from './reports.ts';

const network = networkModel();

function spoke(number: number, directEndpoint: string | null): PeerModel {
  return peerModel({
    id: `spoke${number}`,
    instanceId: `i-${number}`,
    hostAddress: `fd00::${number}`,
    publicKey: `key ${number}`,
    directKey: `direct key ${number}`,
    directEndpoint,
  });
}

let fleet: FleetIndex;
let node: NodeState;

beforeEach(() => {
  fleet = new FleetIndex();
  fleet.load(network, [
    spoke(1, '198.51.100.1:4000'),
    spoke(2, '198.51.100.2:4000'),
    spoke(3, '198.51.100.3:4000'),
    spoke(4, null),
  ]);
  node = nodeState({ instanceId: 'i-1', hostname: 'one' });
});

test('they are those to whom its route goes by the leaf interface', () => {
  expect(directPeers(fleet, node, 'n')).toEqual([]);
  node.routes = new Map([
    ['fd00::/64', 'wg-n-1'],
    ['fd00::2/128', 'wg-n'],
    ['fd00::3/128', 'wg-n-1'],
    ['fd00::4/128', 'wg-n'],
  ]);
  expect(directPeers(fleet, node, 'n')).toEqual(['spoke2']);
});

test('a spoke that turned out to be behind a symmetric NAT meets nobody, whatever it said before', () => {
  node.routes = new Map([['fd00::2/128', 'wg-n']]);
  const [before, after] = [spoke(1, '198.51.100.1:4000'), spoke(1, null)];
  fleet.apply({ kind: 'peer_changed', networkId: 'n', before, after });
  expect(directPeers(fleet, node, 'n')).toEqual([]);
});
