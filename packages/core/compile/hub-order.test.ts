// Which hub the spokes of a network use: the same for all of them, so that packets go and come by one hub.
import { expect, test } from 'vitest';
import { networkModel, peerModel } from './model.fixture.ts';
import type { NetworkModel, PeerModel } from './model.ts';
import { NetworkIndex } from './network-index.ts';

const network = (number: number): NetworkModel =>
  networkModel({
    id: `0190c0de-0000-7000-8000-${String(number).padStart(12, '0')}`,
    accountId: 'account',
    handle: `n${number}`,
    prefix: 'fd00:1:2:3::/64',
    rematchConnections: false,
  });

const peer = (of: NetworkModel, number: number, more: Partial<PeerModel> = {}): PeerModel =>
  peerModel({
    id: `peer-${number}`,
    networkId: of.id,
    instanceId: `machine-${number}`,
    hostAddress: `fd00:1:2:3::${(0x100 + number).toString(16)}`,
    publicKey: `${String(number).padStart(43, 'K')}=`,
    ...more,
  });

const hub = (of: NetworkModel, slot: number, more: Partial<PeerModel> = {}) =>
  peer(of, slot, { hubSlot: slot, endpoint: `203.0.113.${slot}:51820`, ...more });

/** The interfaces by which each of twenty spokes reaches the network, in their order. */
function orders(of: NetworkModel, hubs: readonly PeerModel[]): string[] {
  const spokes = Array.from({ length: 20 }, (_, i) => peer(of, 100 + i));
  const index = new NetworkIndex(of, [...hubs, ...spokes], []);
  return spokes.map(({ instanceId }) => {
    const wide = [...index.compile(instanceId)]
      .map(({ value }) => value)
      .find((entry) => entry.kind === 'route' && entry.destination === of.prefix);
    return wide?.kind === 'route' ? wide.via.join(' ') : '';
  });
}

test('two spokes meet by one hub in both directions, also when a hub is drained [9.27]', () => {
  const of = network(1);
  const before = new Set(
    orders(
      of,
      [1, 2, 3].map((slot) => hub(of, slot)),
    ),
  );
  expect(before.size).toBe(1);
  const [order = ''] = before;
  expect(order.split(' ')).toHaveLength(3);
  const first = Number(order.split(' ')[0]?.split('-').at(-1));
  const drained = [1, 2, 3].map((slot) => hub(of, slot, { draining: slot === first }));
  const after = new Set(orders(of, drained));
  expect(after.size).toBe(1);
  expect([...after][0]?.split(' ').at(-1)).toBe(`wg-n1-${first}`);
});

test('networks are spread over hubs [9.27]', () => {
  const firsts = Array.from({ length: 30 }, (_, i) => {
    const of = network(i);
    const [order = ''] = orders(
      of,
      [1, 2, 3].map((slot) => hub(of, slot)),
    );
    return order.split(' ')[0]?.split('-').at(-1);
  });
  for (const slot of ['1', '2', '3']) expect(firsts.filter((one) => one === slot).length).toBeGreaterThan(3);
});
