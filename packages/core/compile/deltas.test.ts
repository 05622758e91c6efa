// Deltas: what was before comes from the fleet and not from the change, and a network takes its contents with it.
import { expect, test } from 'vitest';
import { type Delta, withContents } from './deltas.ts';
import { FleetIndex } from './fleet-index.ts';
import { networkModel, peerModel, ruleModel } from './model.fixture.ts';

const network = networkModel();
const one = peerModel({ id: 'one', hostAddress: 'fd00::1' });
const two = peerModel({ id: 'two', hostAddress: 'fd00::2' });
const rule = ruleModel();

function fleetOf(): FleetIndex {
  const fleet = new FleetIndex();
  fleet.load(network, [one, two], [rule]);
  return fleet;
}

test('before is what the fleet had, whatever the change says of it', () => {
  const after = { ...one, publicKey: 'third key' };
  const claimed = { ...one, publicKey: 'second key' };
  const change = { kind: 'peer_changed', networkId: 'n', before: claimed, after } as const;
  expect(fleetOf().apply(change).deltas).toEqual([{ kind: 'peer_changed', network, before: one, after }]);
  const added = { ...change, before: null };
  expect(fleetOf().apply(added).deltas).toEqual([{ kind: 'peer_changed', network, before: one, after }]);
});

test('a change of what is not there is none', () => {
  const fleet = fleetOf();
  const gone = peerModel({ id: 'gone' });
  const of = { kind: 'peer_changed', before: gone, after: null } as const;
  for (const networkId of ['n', 'no such network']) {
    expect(fleet.apply({ ...of, networkId })).toEqual({
      impact: { shared: [], single: new Map() },
      deltas: [],
    });
  }
  expect(fleet.apply({ kind: 'network_created', network }).deltas).toEqual([]);
  expect(fleet.apply({ kind: 'network_deleted', networkId: 'no such network' }).deltas).toEqual([]);
});

test('a network that is removed takes its peers and items with it', () => {
  const { deltas } = fleetOf().apply({ kind: 'network_deleted', networkId: 'n' });
  const [removed, ...contents] = withContents(deltas);
  const last = removed?.kind === 'network_removed' ? removed.last : undefined;
  expect([...(last?.peers() ?? [])]).toEqual([one, two]);
  const expected: Delta[] = [
    { kind: 'peer_removed', network, before: one },
    { kind: 'peer_removed', network, before: two },
    { kind: 'item_removed', network, before: rule },
  ];
  expect(contents).toEqual(expected);
});
