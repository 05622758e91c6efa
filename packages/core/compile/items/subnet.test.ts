// What peers are told of prefixes behind a peer whose machine has no FRR.
import { expect, test } from 'vitest';
import { networkModel, peerModel } from '../model.fixture.ts';
import type { Item } from '../model.ts';
import { NetworkIndex } from '../network-index.ts';

const hub = peerModel({ id: 'hub', instanceId: 'i1', hubSlot: 1, hostAddress: 'fd00::1', publicKey: 'k1' });
const edge = peerModel({ id: 'edge', instanceId: 'i2', hostAddress: 'fd00::2', publicKey: 'k2' });
const items = (networkId: string): Item[] => [
  {
    ...{
      type: 'subnet_advertisement',
      id: 's',
      networkId,
      peerId: 'edge',
      preference: 100,
      sourceNat: false,
    },
    ...{ prefix: '10.7.0.0/24', localPrefix: '10.7.0.0/24' },
  },
  {
    ...{
      type: 'virtual_ip',
      id: 'v',
      networkId,
      addresses: ['fd00::f0'],
      anycast: true,
      holder: null,
      epoch: 1,
    },
    candidates: ['hub', 'edge'],
  },
];

function staticKeys(index: NetworkIndex): string[] {
  const values = index.compile('i1').map(({ value }) => value);
  return values.flatMap((value) =>
    (value.kind === 'subnet' || value.kind === 'anycast_holder') && value.is_static === true
      ? [value.key]
      : [],
  );
}

test('others have static routes to it while they speak BGP, as soon as the machine says so', () => {
  const network = { ...networkModel(), asNumber: 65_010 };
  const index = new NetworkIndex(network, [hub, edge], items(network.id));
  expect(staticKeys(index)).toEqual([]);
  const without = { ...edge, routingDaemonMissing: true };
  index.change({ before: edge, after: without });
  const marked = ['subnet/s', 'anycast_holder/v/edge'];
  expect(staticKeys(index).sort()).toEqual([...marked].sort());
  const { asNumber: _, ...withStaticRoutes } = network;
  index.changeNetwork(withStaticRoutes);
  expect(staticKeys(index)).toEqual([]);
  index.changeNetwork(network);
  index.change({ before: without, after: edge });
  expect(staticKeys(index)).toEqual([]);
});
