// The console without a mouse.
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { idOf } from './fake/ids.ts';
import { useStage } from './stage.ts';

const stage = useStage();

/** What the keyboard stands on; nothing when it stands on the whole document. */
const focused = (page: Page) =>
  page.evaluate(() => {
    const { activeElement: at, body } = document;
    return at === null || at === body ? '' : `${at.textContent}${at.id}`;
  });

it('goes to pages by two keys, and shows the keys', async () => {
  const { page, context } = await stage.open('/networks');
  await page.getByRole('link', { name: 'office' }).waitFor();
  for (const [keys, heading] of [
    ['gi', 'Instances'],
    ['ge', 'Events'],
    ['ga', 'Approvals'],
    ['gp', 'Policies'],
    ['gj', 'Add an instance'],
    ['gs', 'Settings'],
    ['gn', 'Networks'],
  ] as const) {
    const title = page.getByRole('heading', { name: heading, level: 1 });
    // On a busy machine the second key may come too late to belong to the first.
    const isThere = async () => {
      for (const key of keys) await page.keyboard.press(key);
      return title.waitFor({ timeout: 5_000 }).then(
        () => true,
        () => false,
      );
    };
    await expect.poll(isThere).toBe(true);
  }
  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keys' }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await context.close();
});

it('skips to the page, and continues there after going to another one', async () => {
  const { page, context } = await stage.open('/networks');
  await page.getByRole('link', { name: 'office' }).waitFor();
  await page.keyboard.press('Tab');
  expect(await focused(page)).toBe('Skip to content');
  await page.keyboard.press('Enter');
  expect(await focused(page)).toContain('main');
  await page.keyboard.press('g');
  await page.keyboard.press('i');
  await page.getByRole('heading', { name: 'Instances', level: 1 }).waitFor();
  await expect.poll(() => focused(page)).toMatch(/main$/);
  await context.close();
});

it('filters by / and moves through a table by arrows', async () => {
  const { page, context } = await stage.open('/instances');
  await page.getByRole('grid').waitFor();
  await page.keyboard.press('/');
  // Keys mean what they say while one writes.
  await page.keyboard.type('cell-0');
  await page.getByText('9 of 43').waitFor();
  expect(await page.getByLabel('Filter instances').inputValue()).toBe('cell-0');
  await page.keyboard.press('Escape');
  await page.getByText('43 instances').waitFor();
  await page.getByRole('row').nth(1).focus();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  await expect.poll(() => focused(page)).toContain('edge1');
  await page.keyboard.press('End');
  await expect.poll(() => focused(page)).toContain('cell-31');
  await page.keyboard.press('Home');
  await expect.poll(() => focused(page)).toContain('hub1');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'hub1', level: 1 }).waitFor();
  await context.close();
});

it('sorts by the head of a column', async () => {
  const { page, context } = await stage.open('/instances');
  const firstRow = () => page.getByRole('row').nth(1).innerText();
  await page.getByRole('button', { name: 'Instance' }).press('Enter');
  await expect.poll(firstRow).toContain('build-runner-04');
  expect(await page.getByRole('columnheader', { name: 'Instance' }).getAttribute('aria-sort')).toBe(
    'ascending',
  );
  await page.getByRole('button', { name: 'Instance' }).press('Enter');
  await expect.poll(firstRow).toContain('warehouse-gw');
  await context.close();
});

it('chooses columns', async () => {
  const { page, context } = await stage.open('/instances');
  await page.getByRole('button', { name: 'Choose columns' }).press('Enter');
  await page.getByRole('menuitemcheckbox', { name: 'Unused keys' }).press('Enter');
  await page.keyboard.press('Escape');
  await page.getByRole('columnheader', { name: 'Unused keys' }).waitFor();
  await context.close();
});

it('opens a peer from its row, and comes back to it', async () => {
  const { page, context } = await stage.open(`/networks/${idOf(501)}?view=peers`);
  await page.getByRole('row').filter({ hasText: 'edge2' }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('dialog', { name: 'edge2' }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await expect.poll(() => focused(page)).toContain('edge2');
  await page.getByRole('button', { name: 'Attach an instance' }).press('Enter');
  await page.getByRole('dialog', { name: 'Attach an instance' }).waitFor();
  await page.keyboard.press('Escape');
  await expect.poll(() => focused(page)).toBe('Attach an instance');
  await context.close();
});

it('walks the topology by arrows and opens what it stands on', async () => {
  const { page, context } = await stage.open(`/networks/${idOf(501)}`);
  await page.locator('[data-spot]').first().focus();
  await page.keyboard.press('ArrowRight');
  expect(await focused(page)).toContain('hub2');
  await page.keyboard.press('Enter');
  await page.getByRole('dialog', { name: 'hub2' }).waitFor();
  await context.close();
});
