// Changes that an operator makes: networks, peers, machines, tokens, policies, decisions.
import { expect, it } from 'vitest';
import { idOf } from './fake/ids.ts';
import { useStage } from './stage.ts';

const stage = useStage();

const on: typeof stage.on = (path, run) => stage.on(path, run);

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

it('the IPv4 leg of a network is exchanged and taken away', () =>
  on(`/networks/${idOf(501)}`, async (page, platform) => {
    const leg = () => platform.world.networks[0]?.ipv4_prefix;
    const save = async () => {
      await page.getByRole('button', { name: 'Save', exact: true }).click();
      await page.getByRole('button', { name: 'Save: change 6 machines' }).click();
      await page.getByRole('dialog').waitFor({ state: 'detached' });
    };
    await page.getByRole('button', { name: 'Edit' }).click();
    expect(await page.getByLabel('IPv4 block').inputValue()).toBe(leg());
    await page.getByLabel('IPv4 block').fill('100.99.0.0/24');
    await save();
    expect(leg()).toBe('100.99.0.0/24');
    await page.getByRole('button', { name: 'Edit' }).click();
    await page.getByLabel('IPv4 leg').selectOption('none');
    await save();
    expect(leg()).toBeNull();
  }));

it('a change of many machines shows its plan before it is saved', () =>
  on(`/networks/${idOf(501)}`, async (page, platform) => {
    const office = () => platform.world.networks[0];
    await page.getByRole('button', { name: 'Edit' }).click();
    await page.getByLabel('Direct paths').uncheck();
    await page.getByLabel('Firewall by default').selectOption('drop');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('6 machines change').waitFor();
    expect(office()?.direct_paths).toBe(true);
    // Another change than the one that was looked at has another plan.
    await page.getByLabel('MTU').fill('1300');
    await page.getByText('6 machines change').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByRole('button', { name: 'Save: change 6 machines' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(office()).toMatchObject({ direct_paths: false, firewall_default_policy: 'drop', mtu: 1300 });
    await page.getByText('no direct paths').waitFor();
  }));

it('a network has the IPv4 block that one asks for, or none', () =>
  on('/networks', async (page, platform) => {
    await page.getByRole('button', { name: 'New network' }).first().click();
    await page.getByLabel('Name').fill('annex');
    await page.getByLabel('IPv4 leg').selectOption('own');
    await page.getByLabel('IPv4 block').fill('100.64.0.0/33');
    await page.getByRole('button', { name: 'Make network' }).click();
    await page.getByText('is not a prefix').first().waitFor();
    expect(await page.getByLabel('IPv4 block').getAttribute('aria-invalid')).toBe('true');
    await page.getByLabel('IPv4 leg').selectOption('none');
    await page.getByRole('button', { name: 'Make network' }).click();
    await page.getByText('no IPv4').waitFor();
    expect(platform.world.networks.at(-1)?.ipv4_prefix).toBeNull();
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

it('a machine gets another name and other tags', () =>
  on(`/instances/${idOf(10_004)}`, async (page, platform) => {
    await page.getByRole('button', { name: 'Edit' }).click();
    await page.getByLabel('Name').fill('lisbon-4');
    await page.getByLabel('Tags').fill('lisbon');
    await page.getByLabel('Tags').press('Enter');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByRole('heading', { name: 'lisbon-4' }).waitFor();
    const machine = platform.world.instances.find(({ id }) => id === idOf(10_004));
    expect(machine?.hostname).toBe('lisbon-4');
    expect(machine?.tags).toContain('lisbon');
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

it('a machine is drained and taken back, after a look at what moves', () =>
  on(`/instances/${idOf(10_001)}`, async (page, platform) => {
    await page.getByRole('button', { name: 'Drain' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('2 spokes go through another hub').waitFor();
    await dialog.getByText('3 machines change').waitFor();
    expect(platform.world.instances[0]?.status).toBe('running');
    await dialog.getByRole('button', { name: 'Drain machine' }).click();
    await page.getByText('draining', { exact: true }).first().waitFor();
    await page.getByRole('button', { name: 'Take back' }).click();
    await dialog.getByText('Nothing has to move').waitFor();
    await dialog.getByRole('button', { name: 'Take it back' }).click();
    await page.getByRole('button', { name: 'Drain', exact: true }).waitFor();
    expect(platform.world.peers[0]?.draining).toBe(false);
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
    await page.keyboard.press('Escape');
    await page.mouse.click(5, 5);
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
