// A spoke's direct endpoint is what most hubs see alike; the reports of some do not count before the others could report.
import { FleetIndex } from '@powernode/core/compile/fleet-index';
import type { PeerModel } from '@powernode/core/compile/model';
import { networkModel, peerModel } from '@powernode/core/compile/model.fixture';
import { directGatherMs, directWaitMs } from '@powernode/core/limits/overlay';
import { pino } from 'pino';
import { beforeEach, describe, expect, test } from 'vitest';
import { SimulatedClock } from '../../trust/clock.fixture.ts';
import { nodeState } from '../nodes/node-state.fixture.ts';
import { DirectAndDeviceKeys } from './direct-and-device-keys.ts';
import { type DirectEndpoint, DirectEndpoints, endpointOf } from './direct-endpoints.ts';

const base: PeerModel = peerModel({
  id: 'spoke',
  instanceId: 'i-spoke',
  hostAddress: 'fd00::1',
  publicKey: 'transit key',
  directKey: 'direct key',
});

let clock: SimulatedClock;
let endpoints: DirectEndpoints;
let reported: DirectEndpoint[];
let withEndpoint: PeerModel;
let writes: boolean;

beforeEach(() => {
  clock = new SimulatedClock();
  reported = [];
  writes = false;
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
  const network = networkModel();
  const direct = { id: 'direct', instanceId: 'i-direct', hostAddress: 'fd00::2', publicKey: 'key of direct' };
  const directKey = 'direct key of direct';
  withEndpoint = { ...base, ...direct, directKey, directEndpoint: '198.51.100.8:4000' };
  fleet.load(network, [hub(1), hub(2), base, withEndpoint]);
  const keys = new DirectAndDeviceKeys();
  for (const index of fleet.networks()) keys.load(index);
  endpoints = new DirectEndpoints({
    clock,
    log: pino({ enabled: false }),
    fleet,
    keys,
    onDirectEndpoint: (direct) => {
      reported.push(direct);
      return Promise.resolve(writes ? { sequence: reported.length, changes: [] } : null);
    },
    changed: () => undefined,
  });
});

function changes(before: PeerModel, after: PeerModel): void {
  endpoints.onDelta({ kind: 'peer_changed', network: networkModel(), before, after });
}

function sees(instanceId: string, endpoint: string, key = 'direct key'): void {
  const node = nodeState({ instanceId });
  const tunnel = { interface: 'wg-n', public_key: key, last_handshake_at: null, rx_bytes: 0, tx_bytes: 0 };
  endpoints.observed(node, { ...tunnel, endpoint });
}

test('seen alike by all hubs, it can be called there', async () => {
  sees('i-hub1', '198.51.100.9:4000');
  sees('i-hub2', '198.51.100.9:4000');
  await clock.advance(directGatherMs);
  expect(reported).toMatchObject([
    { natKind: 'cone', endpoint: '198.51.100.9:4000', seenBy: 2, complete: true },
  ]);
});

test('seen at another endpoint by each hub, it cannot', async () => {
  sees('i-hub1', '198.51.100.9:4000');
  await clock.advance(directGatherMs * 2);
  expect(reported).toEqual([]);
  sees('i-hub2', '198.51.100.9:4001');
  await clock.advance(directGatherMs);
  expect(reported).toMatchObject([{ natKind: 'symmetric', endpoint: null }]);
});

test('seen at another endpoint by one of three hubs, it stays where the others see it [9.6]', () => {
  const endpoint = (port: number) => `198.51.100.9:${port}`;
  const evaluated = (...ports: number[]) => endpointOf(ports.map(endpoint));
  expect(evaluated(4000, 4000, 4001)).toEqual({ natKind: 'cone', endpoint: endpoint(4000), seenBy: 2 });
  expect(evaluated(4001, 4000, 4000)).toEqual({ natKind: 'cone', endpoint: endpoint(4000), seenBy: 2 });
  expect(evaluated(4000, 4001)).toEqual({ natKind: 'symmetric', endpoint: null, seenBy: 2 });
  expect(evaluated(4000, 4001, 4002)).toEqual({ natKind: 'symmetric', endpoint: null, seenBy: 3 });
  expect(evaluated(4000, 4000, 4001, 4001)?.natKind).toBe('symmetric');
  expect(evaluated(4000)).toEqual({ natKind: 'cone', endpoint: endpoint(4000), seenBy: 1 });
});

test('a hub that says nothing is not waited for for ever', async () => {
  sees('i-hub1', '198.51.100.9:4000');
  await clock.advance(directWaitMs + directGatherMs);
  expect(reported).toMatchObject([{ natKind: 'cone', complete: false }]);
});

describe('a place that becomes free', () => {
  beforeEach(async () => {
    sees('i-hub1', '198.51.100.9:4000');
    sees('i-hub2', '198.51.100.9:4000');
    await clock.advance(directGatherMs);
    expect(reported).toHaveLength(1);
  });

  test('is given to a spoke that was seen before', async () => {
    changes(withEndpoint, { ...withEndpoint, tags: ['changed'] });
    await clock.advance(directGatherMs);
    expect(reported).toHaveLength(1);
    endpoints.onDelta({ kind: 'peer_removed', network: networkModel(), before: withEndpoint });
    await clock.advance(directGatherMs);
    expect(reported).toHaveLength(2);
    expect(reported[1]).toEqual(reported[0]);
  });

  test('is not for one whose key is retired', async () => {
    changes(base, { ...base, directKey: 'new key' });
    endpoints.onDelta({ kind: 'peer_removed', network: networkModel(), before: withEndpoint });
    await clock.advance(directGatherMs);
    expect(reported).toHaveLength(1);
  });

  test('is not for one that every hub sees elsewhere by now', async () => {
    sees('i-hub2', '198.51.100.9:4001');
    await clock.advance(directGatherMs);
    endpoints.onDelta({ kind: 'peer_removed', network: networkModel(), before: withEndpoint });
    await clock.advance(directGatherMs);
    expect(reported.map(({ natKind }) => natKind)).toEqual(['cone', 'symmetric']);
  });
});

test('an endpoint that no other machine can call is not reported, whoever sees it [9.8]', async () => {
  for (const endpoint of ['127.0.0.1:4000', '224.0.0.1:4000', '[fe80::9]:4000', '[fd00::9]:4000']) {
    sees('i-hub1', endpoint);
    sees('i-hub2', endpoint);
    await clock.advance(directWaitMs + directGatherMs);
  }
  expect(reported).toEqual([]);
});

test('hubs that name another endpoint every second send others to few of them [9.8]', async () => {
  writes = true;
  const hourS = 3600;
  for (let second = 0; second < hourS; second++) {
    const endpoint = `198.51.100.9:${10_000 + second}`;
    sees('i-hub1', endpoint);
    sees('i-hub2', endpoint);
    await clock.advance(1000);
  }
  expect(reported.length).toBeGreaterThan(5);
  expect(reported.length).toBeLessThanOrEqual(17);
});

test('other keys, and what spokes see, mean nothing', async () => {
  sees('i-hub1', '198.51.100.9:4000', 'transit key');
  sees('i-spoke', '198.51.100.9:4000');
  await clock.advance(directWaitMs * 2);
  expect(reported).toEqual([]);
});

test('endpoints of different families are not compared', () => {
  expect(endpointOf(['198.51.100.9:1', '[2001:db8::9]:1'])?.natKind).toBe('cone');
  expect(endpointOf(['198.51.100.9:1', '198.51.100.9:1', '[2001:db8::9]:1'])?.endpoint).toBe(
    '198.51.100.9:1',
  );
  expect(endpointOf([])).toBeNull();
});
