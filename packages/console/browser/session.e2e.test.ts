// Signing in and out, what happens to a token that ends, and pages that one may not see or that are not there.
import { expect, it } from 'vitest';
import { openPage, openSignedIn, wide } from './browser.ts';
import { idOf } from './fake/ids.ts';
import { fakeToken } from './fake/server.ts';
import { useStage } from './stage.ts';

const stage = useStage();

it('lets in whoever has a valid token, and says what is wrong with another one', async () => {
  const { page, context } = await openPage(stage.browser, stage.server.url, wide);
  await page.goto('/instances');
  await page.getByLabel('Token').fill('nonsense');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('The token is not known.').waitFor();
  expect(await page.getByLabel('Token').getAttribute('aria-invalid')).toBe('true');
  await page.getByLabel('Token').fill(`“${fakeToken}”`);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('no spaces or special characters').waitFor();
  await page.getByLabel('Token').fill(` ${fakeToken} `);
  await page.getByLabel('Token').press('Enter');
  // One lands on the page that was asked for.
  await page.getByRole('heading', { name: 'Instances', level: 1 }).waitFor();
  await page.getByText('owner of Acme').waitFor();
  expect(await page.evaluate(() => sessionStorage.getItem('powernode.token'))).toBe(fakeToken);
  expect(await page.evaluate(() => localStorage.length)).toBe(0);
  expect(page.url()).not.toContain(fakeToken);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByLabel('Token').waitFor();
  expect(await page.evaluate(() => sessionStorage.getItem('powernode.token'))).toBeNull();
  await context.close();
});

it('signs out whoever’s token is revoked, and says why', async () => {
  const { server } = await stage.fresh();
  const { page, context } = await openSignedIn(stage.browser, { url: server.url, token: fakeToken });
  await page.goto('/networks');
  await page.getByRole('link', { name: 'office' }).waitFor();
  server.tokens.clear();
  await page.getByRole('link', { name: 'Policies' }).click();
  await page.getByText('You were signed out: The token is not known.').waitFor();
  await context.close();
});

it('names the permission that is missing, and offers nothing that is not allowed', async () => {
  const { server, platform } = await stage.fresh();
  platform.permissions = ['system.sdwan.networks.read', 'system.sdwan.peers.read', 'system.events.read'];
  const { page, context } = await openSignedIn(stage.browser, { url: server.url, token: fakeToken });
  await page.goto('/networks');
  await page.getByRole('link', { name: 'office' }).waitFor();
  expect(await page.getByRole('button', { name: 'New network' }).count()).toBe(0);
  await page.getByRole('link', { name: 'Policies' }).click();
  await page.getByRole('heading', { name: 'No permission' }).waitFor();
  await page.getByText('system.policies.read').first().waitFor();
  await page.goto(`/networks/${idOf(501)}?view=firewall`);
  await page.getByText('system.sdwan.firewall.read').first().waitFor();
  await page.getByText('No permission to read the audit').waitFor();
  expect(await page.getByRole('button', { name: 'New rule' }).count()).toBe(0);
  await context.close();
});

it('reads again and again when the token may not listen to events', async () => {
  const { server, platform } = await stage.fresh();
  platform.permissions = ['system.sdwan.networks.read'];
  const { page, context } = await openSignedIn(stage.browser, { url: server.url, token: fakeToken });
  await page.goto('/networks');
  await page.locator('.connection:visible', { hasText: 'Polling' }).waitFor();
  const office = platform.world.networks[0];
  if (office !== undefined) platform.world.networks[0] = { ...office, name: 'headquarters' };
  await page.getByRole('link', { name: 'headquarters' }).waitFor();
  await context.close();
});

it('says that an object or a page is not there', async () => {
  const { page, context } = await stage.open('/networks/0199a000-0000-7000-8000-00000000dead');
  await page.getByRole('heading', { name: 'Not found' }).waitFor();
  await page.goto('/no/such/page');
  await page.getByRole('heading', { name: 'Page not found' }).waitFor();
  await page.getByRole('link', { name: 'Go to networks' }).click();
  await page.getByRole('link', { name: 'office' }).waitFor();
  await context.close();
});

it('keeps the colours that one chose', async () => {
  const { page, context } = await stage.open('/settings');
  const background = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  const light = await background();
  await page.getByLabel('Theme', { exact: true }).selectOption('dark');
  await expect.poll(background).not.toBe(light);
  await page.reload();
  await page.getByText('Address pool').waitFor();
  expect(await background()).not.toBe(light);
  await context.close();
});
