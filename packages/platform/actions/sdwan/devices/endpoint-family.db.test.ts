// Which endpoint of which hub a device gets, by the address family that its bootstrap page was opened by.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { DeviceScene, key, secretOf } from './device-scene.fixture.ts';

let scene: DeviceScene;
beforeAll(async () => {
  scene = await DeviceScene.start();
});
afterAll(() => scene.platform.close());
beforeEach(() => scene.renew());

const phone = '2001:db8:5::7';

async function through(source: string, more: { endpointFamily?: 'ipv4' | 'ipv6' } = {}) {
  const grant = await scene.makeGrant();
  const about = { publicKey: key(), name: null, idempotencyKey: 'same', correlationId: 'test', ...more };
  const ask = () => scene.bootstrap.issue({ token: secretOf(grant), source, ...about });
  const answer = await ask();
  // An answer that was lost is given again.
  expect(await ask()).toEqual(answer);
  return { ...answer, endpoint: /^Endpoint = (\S+)$/m.exec(answer.config)?.[1] };
}

/** Of the hubs of the network in their order; undefined: as it is. */
async function endpoints(...lists: (readonly string[] | undefined)[]): Promise<void> {
  for (const [i, list] of lists.entries()) {
    if (list === undefined) continue;
    await scene.run('updatePeer', { peer_id: scene.hubIds[i], endpoint_addresses: list });
  }
}

const ipv4 = (n: number) => `203.0.113.${n}:51820`;
const ipv6 = (n: number) => `[2001:db8::${n}]:51820`;

test('a phone with IPv6 only gets the IPv6 endpoint of a hub whose first one is IPv4 [9.29]', async () => {
  await endpoints([ipv4(1), ipv6(1)], [ipv4(2), ipv6(2)]);
  const six = await through(phone);
  expect([ipv6(1), ipv6(2)]).toContain(six.endpoint);
  expect(six.endpoint_warning).toBeNull();
  for (const source of ['198.51.100.7', '::ffff:198.51.100.7', '127.0.0.1', '::1']) {
    const four = await through(source);
    expect([ipv4(1), ipv4(2)], source).toContain(four.endpoint);
    // A proxy on this machine says nothing of the device.
    const isKnown = source.includes('198.51.100.7');
    expect(four.endpoint_warning === null, source).toBe(isKnown);
  }
  const { user_devices: devices } = await scene.run<{ user_devices: { status: string }[] }>(
    'listUserDevices',
    {
      network_id: scene.networkId,
    },
  );
  expect(devices.map(({ status }) => status)).toEqual(['active', 'active', 'active', 'active', 'active']);
});

test('it goes to the hub that has the family, and is warned where none has [9.29]', async () => {
  await endpoints([ipv4(1)], [ipv4(2), ipv6(2)]);
  for (let i = 0; i < 4; i++) expect((await through(phone)).endpoint).toBe(ipv6(2));
  await endpoints(undefined, [ipv4(2)]);
  const lost = await through(phone);
  expect([ipv4(1), ipv4(2)]).toContain(lost.endpoint);
  expect(lost.endpoint_warning).toMatch(/is reachable over IPv4 only, and this request came over IPv6/);
  const { user_devices: devices } = await scene.run<{
    user_devices: { status: string; stale_reason: string | null }[];
  }>('listUserDevices', { network_id: scene.networkId, status: 'stale' });
  // Those that had the endpoint that is gone.
  expect(devices).toHaveLength(4);
  expect(devices[0]?.stale_reason).toContain('new endpoint');
});

interface Issued {
  readonly user_device: { readonly id: string; readonly config: string };
  readonly endpoint_warning: string | null;
}

async function issued(more: object = {}): Promise<Issued> {
  const grant = await scene.makeGrant();
  const about = { network_id: scene.networkId, access_grant_id: grant.id, public_key: key() };
  return scene.run<Issued>('issueUserDevice', { ...about, ...more });
}

test('one that an operator issues is warned of the family that it needs, or gets the one that is named [9.29]', async () => {
  await endpoints([ipv4(1)], [ipv4(2), ipv6(2)]);
  const first = await issued();
  expect(first.endpoint_warning).toMatch(
    /uses an IPv4 endpoint of the hub .*If it has no IPv4, .*reissue it with endpoint_family ipv6/,
  );
  for (const [endpoint_family, ends] of [
    ['ipv6', [ipv6(2)]],
    ['ipv4', [ipv4(1), ipv4(2)]],
  ] as const) {
    const chosen = await issued({ endpoint_family });
    expect(ends).toContain(/^Endpoint = (\S+)$/m.exec(chosen.user_device.config)?.[1]);
    expect(chosen.endpoint_warning).toBeNull();
  }
  await endpoints(undefined, [ipv4(2)]);
  await expect(issued({ endpoint_family: 'ipv6' })).rejects.toMatchObject({
    code: 'conflict',
    fields: [{ path: 'endpoint_family' }],
  });
});

test('one behind a proxy of this machine is warned, and may name the family itself [9.33]', async () => {
  await endpoints([ipv4(1)], [ipv4(2), ipv6(2)]);
  expect((await through('127.0.0.1')).endpoint_warning).toMatch(/nothing shows which address families/);
  const six = await through('127.0.0.1', { endpointFamily: 'ipv6' });
  expect(six).toMatchObject({ endpoint: ipv6(2), endpoint_warning: null });
});
