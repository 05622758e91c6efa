// People's devices: granted access by an address that is shown once, issued again, shut out.
import { pageSizeMax } from '@powernode/core/limits/requests';
import { encode } from 'uqr';
import { expect, it } from 'vitest';
import { idOf } from './fake/ids.ts';
import { replace, stored } from './fake/world.ts';
import { useStage } from './stage.ts';

const stage = useStage();
const network = `/networks/${idOf(501)}`;

it('access is granted by an address that is shown once, also as a QR code', () =>
  stage.on(`${network}?view=devices`, async (page, platform) => {
    await page.getByRole('button', { name: 'New access grant' }).click();
    const dialog = page.getByRole('dialog', { name: 'New access grant' });
    await dialog.getByLabel('Tags').fill('no/tag ');
    await dialog.getByRole('button', { name: 'Create access grant' }).click();
    await dialog.getByText('must not be empty').first().waitFor();
    expect(await dialog.getByLabel('Tags').getAttribute('aria-invalid')).toBe('true');
    await dialog.getByLabel('Device name').fill('Tom’s phone');
    await dialog.getByRole('button', { name: 'Remove tag no/tag' }).click();
    await dialog.getByLabel('Tags').fill('sales ');
    await dialog.getByLabel('Valid for').selectOption('3600');
    await dialog.getByRole('button', { name: 'Create access grant' }).click();
    const url = await dialog.locator('[data-secret]').innerText();
    expect(url).toMatch(/^https:\/\/\S+#\S+$/);
    // It is nowhere else, so a slip of the hand does not take it away.
    await page.keyboard.press('Escape');
    await page.mouse.click(5, 5);
    await dialog.getByRole('button', { name: 'Copy the bootstrap URL' }).click();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(url);
    // Each dark module of the code is one unit of the drawn area.
    const { data, size } = encode(url, { ecc: 'M', border: 4 });
    const code = dialog.getByRole('img', { name: 'QR code of the bootstrap URL for Tom’s phone' });
    expect(await code.getAttribute('viewBox')).toBe(`0 0 ${size} ${size}`);
    const drawn = (await code.locator('path').getAttribute('d'))?.matchAll(/h(\d+)v1/g) ?? [];
    const dark = data.flat().filter((module) => module).length;
    expect([...drawn].reduce((sum, match) => sum + Number(match[1]), 0)).toBe(dark);
    await dialog.getByText('Waiting for the device…').waitFor();
    // The person opens the page: the device is there, and the operator sees it.
    const grant = platform.world.accessGrants.at(-1);
    const like = platform.world.userDevices[0];
    if (grant === undefined || like === undefined) throw new Error('nothing was granted');
    const device = { ...like, ...stored(idOf(3290), 0), name: 'Tom’s phone' };
    platform.world.userDevices.push(device);
    replace(platform.world.accessGrants, { ...grant, status: 'used', user_device_id: device.id });
    platform.emit('sdwan.user_device.issued', { before: null, after: device });
    await dialog.getByRole('link', { name: 'Tom’s phone' }).click();
    await page.getByRole('dialog', { name: 'Tom’s phone' }).getByText('Public key').waitFor();
    await page.keyboard.press('Escape');
    expect(await page.getByText(url).count()).toBe(0);
    expect(grant).toMatchObject({ device_name_hint: 'Tom’s phone', tags: ['sales'] });
    expect(page.url()).not.toContain('#');
  }));

it('a grant that waited shows its address once, to whoever asked for it [9.2]', () =>
  stage.on(`${network}?view=devices`, async (page, platform) => {
    platform.modes.set('sdwan.access_grant_create', 'require_approval');
    await page.getByRole('button', { name: 'New access grant' }).click();
    await page.getByLabel('Device name').fill('a visitor’s phone');
    await page.getByRole('button', { name: 'Create access grant' }).click();
    await page.getByRole('link', { name: 'Open the request' }).click();
    await page.getByRole('button', { name: 'Approve' }).click();
    await page.getByRole('button', { name: 'Approve and run' }).click();
    await page.getByRole('button', { name: 'Show the secret' }).click();
    await page.getByText('Shown only once').waitFor();
    await page.keyboard.press('Escape');
    await page.mouse.click(5, 5);
    expect(await page.locator('[data-secret]').innerText()).toMatch(/^https:\/\/\S+#\S+$/);
    await page.getByRole('button', { name: 'I have copied it' }).click();
    await page.getByText('approved', { exact: true }).first().waitFor();
    await page.getByText('It was shown to the requester.').waitFor();
    expect(await page.getByRole('button', { name: 'Show the secret' }).count()).toBe(0);
    expect(platform.world.accessGrants.at(-1)?.device_name_hint).toBe('a visitor’s phone');
  }));

it('a grant is revoked', () =>
  stage.on(`${network}?view=devices`, async (page) => {
    const row = page.getByRole('row').filter({ hasText: 'Maria’s laptop' });
    await row.getByRole('button', { name: 'Revoke' }).click();
    await page.getByText('No instance changes.').waitFor();
    await page.getByLabel('Approve now').check();
    await page.getByRole('button', { name: 'Revoke access grant' }).click();
    await row.getByText('revoked').waitFor();
    expect(await row.getByRole('button', { name: 'Revoke' }).count()).toBe(0);
  }));

it('a device is shut out, and one sees on how many hubs that is done', () =>
  stage.on(`${network}?view=devices`, async (page, platform) => {
    await page.getByRole('row').filter({ hasText: 'Ada’s phone' }).filter({ hasText: '::d0' }).click();
    const sheet = page.getByRole('dialog', { name: 'Ada’s phone' });
    await sheet.getByRole('button', { name: 'Revoke' }).click();
    const dialog = page.getByRole('dialog', { name: 'Revoke Ada’s phone' });
    await dialog.getByText('2 instances change').waitFor();
    await dialog.getByLabel('Approve now').check();
    await dialog.getByRole('button', { name: 'Revoke device' }).click();
    await sheet.getByText('Revoked on 0 of 2 hubs').waitFor();
    await sheet.getByText('revoked on 0 of 2', { exact: true }).waitFor();
    const device = platform.world.userDevices[0];
    if (device === undefined) throw new Error('no device');
    for (const done of [1, 2]) {
      replace(platform.world.userDevices, { ...device, revoked_on: { done, of: 2 } });
      await sheet.getByText(`Revoked on ${done} of 2 hubs`).waitFor();
    }
    await sheet.getByText('revoked', { exact: true }).waitFor();
    expect(await sheet.getByRole('button', { name: 'Reissue' }).count()).toBe(0);
  }));

it('a device whose network has changed says so, and is issued again with the same keys', () =>
  stage.on(`${network}?view=devices`, async (page, platform) => {
    const row = page.getByRole('row').filter({ hasText: '::d1' });
    await row.getByText('out of date').waitFor();
    await row.click();
    const sheet = page.getByRole('dialog', { name: 'Jonas’ laptop' });
    await sheet.getByText('Its hub has another endpoint. Reissue the device.').waitFor();
    expect((await sheet.innerText()).split('Reissue the device.')).toHaveLength(2);
    await sheet.getByRole('button', { name: 'Reissue' }).click();
    await page.getByRole('button', { name: 'Keep keys' }).click();
    const dialog = page.getByRole('dialog', { name: 'Jonas’ laptop is reissued' });
    await dialog.getByText('PrivateKey = <the private key').waitFor();
    await page.keyboard.press('Escape');
    await dialog.getByRole('button', { name: 'I have copied it' }).click();
    await sheet.getByText('active', { exact: true }).waitFor();
    expect(platform.world.accessGrants.at(-1)).toMatchObject({ status: 'used', user_device_id: idOf(3201) });
    await sheet.getByRole('button', { name: 'Reissue' }).click();
    await page.getByRole('button', { name: 'New keys' }).click();
    const grant = page.getByRole('dialog', { name: 'New keys for Jonas’ laptop' });
    await grant.getByRole('button', { name: 'Create access grant' }).click();
    await grant.getByText('Waiting for the device…').waitFor();
    expect(platform.world.accessGrants.at(-1)).toMatchObject({
      status: 'unused',
      user_device_id: idOf(3201),
      device_name_hint: 'Jonas’ laptop',
    });
  }));

it('where issuing waits for approval, its grant lives until that is given', () =>
  stage.on(`${network}?view=devices&user_device=${idOf(3201)}`, async (page, platform) => {
    platform.modes.set('sdwan.user_device_issue', 'require_approval');
    const before = platform.world.accessGrants.length;
    await page.getByRole('button', { name: 'Reissue' }).click();
    await page.getByRole('button', { name: 'Keep keys' }).click();
    await page.getByRole('button', { name: 'Keep keys' }).waitFor({ state: 'detached' });
    const [grant, ...more] = platform.world.accessGrants.slice(before);
    const approval = platform.world.approvals.find((one) => one.action.endsWith('issue_user_device'));
    expect(more).toEqual([]);
    expect(grant).toMatchObject({ status: 'unused', user_device_id: idOf(3201) });
    expect(Date.parse(grant?.expires_at ?? '')).toBeGreaterThan(Date.parse(approval?.expires_at ?? ''));
  }));

it('a device is renamed and tagged', () =>
  stage.on(`${network}?view=devices&user_device=${idOf(3200)}`, async (page, platform) => {
    const sheet = page.getByRole('dialog', { name: 'Ada’s phone' });
    await sheet.getByRole('button', { name: 'Edit' }).click();
    await sheet.getByLabel('Name').fill('');
    await sheet.getByRole('button', { name: 'Save' }).click();
    await sheet.getByText('must not be empty').first().waitFor();
    await sheet.getByLabel('Name').fill('Ada’s new phone');
    await sheet.getByLabel('Tags').fill('phones ');
    await sheet.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('dialog', { name: 'Ada’s new phone' }).getByText('phones').waitFor();
    expect(platform.world.userDevices[0]?.tags).toEqual(['admin', 'phones']);
  }));

it('devices are counted at their hub in the topology', () =>
  stage.on(network, async (page, platform) => {
    const hub1 = page.locator('[data-spot]').filter({ hasText: 'hub1' }).first();
    await hub1.filter({ hasText: '2 devices' }).waitFor();
    const [device] = platform.world.userDevices;
    platform.answer('system_sdwan_revoke_user_device', { user_device_id: device?.id, approve: true });
    await hub1.filter({ hasText: '1 device' }).waitFor();
    // Two spokes that meet without a hub.
    await page.locator('.react-flow__edge [data-kind="shortcut"]').waitFor({ state: 'attached' });
  }));

it('devices are counted in the topology without reading all of them', () =>
  stage.on('/networks', async (page, platform) => {
    const [like] = platform.world.userDevices;
    if (like === undefined) throw new Error('no device');
    for (let n = 0; n < pageSizeMax; n++) {
      platform.world.userDevices.push({ ...like, ...stored(idOf(50_000 + n), 0) });
    }
    let pages = 0;
    page.on('request', (request) => {
      if (request.url().endsWith('system_sdwan_list_user_devices')) pages++;
    });
    await page.getByRole('link', { name: 'office' }).click();
    await page.locator('[data-badge="devices"]').filter({ hasText: '50' }).first().waitFor();
    expect(pages).toBe(0);
    await page.getByRole('link', { name: 'Devices' }).click();
    await page.getByText('503 devices', { exact: true }).waitFor();
    expect(pages).toBe(2);
  }));
