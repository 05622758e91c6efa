// What is warned of when user devices cannot reach their hub.
import { expect, test } from 'vitest';
import { type Member, type MemberDevice, reachWarnings } from './reach-warnings.ts';

const hub = (endpoint: string, devices: readonly MemberDevice[]): Member => ({
  peerId: 'h',
  hostname: 'home',
  hubSlot: 1,
  endpoints: [endpoint],
  listenPort: 51_820,
  observedAddress: null,
  listed: [],
  families: [4],
  devices,
});
const warnings = (member: Member) => reachWarnings([member], { haveMet: () => false, fullMesh: false });

test.each([
  ['that has never connected', null],
  ['that is seen outside', '8.8.8.8:4711'],
])('a hub with a private endpoint and a device %s [9.33]', (_, seenAt) => {
  expect(warnings(hub('192.168.7.2:51820', [{ name: 'phone', seenAt }]))).toEqual([
    { code: 'endpoint_only_inside', detail: expect.stringMatching(/"home".*192\.168\.7\.2.*"phone"/) },
  ]);
});

test('devices that are inside, and hubs that are met from everywhere, are no reason [9.33]', () => {
  expect(warnings(hub('192.168.7.2:51820', [{ name: 'phone', seenAt: '192.168.7.9:4711' }]))).toEqual([]);
  expect(warnings(hub('192.168.7.2:51820', []))).toEqual([]);
  expect(warnings(hub('8.8.4.4:51820', [{ name: 'phone', seenAt: null }]))).toEqual([]);
});
