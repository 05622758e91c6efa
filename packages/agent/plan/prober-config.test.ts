// What the prober is told, from documents as the compiler makes them.
import type { NetworkModel, PeerModel, VirtualIpModel } from '@powernode/core/compile/model';
import { networkModel, peerModel } from '@powernode/core/compile/model.fixture';
import { NetworkIndex } from '@powernode/core/compile/network-index';
import { probeAddressVia } from '@powernode/core/net/probe-address';
import { nodeDocumentOf } from '@powernode/core/wire/node-document.fixture';
import { describe, expect, test } from 'vitest';
import { PathIndex } from './path-index.ts';
import { proberConfigOf } from './prober-config.ts';

const network: NetworkModel = networkModel({ handle: 'x' });

function peer(id: string, number: number, hubSlot: number | null): PeerModel {
  return peerModel({
    id,
    instanceId: id,
    hostAddress: `fd00::${number}`,
    publicKey: id.padEnd(43, 'k').concat('='),
    directKey: hubSlot === null ? id.padEnd(43, 'd').concat('=') : null,
    directEndpoint: hubSlot === null ? `192.0.2.${number}:7` : null,
    hubSlot,
    endpoint: hubSlot === null ? null : `203.0.113.${number}:51820`,
  });
}

const peers = [peer('j', 1, 1), peer('k', 2, 2), peer('s', 3, null), peer('t', 4, null)];
const virtualIp: VirtualIpModel = {
  type: 'virtual_ip',
  id: 'v',
  networkId: 'n',
  addresses: ['fd00::f'],
  anycast: false,
  candidates: ['s', 'k'],
  holder: 's',
  epoch: 4,
};

function configOf(name: string) {
  const values = new NetworkIndex(network, peers, [virtualIp]).compile(name).map((entry) => entry.value);
  const index = new PathIndex();
  index.update(nodeDocumentOf(values), 'all');
  return proberConfigOf(index);
}

describe('a spoke', () => {
  const config = configOf('s');

  test('probes each hub, each by way of the other, and another spoke from the address for that', () => {
    const seen = config.targets.map((one) => `${one.purpose} ${one.target} from ${one.source}`).sort();
    expect(seen).toEqual([
      'direct fd00::feff:0:0:4 from fd00::feff:0:0:3',
      'forwarding fd00::fe01:0:0:2 from fd00::3',
      'forwarding fd00::fe02:0:0:1 from fd00::3',
      'path fd00::fe01:0:0:1 from fd00::3',
      'path fd00::fe02:0:0:2 from fd00::3',
    ]);
    const goalOf = (target: string) => config.targets.find((one) => one.target === target)?.goal;
    expect(goalOf('fd00::fe01:0:0:2')).toBe(goalOf('fd00::fe02:0:0:2'));
  });

  test('answers other spokes, and has a lease that rests on hubs which it probes', () => {
    expect(config.answering).toEqual([
      { network: 'n', address: 'fd00::feff:0:0:3', purpose: 'direct', relay: null },
    ]);
    expect(config.relays).toEqual([]);
    const [lease] = config.leases;
    expect(lease).toMatchObject({ virtualIpId: 'v', epoch: 4, addresses: ['fd00::f'], quorum: 2 });
    const targets = config.targets.map((one) => one.target);
    for (const witness of lease?.witnesses ?? ['none']) expect(targets).toContain(witness);
  });
});

describe('a hub', () => {
  const config = configOf('j');

  test('answers straight at its own number, and by way of the other hub at that one’s', () => {
    expect([...config.answering].sort((a, b) => (a.address < b.address ? -1 : 1))).toEqual([
      { network: 'n', address: probeAddressVia('fd00::1', 1), purpose: 'hub', relay: null },
      { network: 'n', address: probeAddressVia('fd00::1', 2), purpose: 'hub', relay: 'wg-x-2' },
    ]);
    expect(config.relays).toMatchObject([{ interface: 'wg-x-2', addresses: ['fd00::2'] }]);
  });

  test('watches each peer where its probes come in: a hub’s over the relay, a spoke’s straight', () => {
    const watches = Object.fromEntries(config.watches.map((one) => [one.peerId, one.answeredAt]));
    expect(watches).toEqual({ s: probeAddressVia('fd00::1', 1), k: probeAddressVia('fd00::1', 2) });
  });
});
