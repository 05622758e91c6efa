// Changes that an operator makes: networks, peers, machines, tokens, policies, decisions.
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { openSignedIn } from './browser.ts';
import { idOf } from './fake/ids.ts';
import type { FakePlatform } from './fake/platform.ts';
import { fakeToken } from './fake/server.ts';
import { useStage } from './stage.ts';

const stage = useStage();

async function on(path: string, run: (page: Page, platform: FakePlatform) => Promise<void>): Promise<void> {
  const { server, platform } = await stage.fresh();
  const { page, context } = await openSignedIn(stage.browser, { url: server.url, token: fakeToken });
  await page.goto(path);
  await run(page, platform);
  await context.close();
}

it('a network is made, and what is wrong stands at its field', () =>
  on('/networks', async (page, platform) => {
    await page.getByRole('button', { name: 'New network' }).first().click();
    await page.getByLabel('Name').fill('office');
    await page.getByLabel('Prefix').fill('10.0.0.1');
    await page.getByLabel('MTU').fill('many');
    await page.getByRole('button', { name: 'Make network' }).click();
    await page.getByText('is not a prefix').first().waitFor();
    expect(await page.getByLabel('Prefix').getAttribute('aria-invalid')).toBe('true');
    expect(await page.getByLabel('MTU').getAttribute('aria-invalid')).toBe('true');
    await page.getByLabel('Prefix').fill('');
    await page.getByLabel('MTU').fill('1400');
    await page.getByRole('button', { name: 'Make network' }).click();
    await page.getByText('must be unique in the account').waitFor();
    await page.getByLabel('Name').fill('annex');
    await page.getByLabel('Topology').selectOption('full_mesh');
    await page.getByRole('button', { name: 'Make network' }).click();
    await page.getByRole('heading', { name: 'annex', level: 1 }).waitFor();
    await page.getByText('No machines in this network yet').waitFor();
    expect(platform.world.networks.at(-1)).toMatchObject({
      name: 'annex',
      mtu: 1400,
      topology_strategy: 'full_mesh',
    });
  }));

it('a network is edited, but not over somebody else’s change', () =>
  on(`/networks/${idOf(501)}`, async (page, platform) => {
    await page.getByRole('button', { name: 'Edit' }).click();
    await page.getByLabel('Description').fill('The offices');
    const before = platform.world.networks[0];
    if (before !== undefined) platform.world.networks[0] = { ...before, revision: 7 };
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('It has revision 7 by now').waitFor();
    if (before !== undefined) platform.world.networks[0] = before;
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('The offices').waitFor();
  }));

it('deleting shows its plan, then waits for approval and says so', () =>
  on(`/networks/${idOf(501)}`, async (page, platform) => {
    await page.getByRole('button', { name: 'Delete' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('6 machines change').waitFor();
    await dialog.getByText('hub1').first().waitFor();
    await dialog.getByText('asks for approval').waitFor();
    expect(platform.world.networks).toHaveLength(3);
    await dialog.getByRole('button', { name: 'Ask to delete network' }).click();
    await page.getByRole('heading', { name: 'It waits for approval' }).waitFor();
    expect(platform.world.networks).toHaveLength(3);
    await page.getByRole('dialog').getByRole('link', { name: 'Open the request' }).click();
    await page.getByRole('heading', { name: 'Delete a network', level: 1 }).waitFor();
    await page.getByRole('button', { name: 'Approve' }).click();
    await page.getByLabel('Reason').fill('Moved to the new one');
    await page.getByRole('button', { name: 'Approve and run' }).click();
    await page.getByText('Moved to the new one').waitFor();
    expect(platform.world.networks).toHaveLength(2);
  }));

it('who may decide can approve in the same breath', () =>
  on(`/networks/${idOf(501)}`, async (page, platform) => {
    await page.getByRole('button', { name: 'Delete' }).click();
    await page.getByLabel('Approve now').check();
    await page.getByRole('button', { name: 'Delete network' }).click();
    await page.getByRole('heading', { name: 'Networks', level: 1 }).waitFor();
    await page.getByText('Network office is deleted').first().waitFor();
    await page.getByRole('link', { name: 'office' }).waitFor({ state: 'detached' });
    expect(platform.world.networks).toHaveLength(2);
  }));

it('who may not decide is not asked', () =>
  on(`/networks/${idOf(501)}`, async (page, platform) => {
    platform.permissions = platform.permissions.filter((name) => name !== 'system.approvals.decide');
    await page.reload();
    await page.getByRole('button', { name: 'Delete' }).click();
    await page.getByText('6 machines change').waitFor();
    expect(await page.getByLabel('Approve now').count()).toBe(0);
  }));

it('a machine is attached', () =>
  on(`/networks/${idOf(501)}?view=peers`, async (page, platform) => {
    await page.getByRole('button', { name: 'Attach a machine' }).click();
    await page.getByLabel('Find').fill('spare');
    await page.getByRole('radio', { name: /spare-1/ }).check();
    await page.getByLabel('Publicly reachable').selectOption('yes');
    await page.getByLabel('Endpoint').fill('nowhere');
    await page.getByLabel('Tags').fill('new,');
    await page.getByRole('button', { name: 'Attach', exact: true }).click();
    await page.getByText('is not an endpoint').first().waitFor();
    await page.getByLabel('Endpoint').fill('203.0.113.5:51820');
    await page.getByRole('button', { name: 'Attach', exact: true }).click();
    await page.getByRole('row').filter({ hasText: 'spare-1' }).getByText('pending').waitFor();
    expect(platform.world.peers.at(-1)).toMatchObject({ hostname: 'spare-1', tags: ['new'], role: 'hub' });
  }));

it('a peer is changed, gets a new key, and is detached', () =>
  on(`/networks/${idOf(501)}?view=peers`, async (page, platform) => {
    await page.getByRole('row').filter({ hasText: 'edge1' }).click();
    const sheet = page.getByRole('dialog', { name: 'edge1' });
    await sheet.getByRole('button', { name: 'Edit' }).click();
    await sheet.getByRole('button', { name: 'Remove tag branch' }).click();
    await sheet.getByLabel('Tags').fill('berlin ');
    await sheet.getByRole('button', { name: 'Save' }).click();
    await sheet.getByText('berlin').waitFor();
    const before = platform.world.peers.find((peer) => peer.hostname === 'edge1')?.public_key;
    await sheet.getByRole('button', { name: 'Rotate key' }).click();
    await page.getByText('edge1 has a new key').first().waitFor();
    expect(platform.world.peers.find((peer) => peer.hostname === 'edge1')?.public_key).not.toBe(before);
    await sheet.getByRole('button', { name: 'Detach' }).click();
    await page.getByLabel('Approve now').check();
    await page.getByRole('button', { name: 'Detach peer' }).click();
    await page.getByRole('row').filter({ hasText: 'edge1' }).waitFor({ state: 'detached' });
    await page.waitForURL((url) => !url.searchParams.has('peer'));
  }));

it('a machine is terminated', () =>
  on(`/instances/${idOf(10_004)}`, async (page) => {
    await page.getByRole('button', { name: 'Terminate' }).click();
    await page.getByText('1 machine changes').waitFor();
    await page.getByLabel('Approve now').check();
    await page.getByRole('button', { name: 'Terminate machine' }).click();
    await page.getByText('terminated', { exact: true }).first().waitFor();
    expect(await page.getByRole('button', { name: 'Terminate' }).count()).toBe(0);
  }));

it('a policy is set and reset', () =>
  on('/policies', async (page, platform) => {
    const row = page.getByRole('row').filter({ hasText: 'sdwan.network_delete' });
    await row.getByRole('combobox').selectOption('auto_approve');
    await row.getByRole('button', { name: /Reset/ }).waitFor();
    expect(platform.modes.get('sdwan.network_delete')).toBe('auto_approve');
    await row.getByRole('button', { name: /Reset/ }).click();
    await row.getByRole('button', { name: /Reset/ }).waitFor({ state: 'detached' });
    expect(platform.modes.size).toBe(0);
  }));

it('an API token is shown once', () =>
  on('/settings?tab=tokens', async (page, platform) => {
    await page.getByRole('button', { name: 'New API token' }).click();
    await page.getByLabel('Name').fill('backup');
    await page.getByLabel('It may do less than its operator').check();
    await page.getByLabel('system.instances.read').check();
    await page.getByRole('button', { name: 'Make token' }).click();
    await page.getByRole('dialog').getByText('pnt_').waitFor();
    const secret = await page.locator('[data-secret]').innerText();
    await page.getByRole('button', { name: 'Copy the token' }).click();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(secret);
    await page.getByRole('button', { name: 'I have it' }).click();
    await page.getByRole('row').filter({ hasText: 'backup' }).getByText('1 permissions').waitFor();
    expect(await page.getByText(secret).count()).toBe(0);
    expect(platform.world.apiTokens[0]).toMatchObject({
      name: 'backup',
      permissions: ['system.instances.read'],
    });
  }));

it('an operator is made, changed and shut out', () =>
  on('/settings?tab=operators', async (page) => {
    await page.getByRole('button', { name: 'New operator' }).click();
    await page.getByRole('button', { name: 'Make operator' }).click();
    await page.getByText('must not be empty').first().waitFor();
    await page.getByLabel('Name').fill('Ada');
    await page.getByLabel('Role').selectOption('viewer');
    await page.getByRole('button', { name: 'Make operator' }).click();
    const row = page.getByRole('row').filter({ hasText: 'Ada' });
    await row.getByText('viewer').waitFor();
    await row.getByRole('button', { name: 'Edit' }).click();
    await page.getByLabel('Role').selectOption('admin');
    await page.getByRole('button', { name: 'Save' }).click();
    await row.getByText('admin').waitFor();
    await row.getByRole('button', { name: 'Disable' }).click();
    await page.getByText('No machine changes.').waitFor();
    await page.getByRole('button', { name: 'Disable operator' }).click();
    await row.getByText('disabled').waitFor();
    await row.getByRole('button', { name: 'Let in again' }).click();
    await row.getByText('active').waitFor();
  }));
