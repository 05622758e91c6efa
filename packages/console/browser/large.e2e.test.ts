// Ten thousand peers: every row can be reached, only those in view are drawn, and the topology stays readable.
import { matrixNodesMax } from '@powernode/core/limits/overlay';
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { looks, wide } from './browser.ts';
import { idOf } from './fake/ids.ts';
import { largeWorld } from './fake/large-world.ts';
import { useStage } from './stage.ts';

const peers = 10_000;
const stage = useStage(() => largeWorld(peers));
const path = `/networks/${idOf(509)}?view=peers`;
/** A screen full, and some above and below. */
const rowsDrawnMax = 60;
/** The same of a matrix, in both directions. */
const cellsDrawnMax = 2000;

const drawn = (page: Page) => page.getByRole('row').count();

it.each([wide, looks[2] ?? wide])('tables draw what is in view only (%o)', async (look) => {
  const { page, context, complaints } = await stage.open(path, look);
  await page.getByText('10,000 peers', { exact: true }).waitFor();
  expect(await drawn(page)).toBeLessThan(rowsDrawnMax);
  const scroller = page.locator('.table-scroll');
  for (const part of [0.25, 0.5, 0.75, 1]) {
    await scroller.evaluate((element, to) => element.scrollTo({ top: element.scrollHeight * to }), part);
    await page.waitForFunction(() => document.querySelector('.table-rows [data-index]') !== null);
    expect(await drawn(page)).toBeLessThan(rowsDrawnMax);
  }
  await expect
    .poll(async () => {
      await scroller.evaluate((element) => element.scrollTo({ top: element.scrollHeight }));
      return page.getByText('site-09999').count();
    })
    .toBe(1);
  expect(complaints).toEqual([]);
  await context.close();
});

it('rows are found, sorted and reached by keyboard', async () => {
  const { page, context } = await stage.open(path);
  await page.getByText('10,000 peers', { exact: true }).waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('site-0777');
  await page.getByText('10 of 10,000').waitFor();
  await page.keyboard.press('Escape');
  await page.getByText('10,000 peers', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Received' }).click();
  await page.getByRole('row').nth(1).focus();
  await page.keyboard.press('End');
  await expect
    .poll(() => page.evaluate(() => document.activeElement?.getAttribute('aria-rowindex')))
    .toBe(String(peers + 1));
  expect(await drawn(page)).toBeLessThan(rowsDrawnMax);
  await context.close();
});

it('a peer that changes is patched in place', async () => {
  const { page, context } = await stage.open(path);
  await page.getByText('10,000 peers', { exact: true }).waitFor();
  await page.locator('.connection:visible', { hasText: 'Live' }).waitFor();
  const before = stage.platform.world.peers[5];
  stage.platform.emit('sdwan.peer.tags_set', { before, after: { ...before, tags: ['just-now'] } });
  await page.getByRole('row').filter({ hasText: 'just-now' }).waitFor();
  await context.close();
});

it('the topology groups the quiet and shows the troubled, and leads to their rows', async () => {
  const { page, context, complaints } = await stage.open(`/networks/${idOf(509)}`);
  await page.locator('[data-kind="group"]').first().waitFor();
  await page.getByText('too large to draw').waitFor();
  expect(await page.locator('[data-spot]').count()).toBeLessThan(120);
  const group = page.locator('[data-kind="group"]').filter({ hasText: 'connected' }).first();
  await group.click();
  await page.getByText(/of 10,000/).waitFor();
  expect(await page.getByLabel('Any status').inputValue()).toBe('connected');
  expect(complaints).toEqual([]);
  await context.close();
});

it('the matrix draws the cells in view only, and every cell is reached by keyboard', async () => {
  const { page, context, complaints } = await stage.open(`/networks/${idOf(509)}?view=reachability`);
  await page.getByText('too large for a matrix').waitFor();
  expect(await page.getByRole('gridcell').count()).toBeLessThan(cellsDrawnMax);
  await page.locator('.matrix-cell[tabindex="0"]').focus();
  await page.keyboard.press('Control+End');
  await expect
    .poll(() => page.evaluate(() => document.activeElement?.getAttribute('aria-label')))
    .toBe('itself');
  const place = page.locator('.matrix-cell:focus');
  expect(await place.getAttribute('aria-colindex')).toBe(String(matrixNodesMax + 1));
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('Enter');
  const name = (fromEnd: number) => String(matrixNodesMax - fromEnd).padStart(5, '0');
  await page
    .getByRole('dialog', { name: `site-${name(2)} → site-${name(1)}` })
    .getByText('allowed', { exact: true })
    .waitFor();
  expect(await page.getByRole('gridcell', { includeHidden: true }).count()).toBeLessThan(cellsDrawnMax);
  expect(complaints).toEqual([]);
  await context.close();
});

it('who reaches whom is read again when a rule changes, although its row is patched', async () => {
  const { page, context } = await stage.open(`/networks/${idOf(509)}?view=reachability`);
  await page.getByRole('gridcell').first().waitFor();
  await page.locator('.connection:visible', { hasText: 'Live' }).waitFor();
  let reads = 0;
  page.on('request', (request) => {
    if (request.url().endsWith('system_sdwan_get_reachability_matrix')) reads++;
  });
  const rule = { id: idOf(3100), network_id: idOf(509) };
  stage.platform.emit('sdwan.firewall_rule.updated', { before: rule, after: rule });
  await expect.poll(() => reads, { timeout: 20_000 }).toBeGreaterThan(0);
  await context.close();
});

it('of very many machines one is chosen by a part of its name', async () => {
  const { page, context } = await stage.open(`/networks/${idOf(509)}?view=firewall`);
  await page.getByRole('button', { name: 'New rule' }).click();
  await page.getByLabel('From', { exact: true }).selectOption('peer');
  const which = page.getByLabel('From: which', { exact: true });
  await page.getByText('9,900 more match: type more of the name').waitFor();
  expect(await which.locator('option').count()).toBe(101);
  await page.getByLabel('Find: From: which').fill('site-0777');
  await which.selectOption({ label: 'site-07771' });
  await page.getByLabel('Find: From: which').fill('');
  expect(await which.locator('option:checked').innerText()).toBe('site-07771');
  await context.close();
});
