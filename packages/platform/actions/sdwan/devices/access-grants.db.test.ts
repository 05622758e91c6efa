// Access grants over a real database: the secret is shown once, and lets one device in, also when many come at once.
import { randomBytes } from 'node:crypto';
import type { AccessGrant } from '@powernode/core/intent/user-device';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { inPlatform } from '../../../store/tenancy.ts';
import { code, type Device, DeviceScene, type Grant, key, secretOf } from './device-scene.fixture.ts';

let scene: DeviceScene;
beforeAll(async () => {
  scene = await DeviceScene.start();
});
afterAll(() => scene.platform.close());
beforeEach(() => scene.renew());

describe('an access grant', () => {
  test('shows its secret once, behind # of an address of the console', async () => {
    const grant = await scene.makeGrant({ tags: ['sales', 'phones'] });
    expect(grant.bootstrap_url).toMatch(/^https:\/\/192\.0\.2\.1\/bootstrap#pnb_[\w-]{43}$/);
    expect(grant).toMatchObject({ status: 'unused', tags: ['phones', 'sales'], user_device_id: null });
    const secret = secretOf(grant);
    const everything = await inPlatform(scene.platform.store, async (trx) => [
      await trx.selectFrom('access_grants').selectAll().execute(),
      await trx.selectFrom('events').selectAll().execute(),
    ]);
    expect(JSON.stringify(everything)).not.toContain(secret);
    const shown = await scene.run('getAccessGrant', { access_grant_id: grant.id });
    expect(JSON.stringify(shown)).not.toContain('pnb_');
  });

  test('a dry run makes no secret', async () => {
    const tried = await scene.makeGrant({ dry_run: true });
    expect(tried.bootstrap_url).not.toContain('pnb_');
    expect(await code(scene.run('getAccessGrant', { access_grant_id: tried.id }))).toBe('not_found');
  });

  test('that waited for an approval is shown once, to whoever asked for it [9.2]', async () => {
    await scene.run('setPolicy', { category: 'sdwan.access_grant_create', mode: 'require_approval' });
    const waiting = await scene.run<{ deferred_operation: { id: string } }>('createAccessGrant', {
      network_id: scene.networkId,
      device_name_hint: 'phone',
    });
    await scene.run('setPolicy', { category: 'sdwan.access_grant_create', mode: 'notify_and_proceed' });
    const approvalId = waiting.deferred_operation.id;
    const decided = await scene.run('decideApproval', { approval_id: approvalId, decision: 'approve' });
    expect(JSON.stringify(decided)).not.toContain('pnb_');
    const fetch = () =>
      scene.run<{ approval: { result: { access_grant: Grant } } }>('getApproval', {
        approval_id: approvalId,
      });
    const grant = (await fetch()).approval.result.access_grant;
    expect(await code(scene.inspect(secretOf(grant)))).toBe('none');
    const kept = JSON.stringify(await fetch());
    expect(kept).toContain(grant.id);
    expect(kept).not.toContain('pnb_');
  });

  test('is listed by its status', async () => {
    const [unused, used, revoked, expired] = [
      await scene.makeGrant(),
      await scene.makeGrant(),
      await scene.makeGrant(),
      await scene.makeGrant(),
    ];
    await scene.issue(used);
    await scene.run('revokeAccessGrant', { access_grant_id: revoked.id, approve: true });
    await scene.backdate(expired.id);
    for (const [status, grant] of Object.entries({ unused, used, revoked, expired })) {
      const listed = await scene.run<{ access_grants: AccessGrant[] }>('listAccessGrants', {
        network_id: scene.networkId,
        status,
      });
      expect(listed.access_grants.map((one) => [one.id, one.status])).toEqual([[grant.id, status]]);
    }
  });

  test('that a device has used cannot be revoked: the device can', async () => {
    const grant = await scene.makeGrant();
    const device = await scene.issue(grant);
    const refused = scene.run('revokeAccessGrant', { access_grant_id: grant.id, approve: true });
    await expect(refused).rejects.toMatchObject({
      code: 'conflict',
      members: { user_device_id: device.id },
    });
  });
});

describe('a grant is used up once', () => {
  test('of twenty that come at once with its secret exactly one gets in', async () => {
    const grant = await scene.makeGrant();
    const codes = await Promise.all(Array.from({ length: 20 }, () => code(scene.fetchThrough(grant))));
    expect(codes.filter((one) => one === 'none')).toHaveLength(1);
    expect(codes.filter((one) => one === 'conflict')).toHaveLength(19);
    const { user_devices: devices } = await scene.run<{ user_devices: Device[] }>('listUserDevices', {
      network_id: scene.networkId,
    });
    expect(devices).toHaveLength(1);
  });

  test('a page that lost the answer gets it again when it says that it is the same, while the grant lasts', async () => {
    const grant = await scene.makeGrant();
    const same = { publicKey: key(), idempotencyKey: 'of-this-page' };
    const { publicKey } = same;
    const told = await scene.fetchThrough(grant, { ...same, name: 'Ada' });
    expect(await scene.fetchThrough(grant, same)).toEqual(told);
    const others = [{ publicKey }, { ...same, idempotencyKey: 'of-another' }, { ...same, publicKey: key() }];
    for (const other of others) expect(await code(scene.fetchThrough(grant, other))).toBe('conflict');
    const { user_devices: devices } = await scene.run<{ user_devices: Device[] }>('listUserDevices', {
      network_id: scene.networkId,
    });
    expect(devices).toMatchObject([{ public_key: publicKey, revision: 1 }]);
    await scene.backdate(grant.id);
    expect(await code(scene.fetchThrough(grant, same))).toBe('conflict');
  });

  test('a device that was revoked is told nothing more by its page', async () => {
    const grant = await scene.makeGrant();
    const same = { publicKey: key(), idempotencyKey: 'of-this-page' };
    await scene.fetchThrough(grant, same);
    const { user_device_id: id } = (
      await scene.run<{ access_grant: { user_device_id: string } }>('getAccessGrant', {
        access_grant_id: grant.id,
      })
    ).access_grant;
    await scene.run('revokeUserDevice', { user_device_id: id, approve: true });
    expect(await code(scene.fetchThrough(grant, same))).toBe('conflict');
  });

  test('nor does an operator get a second one in, whichever came first', async () => {
    const grant = await scene.makeGrant();
    const codes = await Promise.all([
      code(scene.fetchThrough(grant)),
      code(scene.issue(grant)),
      code(scene.issue(grant)),
      code(scene.fetchThrough(grant)),
    ]);
    expect(codes.filter((one) => one === 'none')).toHaveLength(1);
  });

  test('who has its secret is told what became of it; who guesses is told nothing', async () => {
    const [used, expired, revoked] = [
      await scene.makeGrant(),
      await scene.makeGrant(),
      await scene.makeGrant(),
    ];
    await scene.issue(used);
    await scene.backdate(expired.id);
    await scene.run('revokeAccessGrant', { access_grant_id: revoked.id, approve: true });
    for (const [status, grant] of Object.entries({ used, expired, revoked })) {
      const asked = scene.inspect(secretOf(grant));
      await expect(asked).rejects.toMatchObject({
        code: 'conflict',
        members: { access_grant_status: status },
      });
      expect(await code(scene.fetchThrough(grant))).toBe('conflict');
    }
    const answers = await Promise.all(
      [`pnb_${randomBytes(32).toString('base64url')}`, 'pnb_', '', secretOf(used).slice(0, -1)].map((token) =>
        scene.bootstrap
          .inspect({ token, source: scene.freshSource() })
          .catch((error: object) => ({ ...error })),
      ),
    );
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(answers[0]).toMatchObject({ code: 'not_found' });
  });

  test('guesses from one address are answered 429 after a while, and a right secret is not [9.24]', async () => {
    const source = '2001:db8:1:2::1';
    const codes: string[] = [];
    for (let i = 0; i < 60 && codes.at(-1) !== 'rate_limited'; i++) {
      codes.push(await code(scene.bootstrap.inspect({ token: 'pnb_guess', source })));
    }
    expect(codes.at(-1)).toBe('rate_limited');
    // Whoever has one address of a /64 has all of them; elsewhere one goes on.
    expect(await code(scene.bootstrap.inspect({ token: 'pnb_guess', source: '2001:db8:1:2:9::9' }))).toBe(
      'rate_limited',
    );
    const grant = await scene.makeGrant();
    expect(await code(scene.inspect(secretOf(grant)))).toBe('none');
    // Whoever has the right one gets in from there all the same.
    expect(await code(scene.bootstrap.inspect({ token: secretOf(grant), source }))).toBe('none');
  });

  test('asking what it is for does not use it', async () => {
    const grant = await scene.makeGrant();
    const asked = await scene.inspect(secretOf(grant));
    expect(asked).toEqual({
      device_name_hint: 'phone',
      network_name: expect.stringMatching(/^office/),
      expires_at: grant.expires_at,
    });
    expect((await scene.fetchThrough(grant)).name).toBe('phone');
  });

  test('a policy that wants a person shuts the page, and an operator may still issue', async () => {
    for (const mode of ['require_approval', 'blocked']) {
      await scene.run('setPolicy', { category: 'sdwan.user_device_issue', mode });
      const grant = await scene.makeGrant();
      expect(await code(scene.fetchThrough(grant))).toBe('policy_blocked');
      await scene.run('setPolicy', { category: 'sdwan.user_device_issue', mode: 'notify_and_proceed' });
      expect((await scene.issue(grant)).status).toBe('active');
    }
  });
});
