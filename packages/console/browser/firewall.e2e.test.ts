// Rules, what is wrong with them, who reaches whom by them, and why.
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { openSignedIn } from './browser.ts';
import { idOf } from './fake/ids.ts';
import { fakeToken } from './fake/server.ts';
import { useStage } from './stage.ts';

const stage = useStage();
const network = `/networks/${idOf(501)}`;

const focused = (page: Page) => page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? '');

it('rules show what they count and what shadows them, and are found by what the audit says', () =>
  stage.on(`${network}?view=firewall`, async (page, platform) => {
    const row = page.getByRole('row').filter({ hasText: 'once more' });
    await row.getByText('22,811').waitFor();
    await row.getByText('shadowed').waitFor();
    await row.getByText('by branches to web').waitFor();
    await page.getByText('Audit: 1 error, 2 warnings').waitFor();
    await page.getByRole('link', { name: '198.51.100.2:53' }).waitFor();
    await page.getByLabel('Any finding').selectOption('dead');
    await page.getByText('1 of 6').waitFor();
    await page.getByLabel('Any finding').selectOption('');
    await page.getByRole('button', { name: 'Packets' }).click();
    await expect.poll(() => page.getByRole('row').nth(1).innerText()).toContain('no ssh to branches');
    await row.click();
    const sheet = page.getByRole('dialog', { name: 'branches to web, once more' });
    await sheet.getByText('tcp dport 8443 counter').waitFor();
    await sheet.getByRole('link', { name: 'edge1' }).waitFor();
    // Counters come without events.
    const [counted] = platform.world.firewallRules.splice(2, 1);
    if (counted === undefined) throw new Error('no rule');
    platform.world.firewallRules.splice(2, 0, { ...counted, packets: 22_999 });
    await sheet.getByText('22,999').waitFor();
    await sheet.getByRole('link', { name: 'branches to web', exact: true }).click();
    await page.getByRole('dialog', { name: 'branches to web' }).getByText('45,622').waitFor();
  }));

it('an audit that is not there yet, or cannot be had, is not one that finds nothing', () =>
  stage.on(`${network}?view=peers`, async (page, platform) => {
    platform.world.firewallRules.splice(0);
    platform.world.portMappings.splice(0);
    let answer: (() => void) | null = null;
    await page.route('**/system_sdwan_audit_firewall', async (route) => {
      await new Promise<void>((resolve) => (answer = resolve));
      await route.fulfill({
        status: 409,
        json: { code: 'conflict', status: 409, detail: 'It cannot be read.' },
      });
    });
    await page.getByRole('link', { name: 'Firewall' }).click();
    await page.getByText('No rules yet').waitFor();
    await page.getByText('Audit running').waitFor();
    await expect.poll(() => answer).not.toBeNull();
    (answer as (() => void) | null)?.();
    await page.getByText('Audit unavailable').waitFor();
    expect(await page.getByText(/^Audit: /).count()).toBe(0);
    await page.unroute('**/system_sdwan_audit_firewall');
    platform.emit('sdwan.firewall_rule.updated', { before: null, after: null });
    await page.getByText('Audit: no findings').waitFor();
  }));

it('a rule is made, and what is wrong stands at its field', () =>
  stage.on(`${network}?view=firewall`, async (page, platform) => {
    await page.getByRole('button', { name: 'New rule' }).click();
    const form = page.getByRole('dialog');
    await form.getByLabel('Name').fill('laptops to web');
    await form.getByLabel('Action').selectOption('reject');
    await form.getByLabel('From', { exact: true }).selectOption('user_device');
    await form.getByLabel('To', { exact: true }).selectOption('cidr');
    await form.getByLabel('To: which').fill('fd00::1/64');
    await form.getByLabel('Protocol').selectOption('tcp');
    await form.getByLabel('Ports').fill('9000-80');
    await form.getByRole('button', { name: 'Create rule' }).click();
    await form.getByText('the lower one first').first().waitFor();
    for (const label of ['To: which', 'Ports']) {
      expect(await form.getByLabel(label).getAttribute('aria-invalid'), label).toBe('true');
    }
    await form.getByLabel('To', { exact: true }).selectOption('virtual_ip');
    await form.getByLabel('To: which').selectOption({ label: 'web' });
    await form.getByLabel('Ports').fill('80-90');
    await form.getByRole('button', { name: 'Create rule' }).click();
    await form.getByText('needs user_device_id').first().waitFor();
    await form.getByLabel('From: which').selectOption({ label: 'Jonas’ laptop' });
    await form.getByRole('button', { name: 'Create rule' }).click();
    const sheet = page.getByRole('dialog', { name: 'laptops to web' });
    await sheet.getByText('device Jonas’ laptop').waitFor();
    expect(platform.world.firewallRules.at(-1)).toMatchObject({
      action: 'reject',
      protocol: 'tcp',
      port_range: '80-90',
      selector: { kind: 'user_device', user_device_id: idOf(3201) },
      destination: { kind: 'virtual_ip', virtual_ip_id: idOf(3000) },
    });
  }));

it('a rule of many machines shows its plan first', () =>
  stage.on(`${network}?view=firewall`, async (page, platform) => {
    await page.getByRole('button', { name: 'New rule' }).click();
    const form = page.getByRole('dialog');
    await form.getByLabel('Action').selectOption('drop');
    await form.getByRole('button', { name: 'Create rule' }).click();
    await form.getByText('6 instances change').waitFor();
    expect(platform.world.firewallRules).toHaveLength(6);
    await form.getByRole('button', { name: 'Create rule: change 6 instances' }).click();
    await page.getByRole('dialog', { name: 'drop from all to all' }).waitFor();
    expect(platform.world.firewallRules).toHaveLength(7);
  }));

it('a rule is edited, switched off and deleted', () =>
  stage.on(`${network}?view=firewall`, async (page, platform) => {
    await page.getByRole('row').filter({ hasText: 'no ssh' }).click();
    const sheet = page.getByRole('dialog', { name: 'no ssh to branches' });
    await sheet.getByRole('button', { name: 'Edit' }).click();
    await sheet.getByLabel('To: which').fill('nat');
    await sheet.getByLabel('Ports').fill('2222');
    await sheet.getByRole('button', { name: 'Save' }).click();
    await sheet.getByText('3 instances change').waitFor();
    await sheet.getByRole('button', { name: 'Save: change 3 instances' }).click();
    await sheet.getByText('tag nat').first().waitFor();
    await sheet.getByRole('button', { name: 'Disable' }).click();
    const dialog = page.getByRole('dialog', { name: 'Disable no ssh to branches' });
    await dialog.getByText('2 instances change').waitFor();
    await dialog.getByRole('button', { name: 'Disable' }).click();
    await sheet.getByText('drop (disabled)').waitFor();
    await sheet.getByText('No instance evaluates it now').waitFor();
    await sheet.getByRole('button', { name: 'Delete' }).click();
    await page.getByText('No instance changes.').waitFor();
    await page.getByRole('button', { name: 'Request to delete rule' }).click();
    await page.getByRole('heading', { name: 'Waiting for approval' }).waitFor();
    expect(platform.world.firewallRules[3]).toMatchObject({ enabled: false, port_range: '2222' });
  }));

it('the default policy is changed after a look at the plan', () =>
  stage.on(`${network}?view=firewall`, async (page, platform) => {
    await page.getByRole('button', { name: 'Change to drop' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('6 instances change').waitFor();
    expect(platform.world.networks[0]?.firewall_default_policy).toBe('accept');
    await dialog.getByRole('button', { name: 'Change to drop' }).click();
    await page.getByRole('button', { name: 'Change to accept' }).waitFor();
    expect(platform.world.networks[0]?.firewall_default_policy).toBe('drop');
  }));

it('a cell of the matrix is explained by keyboard, and one comes back to it', () =>
  stage.on(`${network}?view=reachability`, async (page, platform) => {
    const cells = page.getByRole('gridcell');
    await cells.first().waitFor();
    await page.getByText('88 allowed').waitFor();
    await page.getByLabel('Protocol of the matrix').selectOption('tcp');
    await page.getByLabel('Port of the matrix').fill('22');
    await page.keyboard.press('Enter');
    await page.getByText('16 denied').waitFor();
    await page.locator('.matrix-cell[tabindex="0"]').focus();
    await page.keyboard.press('Control+Home');
    await page.keyboard.press('ArrowRight');
    for (let row = 0; row < 4; row++) await page.keyboard.press('ArrowDown');
    await expect.poll(() => focused(page)).toBe('hub1 to edge1: denied');
    await page.keyboard.press('Enter');
    const sheet = page.getByRole('dialog', { name: 'hub1 → edge1' });
    await sheet.getByText('denied', { exact: true }).waitFor();
    expect(await sheet.getByRole('listitem').count()).toBe(5);
    await sheet.getByRole('button', { name: 'Reverse direction' }).click();
    await page.getByRole('dialog', { name: 'edge1 → hub1' }).getByText('allowed', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Reverse direction' }).click();
    await sheet.getByText('denied', { exact: true }).waitFor();
    // It is explained anew as soon as a rule changes.
    const rule = platform.world.firewallRules[3];
    platform.answer('system_sdwan_update_firewall_rule', { firewall_rule_id: rule?.id, enabled: false });
    await sheet.getByText('allowed', { exact: true }).waitFor();
    await page.keyboard.press('Escape');
    await sheet.waitFor({ state: 'detached' });
    await expect.poll(() => focused(page)).toBe('hub1 to edge1: allowed');
    await page.keyboard.press('Enter');
    await sheet.getByRole('link', { name: 'edge1' }).first().click();
    await page.getByRole('dialog', { name: 'edge1' }).getByText('Public key').waitFor();
  }));

it('a device is explained as the end of a way, too', () =>
  stage.on(`${network}?view=reachability`, async (page) => {
    await page.getByRole('gridcell', { name: 'hub1 to Jonas’ laptop: allowed' }).click();
    const sheet = page.getByRole('dialog', { name: 'hub1 → Jonas’ laptop' });
    await sheet.getByText('It is fd4a:91c0:77e2:1::d1.').waitFor();
    await sheet.getByRole('button', { name: 'Reverse direction' }).click();
    await page
      .getByRole('dialog', { name: 'Jonas’ laptop → hub1' })
      .getByText('It sends from fd4a:91c0:77e2:1::d1.')
      .waitFor();
  }));

it('an end that was shut out, or may not be listed, is no explanation that is still on its way', async () => {
  const asked = `${network}?view=reachability&from=peer:${idOf(1_000_000)}&to=user_device:${idOf(3202)}`;
  const { server, platform } = await stage.fresh();
  const { page, context } = await openSignedIn(stage.browser, { url: server.url, token: fakeToken });
  await page.goto(asked);
  await page.getByRole('dialog').getByText('Not found').waitFor();
  platform.permissions = platform.permissions.filter((name) => !name.startsWith('system.sdwan.devices.'));
  await page.reload();
  await page.getByRole('dialog').getByText('No permission').waitFor();
  await context.close();
});

it('a question whose answer failed is asked again by the same button', () =>
  stage.on(`${network}?view=reachability`, async (page) => {
    const form = page.getByRole('form', { name: 'Explain' });
    for (const label of ['From: which', 'To: which']) {
      await form.getByLabel(label).selectOption({ label: 'hub1' });
    }
    let refusals = 0;
    await page.route('**/system_sdwan_explain_reachability', async (route) => {
      if (refusals++ > 0) return route.fallback();
      return route.fulfill({ status: 409, json: { code: 'conflict', status: 409, detail: 'It was busy.' } });
    });
    await form.getByRole('button', { name: 'Explain' }).click();
    await form.getByText('It was busy.').waitFor();
    await form.getByRole('button', { name: 'Explain' }).click();
    await form.getByText('allowed', { exact: true }).waitFor();
  }));

it('the matrix is filtered on both sides', () =>
  stage.on(`${network}?view=reachability`, async (page) => {
    await page.getByRole('gridcell').first().waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('edge');
    await expect.poll(() => page.getByRole('gridcell').count()).toBe(9);
    await page.keyboard.press('Escape');
    await expect.poll(() => page.getByRole('rowheader').count()).toBe(8);
  }));

it('any two ends are asked about, and what is wrong stands at its field', () =>
  stage.on(`${network}?view=reachability`, async (page) => {
    const form = page.getByRole('form', { name: 'Explain' });
    await form.getByLabel('From', { exact: true }).selectOption('address');
    await form.getByLabel('From: which').fill('somewhere');
    await form.getByLabel('To: which').selectOption({ label: 'hub1' });
    await form.getByLabel('Port').fill('x');
    await form.getByRole('button', { name: 'Explain' }).click();
    await form.getByText('is not an IPv6 or IPv4 address').first().waitFor();
    expect(await form.getByLabel('From: which').getAttribute('aria-invalid')).toBe('true');
    expect(await form.getByLabel('Port').getAttribute('aria-invalid')).toBe('true');
    await form.getByLabel('From: which').fill('fd4a:91c0:77e2:1::102');
    await form.getByLabel('Port').fill('22');
    await form.getByRole('button', { name: 'Explain' }).click();
    await form.getByText('allowed', { exact: true }).waitFor();
    await form.getByText('It sends from fd4a:91c0:77e2:1::102.').waitFor();
    // What is answered is what stands in the fields.
    await form.getByLabel('Port').fill('23');
    await form.getByText('allowed', { exact: true }).waitFor({ state: 'detached' });
  }));
