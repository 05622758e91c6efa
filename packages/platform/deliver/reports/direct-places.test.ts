// A spoke's place is what all hubs see alike; the word of some is not taken before the others could speak.
import { FleetIndex } from '@powernode/core/compile/fleet-index';
import type { PeerModel } from '@powernode/core/compile/model';
import { directGatherMs, directWaitMs } from '@powernode/core/limits';
import { pino } from 'pino';
import { beforeEach, describe, expect, test } from 'vitest';
import { SimulatedClock } from '../../trust/clock.fixture.ts';
import { NodeState } from '../nodes/node-state.ts';
import { type DirectPlace, DirectPlaces, placeOf } from './direct-places.ts';
import { SideKeys } from './side-keys.ts';

const base: PeerModel = {
  id: 'spoke',
  networkId: 'n',
  instanceId: 'i-spoke',
  hostAddress: 'fd00::1',
  ipv4Address: null,
  publicKey: 'transit key',
  directKey: 'direct key',
  directEndpoint: null,
  hubSlot: null,
  endpoint: null,
  listenPort: 51820,
  tags: [],
  draining: false,
};

let clock: SimulatedClock;
let places: DirectPlaces;
let told: DirectPlace[];
let withPlace: PeerModel;

beforeEach(() => {
  clock = new SimulatedClock();
  told = [];
  const fleet = new FleetIndex();
  const hub = (number: number): PeerModel => ({
    ...base,
    id: `hub${number}`,
    instanceId: `i-hub${number}`,
    hostAddress: `fd00::a${number}`,
    publicKey: `hub key ${number}`,
    directKey: `unused key ${number}`,
    hubSlot: number,
    endpoint: `192.0.2.${number}:51820`,
  });
  const network = {
    id: 'n',
    accountId: 'a',
    handle: 'n',
    prefix: 'fd00::/64',
    ipv4Prefix: null,
    mtu: 1420,
    topologyStrategy: 'hub_and_spoke',
    firewallDefaultPolicy: 'accept',
  } as const;
  const direct = { id: 'direct', instanceId: 'i-direct', hostAddress: 'fd00::2', publicKey: 'key of direct' };
  const directKey = 'direct key of direct';
  withPlace = { ...base, ...direct, directKey, directEndpoint: '198.51.100.8:4000' };
  fleet.load(network, [hub(1), hub(2), base, withPlace]);
  const keys = new SideKeys();
  for (const index of fleet.networks()) keys.load(index);
  places = new DirectPlaces({
    clock,
    log: pino({ enabled: false }),
    fleet,
    keys,
    onDirectPlace: (place) => {
      told.push(place);
      return Promise.resolve(null);
    },
    changed: () => undefined,
  });
});

function sees(instanceId: string, endpoint: string, key = 'direct key'): void {
  const node = new NodeState({
    instanceId,
    accountId: 'a',
    hostname: instanceId,
    desiredRevision: 0,
    digest: 0n,
    applied: null,
    lastHeartbeatMs: null,
    subsystems: [],
  });
  const tunnel = { interface: 'wg-n', public_key: key, last_handshake_at: null, rx_bytes: 0, tx_bytes: 0 };
  places.observed(node, { ...tunnel, endpoint });
}

test('seen alike by all hubs, it can be called there', async () => {
  sees('i-hub1', '198.51.100.9:4000');
  sees('i-hub2', '198.51.100.9:4000');
  await clock.advance(directGatherMs);
  expect(told).toMatchObject([{ natKind: 'cone', endpoint: '198.51.100.9:4000', complete: true }]);
});

test('seen at another place by each hub, it cannot', async () => {
  sees('i-hub1', '198.51.100.9:4000');
  await clock.advance(directGatherMs * 2);
  expect(told).toEqual([]);
  sees('i-hub2', '198.51.100.9:4001');
  await clock.advance(directGatherMs);
  expect(told).toMatchObject([{ natKind: 'symmetric', endpoint: null }]);
});

test('a hub that says nothing is not waited for for ever', async () => {
  sees('i-hub1', '198.51.100.9:4000');
  await clock.advance(directWaitMs + directGatherMs);
  expect(told).toMatchObject([{ natKind: 'cone', complete: false }]);
});

describe('a place that becomes free', () => {
  const freed = { kind: 'peer_changed', networkId: 'n', after: null } as const;
  beforeEach(async () => {
    sees('i-hub1', '198.51.100.9:4000');
    sees('i-hub2', '198.51.100.9:4000');
    await clock.advance(directGatherMs);
    expect(told).toHaveLength(1);
  });

  test('is given to a spoke that was seen before', async () => {
    places.changing({ ...freed, before: withPlace, after: { ...withPlace, tags: ['changed'] } });
    await clock.advance(directGatherMs);
    expect(told).toHaveLength(1);
    places.changing({ ...freed, before: withPlace });
    await clock.advance(directGatherMs);
    expect(told).toHaveLength(2);
    expect(told[1]).toEqual(told[0]);
  });

  test('is not for one whose key is spent', async () => {
    places.changing({ ...freed, before: base, after: { ...base, directKey: 'new key' } });
    places.changing({ ...freed, before: withPlace });
    await clock.advance(directGatherMs);
    expect(told).toHaveLength(1);
  });

  test('is not for one that every hub sees elsewhere by now', async () => {
    sees('i-hub2', '198.51.100.9:4001');
    await clock.advance(directGatherMs);
    places.changing({ ...freed, before: withPlace });
    await clock.advance(directGatherMs);
    expect(told.map(({ natKind }) => natKind)).toEqual(['cone', 'symmetric']);
  });
});

test('other keys, and what spokes see, mean nothing', async () => {
  sees('i-hub1', '198.51.100.9:4000', 'transit key');
  sees('i-spoke', '198.51.100.9:4000');
  await clock.advance(directWaitMs * 2);
  expect(told).toEqual([]);
});

test('places of different families are not compared', () => {
  expect(placeOf(['198.51.100.9:1', '[2001:db8::9]:1'])?.natKind).toBe('cone');
  expect(placeOf(['198.51.100.9:1', '198.51.100.9:1', '[2001:db8::9]:1'])?.endpoint).toBe('198.51.100.9:1');
  expect(placeOf([])).toBeNull();
});
