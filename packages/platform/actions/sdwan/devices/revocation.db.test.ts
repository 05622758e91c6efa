// A revocation takes a device from its hub at once, and only counts as done when the hub has applied that.
import type { UserDevice } from '@powernode/core/intent/user-device';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { inPlatform } from '../../../store/tenancy.ts';
import { code, type Device, DeviceScene } from './device-scene.fixture.ts';

let scene: DeviceScene;
beforeAll(async () => {
  scene = await DeviceScene.start();
});
afterAll(() => scene.platform.close());
beforeEach(() => scene.renew());

describe('a revocation', () => {
  const applied = (machine: string, revision: number) => {
    // What the hub's stream does when it acknowledges.
    const node = (
      scene.platform.delivery as unknown as { dispatcher: { nodes: Map<string, { applied: object | null }> } }
    ).dispatcher.nodes.get(machine);
    if (node !== undefined) node.applied = { revision, hash: 'whatever' };
  };
  const machineOf = (device: Device) =>
    scene.platform.delivery.network(scene.networkId)?.peer(device.hub_peer_id)?.instanceId ?? '';

  test('takes the device from its hub at once, and counts as done when the hub has applied that', async () => {
    const device = await scene.issue(await scene.makeGrant());
    const machine = machineOf(device);
    const { user_device: revoked } = await scene.run<{ user_device: UserDevice }>('revokeUserDevice', {
      user_device_id: device.id,
      approve: true,
    });
    // No agent runs there, so nothing is claimed.
    expect(revoked).toMatchObject({ status: 'revoked', revoked_on: { done: 0, of: 1 } });
    const document = scene.platform.delivery.network(scene.networkId)?.compile(machine) ?? [];
    expect(JSON.stringify(document.map((entry) => entry.value))).not.toContain(device.public_key);
    const { desiredRevision } = scene.platform.delivery.nodeDelivery(machine);
    applied(machine, desiredRevision - 1);
    expect((await scene.getDevice(device.id)).revoked_on).toEqual({ done: 0, of: 1 });
    applied(machine, desiredRevision);
    expect((await scene.getDevice(device.id)).revoked_on).toEqual({ done: 1, of: 1 });
  });

  test('answers as soon as the hub says so', async () => {
    const device = await scene.issue(await scene.makeGrant());
    const machine = machineOf(device);
    const { call, bus } = scene.platform;
    const stop = bus.subscribe((message) => {
      if (message.kind === 'changed') applied(machine, message.sequence);
    });
    const { user_device: revoked } = (await call('revokeUserDevice', {
      user_device_id: device.id,
      approve: true,
    })) as unknown as { user_device: UserDevice };
    stop();
    expect(revoked.revoked_on).toEqual({ done: 1, of: 1 });
  });

  test('counts on a hub that another process serves by what that one has written', async () => {
    const device = await scene.issue(await scene.makeGrant());
    const machine = machineOf(device);
    await scene.run('revokeUserDevice', { user_device_id: device.id, approve: true });
    const { desiredRevision } = scene.platform.delivery.nodeDelivery(machine);
    await inPlatform(scene.platform.store, (trx) =>
      trx
        .updateTable('instances')
        .set({ applied_revision: desiredRevision })
        .where('id', '=', machine)
        .execute(),
    );
    expect((await scene.getDevice(device.id)).revoked_on).toEqual({ done: 1, of: 1 });
  });

  test('counts on hubs that the device had before too, as long as they may still know its key', async () => {
    const first = await scene.issue(await scene.makeGrant());
    const formerly = machineOf(first);
    await scene.run('drainInstance', { instance_id: formerly });
    const again = () => scene.makeGrant({ user_device_id: first.id });
    const moved = await scene.issue(await again(), { public_key: first.public_key });
    const machine = machineOf(moved);
    expect(machine).not.toBe(formerly);
    const taken = scene.platform.delivery.nodeDelivery(formerly).desiredRevision;
    await scene.run('revokeUserDevice', { user_device_id: first.id, approve: true });
    expect((await scene.getDevice(first.id)).revoked_on).toEqual({ done: 0, of: 2 });
    applied(machine, scene.platform.delivery.nodeDelivery(machine).desiredRevision);
    expect((await scene.getDevice(first.id)).revoked_on).toEqual({ done: 1, of: 2 });
    applied(formerly, taken - 1);
    expect((await scene.getDevice(first.id)).revoked_on).toEqual({ done: 1, of: 2 });
    applied(formerly, taken);
    expect((await scene.getDevice(first.id)).revoked_on).toEqual({ done: 2, of: 2 });
  });

  test('asks nothing of a former hub that had let go of it before', async () => {
    const first = await scene.issue(await scene.makeGrant());
    const formerly = machineOf(first);
    await scene.run('drainInstance', { instance_id: formerly });
    await scene.issue(await scene.makeGrant({ user_device_id: first.id }), { public_key: first.public_key });
    applied(formerly, scene.platform.delivery.nodeDelivery(formerly).desiredRevision);
    await scene.run('revokeUserDevice', { user_device_id: first.id, approve: true });
    expect((await scene.getDevice(first.id)).revoked_on).toEqual({ done: 0, of: 1 });
  });

  test('that is approved answers as soon as the hub says so, too', async () => {
    const device = await scene.issue(await scene.makeGrant());
    const machine = machineOf(device);
    const { deferred_operation: asked } = await scene.run<{ deferred_operation: { id: string } }>(
      'revokeUserDevice',
      { user_device_id: device.id },
    );
    const stop = scene.platform.bus.subscribe((message) => {
      if (message.kind === 'changed') applied(machine, message.sequence);
    });
    const { approval } = await scene.run<{
      approval: { status: string; result: { user_device: UserDevice } };
    }>('decideApproval', { approval_id: asked.id, decision: 'approve' });
    stop();
    expect(approval.status).toBe('approved');
    expect(approval.result.user_device.revoked_on).toEqual({ done: 1, of: 1 });
  });

  test('is final, and the address rests before somebody else gets it', async () => {
    const device = await scene.issue(await scene.makeGrant());
    await scene.run('revokeUserDevice', { user_device_id: device.id, approve: true });
    expect(await code(scene.run('updateUserDevice', { user_device_id: device.id, name: 'x' }))).toBe(
      'conflict',
    );
    expect(await code(scene.issue(await scene.makeGrant(), { user_device_id: device.id }))).toBe('conflict');
    expect((await scene.issue(await scene.makeGrant())).host_address).not.toBe(device.host_address);
    const resting = await inPlatform(scene.platform.store, (trx) =>
      trx
        .selectFrom('address_quarantine')
        .select('host_address')
        .where('instance_id', '=', device.id)
        .orderBy('host_address')
        .execute(),
    );
    expect(resting.map((row) => row.host_address)).toEqual(
      [device.ipv4_address, device.host_address].sort((a, b) => ((a ?? '') < (b ?? '') ? -1 : 1)),
    );
    expect((await scene.getDevice(device.id)).config).toMatch(/^# This device is revoked/);
  });

  test('waits for an approval, unless one decides in the same breath', async () => {
    const device = await scene.issue(await scene.makeGrant());
    const answer = await scene.run<{ pending?: boolean }>('revokeUserDevice', { user_device_id: device.id });
    expect(answer.pending).toBe(true);
    expect((await scene.getDevice(device.id)).status).toBe('active');
  });
});
