// What is kept of keys follows the fleet by its deltas alone: after any changes it is what would be loaded anew.
import { withContents } from '@powernode/core/compile/deltas';
import { FleetIndex } from '@powernode/core/compile/fleet-index';
import { RandomFleet } from '@powernode/core/compile/random-fleet.fixture';
import { seededRandom } from '@powernode/core/testing/random';
import { expect, test } from 'vitest';
import { SideKeys } from './side-keys.ts';
import { keysSpentBy } from './spent-keys.ts';

const instanceIds = ['i0', 'i1', 'i2', 'i3', 'i4', 'i5'];

/** Of spokes' leaf interfaces and of devices, and those of peers' tunnels to hubs. */
function keysIn(fleet: FleetIndex): { readonly side: string[]; readonly hub: string[] } {
  const networks = [...fleet.networks()];
  const peers = networks.flatMap((network) => [...network.peers()]);
  const devices = networks
    .flatMap((network) => [...network.items()])
    .filter((item) => item.type === 'user_device');
  return {
    side: [
      ...peers.flatMap(({ directKey }) => directKey ?? []),
      ...devices.map(({ publicKey }) => publicKey),
    ],
    hub: peers.map(({ publicKey }) => publicKey),
  };
}

test('keys that are kept are those of the fleet, and keys that peers give up are told once, to their machine', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = new RandomFleet({ accountId: 'a', instanceIds, random: seededRandom(seed) });
    const fleet = new FleetIndex();
    const keys = new SideKeys();
    const seen = new Set<string>();
    const spent: string[] = [];
    for (let i = 0; i < 80; i++) {
      for (const delta of withContents(fleet.apply(random.change()).deltas)) {
        keys.onDelta(delta);
        spent.push(...keysSpentBy(delta).map(({ publicKey }) => publicKey));
      }
      const { side, hub } = keysIn(fleet);
      for (const key of [...side, ...hub]) seen.add(key);
      const loaded = new SideKeys();
      for (const network of fleet.networks()) loaded.load(network);
      for (const key of seen) expect(keys.of(key), key).toEqual(loaded.of(key));
    }
    expect(new Set(spent).size).toBe(spent.length);
    const { side, hub } = keysIn(fleet);
    const gone = [...seen].filter(
      (key) => !side.includes(key) && !hub.includes(key) && !key.startsWith('device-'),
    );
    expect(spent.sort()).toEqual(gone.sort());
  }
});
