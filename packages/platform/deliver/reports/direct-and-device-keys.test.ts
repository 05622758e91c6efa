// The index of keys follows the fleet by deltas alone: after any changes it equals one that is loaded anew.
import { withContents } from '@powernode/core/compile/deltas';
import { FleetIndex } from '@powernode/core/compile/fleet-index';
import { RandomFleet } from '@powernode/core/compile/random-fleet.fixture';
import { seededRandom } from '@powernode/core/testing/random';
import { expect, test } from 'vitest';
import { DirectAndDeviceKeys } from './direct-and-device-keys.ts';
import { keysRetiredBy } from './retired-keys.ts';

const instanceIds = ['i0', 'i1', 'i2', 'i3', 'i4', 'i5'];

/** Direct keys and those of devices; and those of peers' tunnels to hubs. */
function keysIn(fleet: FleetIndex): { readonly direct: string[]; readonly hub: string[] } {
  const networks = [...fleet.networks()];
  const peers = networks.flatMap((network) => [...network.peers()]);
  const devices = networks
    .flatMap((network) => [...network.items()])
    .filter((item) => item.type === 'user_device');
  return {
    direct: [
      ...peers.flatMap(({ directKey }) => directKey ?? []),
      ...devices.map(({ publicKey }) => publicKey),
    ],
    hub: peers.map(({ publicKey }) => publicKey),
  };
}

test('the index has the keys of the fleet, and each key that a peer loses is retired once', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = new RandomFleet({ accountId: 'a', instanceIds, random: seededRandom(seed) });
    const fleet = new FleetIndex();
    const keys = new DirectAndDeviceKeys();
    const seen = new Set<string>();
    const retired: string[] = [];
    for (let i = 0; i < 80; i++) {
      for (const delta of withContents(fleet.apply(random.change()).deltas)) {
        keys.onDelta(delta);
        retired.push(...keysRetiredBy(delta).map(({ publicKey }) => publicKey));
      }
      const { direct, hub } = keysIn(fleet);
      for (const key of [...direct, ...hub]) seen.add(key);
      const loaded = new DirectAndDeviceKeys();
      for (const network of fleet.networks()) loaded.load(network);
      for (const key of seen) expect(keys.of(key), key).toEqual(loaded.of(key));
    }
    expect(new Set(retired).size).toBe(retired.length);
    const { direct, hub } = keysIn(fleet);
    const removed = [...seen].filter(
      (key) => !direct.includes(key) && !hub.includes(key) && !key.startsWith('device-'),
    );
    expect(retired.sort()).toEqual(removed.sort());
  }
});
