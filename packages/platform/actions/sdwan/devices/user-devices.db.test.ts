// Devices over a real database: what they are given, which keys are refused, and what makes them outdated.
import { generateKeyPairSync } from 'node:crypto';
import type { AccessGrant, UserDevice } from '@powernode/core/intent/user-device';
import { privateKeyPlaceholder } from '@powernode/core/wire/bootstrap';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { followObserved } from '../../../coordination/system-actor.ts';
import { inAccount, inPlatform } from '../../../store/tenancy.ts';
import { followObservation } from '../observed/machine.ts';
import { code, DeviceScene, type Grant, key } from './device-scene.fixture.ts';

let scene: DeviceScene;
beforeAll(async () => {
  scene = await DeviceScene.start();
});
afterAll(() => scene.platform.close());
beforeEach(() => scene.renew());

describe('a device', () => {
  test('gets addresses, a hub and a configuration that carries the whole network', async () => {
    const publicKey = key();
    const device = await scene.fetchThrough(await scene.makeGrant(), { publicKey, name: "Ada's phone" });
    const { network } = await scene.run<{ network: { prefix: string; ipv4_prefix: string; mtu: number } }>(
      'getNetwork',
      {
        network_id: scene.networkId,
      },
    );
    const {
      user_devices: [shown],
    } = await scene.run<{ user_devices: UserDevice[] }>('listUserDevices', {
      network_id: scene.networkId,
    });
    expect(shown).toMatchObject({
      name: "Ada's phone",
      public_key: publicKey,
      status: 'active',
      stale_reason: null,
      revoked_on: null,
      last_handshake_at: null,
    });
    const { peer: hub } = await scene.run<{ peer: { public_key: string; endpoint: string } }>('getPeer', {
      peer_id: shown?.hub_peer_id,
    });
    expect(device.config).toBe(
      [
        '[Interface]',
        `PrivateKey = ${privateKeyPlaceholder}`,
        `Address = ${device.host_address}/128, ${device.ipv4_address}/32`,
        `MTU = ${network.mtu}`,
        '',
        '[Peer]',
        `PublicKey = ${hub.public_key}`,
        `Endpoint = ${hub.endpoint}`,
        `AllowedIPs = ${network.prefix}, ${network.ipv4_prefix}`,
        'PersistentKeepalive = 25',
        '',
      ].join('\n'),
    );
    expect((await scene.getDevice(shown?.id ?? '')).config).toBe(device.config);
  });

  test('is let in by its hub alone, at once', async () => {
    const device = await scene.issue(await scene.makeGrant());
    const index = scene.platform.delivery.network(scene.networkId);
    const machine = index?.peer(device.hub_peer_id)?.instanceId ?? '';
    const entries = index?.compile(machine).map((entry) => entry.value) ?? [];
    expect(entries.filter((entry) => entry.kind === 'peer' && entry.peer_id === device.id)).toEqual([
      expect.objectContaining({
        public_key: device.public_key,
        allowed_ips: [`${device.host_address}/128`, `${device.ipv4_address}/32`],
      }),
    ]);
    const others = [...(index?.peers() ?? [])].filter((peer) => peer.id !== device.hub_peer_id);
    for (const other of others) {
      const theirs = JSON.stringify(index?.compile(other.instanceId).map((entry) => entry.value));
      expect(theirs).not.toContain(device.public_key);
    }
  });

  test('what a page did is told as the page having done it', async () => {
    const grant = await scene.makeGrant({ device_name_hint: 'the tablet' });
    await scene.fetchThrough(grant);
    const [event] = await scene.events('sdwan.user_device.issued');
    expect(event?.actor).toEqual({ kind: 'platform', id: null, name: 'bootstrap page of "the tablet"' });
    expect(event?.payload).toMatchObject({ before: null, after: { name: 'the tablet', status: 'active' } });
    const [used] = await scene.events('sdwan.access_grant.used');
    expect(used?.payload).toMatchObject({
      before: { id: grant.id, status: 'unused' },
      after: { status: 'used' },
    });
  });

  test('keys of other devices, of machines and of what was revoked are refused', async () => {
    const device = await scene.issue(await scene.makeGrant());
    const { peer } = await scene.run<{ peer: { public_key: string } }>('getPeer', {
      peer_id: scene.hubIds[0],
    });
    const published = await inPlatform(scene.platform.store, (trx) =>
      trx
        .selectFrom('node_keys')
        .select('public_key')
        .where('taken_at', 'is', null)
        .executeTakeFirstOrThrow(),
    );
    const grant = await scene.makeGrant();
    for (const taken of [device.public_key, peer.public_key, published.public_key]) {
      expect(await code(scene.issue(grant, { public_key: taken }))).toBe('already_exists');
    }
    await scene.run('revokeUserDevice', { user_device_id: device.id, approve: true });
    expect(await code(scene.issue(grant, { public_key: device.public_key }))).toBe('already_exists');
    expect((await scene.issue(grant)).status).toBe('active');
  });

  test('the key of a device of another account is refused, for a new device and for one that is there', async () => {
    const device = await scene.issue(await scene.makeGrant());
    const elsewhere = await deviceOfAnotherAccount();
    for (const again of [{}, { user_device_id: device.id }]) {
      const issued = scene.issue(await scene.makeGrant(), { ...again, public_key: elsewhere });
      expect(await code(issued)).toBe('already_exists');
    }
    expect((await scene.getDevice(device.id)).public_key).toBe(device.public_key);
  });

  test('its tags are those of the grant, and can be changed', async () => {
    const device = await scene.issue(await scene.makeGrant({ tags: ['phones'] }));
    expect(device.tags).toEqual(['phones']);
    const { user_device: changed } = await scene.run<{ user_device: UserDevice }>('updateUserDevice', {
      user_device_id: device.id,
      tags: ['sales'],
      name: 'renamed',
      if_revision: device.revision,
    });
    expect(changed).toMatchObject({ tags: ['sales'], name: 'renamed', status: 'active' });
    const listed = (tag: string) =>
      scene.run<{ count: number }>('listUserDevices', { network_id: scene.networkId, tag });
    expect((await listed('sales')).count).toBe(1);
    expect((await listed('phones')).count).toBe(0);
  });

  test('a network without a hub cannot carry one, and says what to do', async () => {
    const { network } = await scene.run<{ network: { id: string } }>('createNetwork', {
      name: `empty ${scene.counter}`,
    });
    const { access_grant: grant } = await scene.run<{ access_grant: Grant }>('createAccessGrant', {
      network_id: network.id,
      device_name_hint: 'phone',
    });
    const refused = scene.issue(grant, { network_id: network.id });
    await expect(refused).rejects.toMatchObject({ code: 'conflict', detail: expect.stringContaining('hub') });
    // Nothing was used up by the failure.
    const { access_grant: now } = await scene.run<{ access_grant: AccessGrant }>('getAccessGrant', {
      access_grant_id: grant.id,
    });
    expect(now.status).toBe('unused');
  });

  test('a grant of one network lets nobody into another', async () => {
    const grant = await scene.makeGrant();
    const { network } = await scene.run<{ network: { id: string } }>('createNetwork', {
      name: `other ${scene.counter}`,
    });
    expect(await code(scene.issue(grant, { network_id: network.id }))).toBe('conflict');
  });
});

describe('a device is outdated', () => {
  const statusOf = async (id: string) => {
    const { status, stale_reason: reason } = await scene.getDevice(id);
    return { status, reason };
  };

  test('when its hub has a new key or place, or the network another MTU; issued again it is not', async () => {
    const device = await scene.issue(await scene.makeGrant());
    const { user_devices: active } = await scene.run<{ user_devices: UserDevice[] }>('listUserDevices', {
      network_id: scene.networkId,
      status: 'active',
    });
    expect(active.map((one) => one.id)).toEqual([device.id]);
    const changes: [string, () => Promise<unknown>][] = [
      ['key', () => scene.run('rotatePeerKey', { peer_id: device.hub_peer_id })],
      [
        'endpoint',
        () =>
          scene.run('updatePeer', { peer_id: device.hub_peer_id, endpoint_address: '203.0.113.250:51999' }),
      ],
      ['MTU', () => scene.run('updateNetwork', { network_id: scene.networkId, mtu: 1400 })],
    ];
    for (const [word, change] of changes) {
      expect(await statusOf(device.id)).toEqual({ status: 'active', reason: null });
      await change();
      const now = await statusOf(device.id);
      expect(now).toEqual({ status: 'stale', reason: expect.stringContaining(word) });
      const [event] = await scene.events('sdwan.user_device.stale');
      expect(event?.payload).toMatchObject({ count: 1, user_device_ids: [device.id], reason: now.reason });
      const { count } = await scene.run<{ count: number }>('listUserDevices', {
        network_id: scene.networkId,
        status: 'stale',
      });
      expect(count).toBe(1);
      await scene.issue(await scene.makeGrant(), { user_device_id: device.id });
    }
    const again = await scene.getDevice(device.id);
    expect(again).toMatchObject({
      status: 'active',
      host_address: device.host_address,
      ipv4_address: device.ipv4_address,
      name: device.name,
    });
    expect(again.config).toContain('MTU = 1400');
  });

  test('when its network has another IPv4 prefix; issued again it has an address of that', async () => {
    const device = await scene.issue(await scene.makeGrant());
    await scene.run('updateNetwork', { network_id: scene.networkId, ipv4_prefix: '100.127.0.0/24' });
    const now = await statusOf(device.id);
    expect(now).toEqual({ status: 'stale', reason: expect.stringContaining('addresses have changed') });
    const events = (await scene.events('sdwan.user_device.stale')).filter((event) =>
      JSON.stringify(event.payload).includes(device.id),
    );
    expect(events.map(({ payload }) => payload)).toEqual([
      expect.objectContaining({ count: 1, user_device_ids: [device.id], reason: now.reason }),
    ]);
    const again = await scene.issue(await scene.makeGrant(), { user_device_id: device.id });
    expect(again).toMatchObject({ id: device.id, host_address: device.host_address, status: 'active' });
    expect(again.ipv4_address).toMatch(/^100\.127\.0\./);
    expect(again.config).toContain(`${again.ipv4_address}/32`);
    await scene.run('updateNetwork', { network_id: scene.networkId, ipv4_prefix: null });
    expect((await scene.getDevice(device.id)).ipv4_address).toBe(null);
  });

  test('when its hub was seen to have moved, which nobody asked for', async () => {
    const device = await scene.issue(await scene.makeGrant());
    const { store, bus, services, delivery, admin } = scene.platform;
    const instanceId = delivery.network(scene.networkId)?.peer(device.hub_peer_id)?.instanceId ?? '';
    await inAccount(store, admin.accountId, (trx) =>
      trx
        .updateTable('instances')
        .set({ observed_address: '203.0.113.251', addresses: JSON.stringify(['203.0.113.251']) })
        .where('id', '=', instanceId)
        .execute(),
    );
    const followed = await followObserved(
      { store, bus, services },
      { ...admin, action: 'observed_endpoint' },
      (context) => followObservation(context, { instanceId }),
    );
    expect(followed.change?.changes).toHaveLength(1);
    expect((await statusOf(device.id)).status).toBe('stale');
    const [event] = await scene.events('sdwan.user_device.stale');
    expect(event).toMatchObject({
      actor: { kind: 'platform' },
      payload: { user_device_ids: [device.id], reason: expect.stringContaining('endpoint') },
    });
  });

  test('when its hub leaves; issued again it gets the other hub', async () => {
    const device = await scene.issue(await scene.makeGrant());
    await scene.run('detachPeer', { peer_id: device.hub_peer_id, approve: true });
    expect(await statusOf(device.id)).toEqual({
      status: 'stale',
      reason: expect.stringContaining('has left the network'),
    });
    expect((await scene.getDevice(device.id)).config).toMatch(/^# Its hub has left/);
    const left = scene.hubIds.find((id) => id !== device.hub_peer_id);
    const again = await scene.issue(await scene.makeGrant(), {
      user_device_id: device.id,
      public_key: device.public_key,
    });
    expect(again).toMatchObject({ id: device.id, hub_peer_id: left, status: 'active' });
  });

  test('a grant can be for a device: then its page issues that one again', async () => {
    const device = await scene.issue(await scene.makeGrant());
    const grant = await scene.makeGrant({ user_device_id: device.id });
    expect(grant).toMatchObject({ status: 'unused', user_device_id: device.id });
    const other = await scene.issue(await scene.makeGrant());
    expect(await code(scene.issue(grant, { user_device_id: other.id }))).toBe('conflict');
    const publicKey = key();
    const fetched = await scene.fetchThrough(grant, { publicKey });
    expect(fetched.host_address).toBe(device.host_address);
    expect(await scene.getDevice(device.id)).toMatchObject({ public_key: publicKey, name: 'phone' });
  });
});

test('keys of browsers are keys of WireGuard', async () => {
  const { publicKey } = generateKeyPairSync('x25519');
  const raw = publicKey.export({ type: 'spki', format: 'der' }).subarray(-32).toString('base64');
  expect((await scene.issue(await scene.makeGrant(), { public_key: raw })).public_key).toBe(raw);
});

async function deviceOfAnotherAccount(): Promise<string> {
  const name = `other ${scene.counter}`;
  const { platform } = scene;
  const { account } = await scene.run<{ account: { id: string } }>('createAccount', { name });
  const publicKey = key();
  const id = platform.services.newId();
  await inPlatform(platform.store, async (trx) => {
    const {
      id: _,
      account_id: __,
      name: ___,
      handle: ____,
      ...network
    } = await trx
      .selectFrom('networks')
      .selectAll()
      .where('id', '=', scene.networkId)
      .executeTakeFirstOrThrow();
    await trx
      .insertInto('networks')
      .values({ ...network, id, account_id: account.id, name, handle: `o${scene.counter}` })
      .execute();
    await trx
      .insertInto('user_devices')
      .values({
        id: platform.services.newId(),
        account_id: account.id,
        network_id: id,
        name: 'phone',
        public_key: publicKey,
        host_address: 'fd00::1',
        hub_peer_id: id,
        tags: '[]',
        taken_from: '[]',
        config_digest: '',
      })
      .execute();
  });
  return publicKey;
}
