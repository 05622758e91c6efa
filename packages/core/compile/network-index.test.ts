// What is asked of one network without compiling a document, against the documents.
import { expect, test } from 'vitest';
import { seededRandom } from '../testing/random.ts';
import { FleetIndex } from './fleet-index.ts';
import { RandomFleet } from './random-fleet.fixture.ts';

const instanceIds = ['i0', 'i1', 'i2', 'i3', 'i4', 'i5', 'i6', 'i7', 'i8'];

test('a node has the tunnels of its document and no others', () => {
  const seen = { spokes: 0, relays: 0, none: 0 };
  for (let seed = 1; seed <= 30; seed++) {
    const index = new FleetIndex();
    const fleet = new RandomFleet({ accountId: 'a', instanceIds, random: seededRandom(seed) });
    for (let i = 0; i < 80; i++) index.apply(fleet.change());
    const documents = new Map(instanceIds.map((id) => [id, index.compile(id)]));
    const tunnels = [...documents.values()].flat().flatMap(({ key, value }) => {
      return value.kind === 'peer' ? { ...value, key, handle: value.interface.split('-')[1] } : [];
    });
    for (const [instanceId, document] of documents) {
      const keys = new Set(document.map(({ key }) => key));
      for (const network of index.networksOf(instanceId)) {
        for (const tunnel of tunnels.filter(({ handle }) => handle === network.network.handle)) {
          const to = network.peer(tunnel.peer_id)?.id ?? null;
          const has = network.hasTunnel(instanceId, tunnel.key, to);
          expect(has, `seed ${seed}: ${tunnel.key} of ${instanceId}`).toBe(keys.has(tunnel.key));
          const isRelay = tunnel.interface.split('-').length > 2;
          seen[has ? (isRelay ? 'relays' : 'spokes') : 'none']++;
        }
      }
    }
  }
  expect(Math.min(...Object.values(seen)), JSON.stringify(seen)).toBeGreaterThan(50);
});
