// Every page, light and dark, wide and narrow: nothing for axe to complain of, nothing wider than the screen, and
// nothing that the browser complains of.
import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { type Look, looks, openPage, openSignedIn, type Signed } from './browser.ts';
import { idOf } from './fake/ids.ts';
import { fakeToken } from './fake/server.ts';
import { emptyWorld } from './fake/world.ts';
import { placesOf } from './places.ts';
import { useStage } from './stage.ts';

const stage = useStage();
const places = placesOf({
  networkId: idOf(501),
  instanceId: idOf(10_003),
  peerId: idOf(1_000_002),
  approvalId: idOf(63),
});

const nameOf = (look: Look) => `${look.colours}, ${look.width} px`;

/** The dark page is the light one in other colours, so only colours are looked at again. */
async function complaintsOfAxe(page: Page, look: Look): Promise<string[]> {
  const axe = new AxeBuilder({ page });
  const { violations } = await (look.colours === 'dark' ? axe.withRules('color-contrast') : axe).analyze();
  return violations.flatMap((violation) =>
    violation.nodes.map(
      (node) => `${violation.id} at ${node.target.join(' ')}: ${node.failureSummary ?? ''}`,
    ),
  );
}

async function widthBeyondScreen(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}

async function expectClean({ page, complaints }: Signed, look: Look): Promise<void> {
  expect(await complaintsOfAxe(page, look)).toEqual([]);
  expect(await widthBeyondScreen(page)).toBe(0);
  expect(complaints).toEqual([]);
}

describe('an account in which nothing is yet', () => {
  const none = idOf(0xdead);
  const subjects = { networkId: none, instanceId: none, peerId: none, approvalId: none };
  const listed = [
    'networks',
    'instances',
    'join',
    'events',
    'approvals',
    'settings-operators',
    'settings-tokens',
  ];
  const pages = placesOf(subjects).filter(({ name }) => listed.includes(name));

  it.each(pages.map((place) => [place.name, place.path] as const))('%s is clean', async (_name, path) => {
    const { server } = await stage.fresh(emptyWorld());
    for (const look of looks.filter(({ colours }) => colours === 'light')) {
      const signed = await openSignedIn(stage.browser, { url: server.url, token: fakeToken }, look);
      await signed.page.goto(path);
      await signed.page.locator('.empty, .table, .muted').first().waitFor();
      await expectClean(signed, look);
      await signed.context.close();
    }
  });
});

describe('a page that cannot show what it is for', () => {
  it.each(looks.map((look) => [nameOf(look), look] as const))('is clean, %s', async (_name, look) => {
    const { server, platform } = await stage.fresh();
    platform.permissions = ['system.sdwan.networks.read', 'system.events.read'];
    const signed = await openSignedIn(stage.browser, { url: server.url, token: fakeToken }, look);
    await signed.page.goto('/policies');
    await signed.page.getByRole('heading', { name: 'You may not see this' }).waitFor();
    await server.stop();
    await signed.page.getByText('Disconnected —').waitFor();
    expect(await complaintsOfAxe(signed.page, look)).toEqual([]);
    expect(await widthBeyondScreen(signed.page)).toBe(0);
    await signed.context.close();
  });
});

describe.each(looks.map((look) => [nameOf(look), look] as const))('%s', (_name, look) => {
  it.each(places.map((place) => [place.name, place] as const))('%s is clean', async (_place, place) => {
    const signed = await stage.open(place.path, look);
    const { page, context } = signed;
    await place.ready(page);
    await page.locator('.connection:visible', { hasText: 'Live' }).waitFor();
    await expectClean(signed, look);
    await context.close();
  });

  it('sign-in is clean', async () => {
    const signed = await openPage(stage.browser, stage.server.url, look);
    const { page, context } = signed;
    await page.goto('/');
    await page.getByLabel('Token').waitFor();
    await expectClean(signed, look);
    await context.close();
  });

  it('what opens over pages is clean', async () => {
    const signed = await stage.open(`/networks/${idOf(501)}?view=peers`, look);
    const { page, context } = signed;
    await page.getByRole('button', { name: 'Attach a machine' }).click();
    await page.getByRole('radio').first().waitFor();
    await expectClean(signed, look);
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Edit' }).click();
    await page.getByLabel('Name', { exact: true }).waitFor();
    await expectClean(signed, look);
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Delete' }).click();
    await page.getByText('6 machines change').waitFor();
    await expectClean(signed, look);
    await page.keyboard.press('Escape');
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys' }).waitFor();
    await expectClean(signed, look);
    await context.close();
  });

  it('an event with its before and after is clean', async () => {
    const signed = await stage.open('/events', look);
    const { page, context } = signed;
    await page.getByRole('row').filter({ hasText: 'sdwan.network.updated' }).click();
    await page.getByText('1380').waitFor();
    await expectClean(signed, look);
    await context.close();
  });
});
