// Two operators set one policy from two browsers: who is overtaken is told by whom, and an undo takes back one's own only.
// Forms on one object are in suites/browser, on a running platform.
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { goTo, openSignedIn } from './browser.ts';
import type { FakePlatform } from './fake/platform.ts';
import { fakeToken } from './fake/server.ts';
import { useStage } from './stage.ts';

const stage = useStage();
const graceToken = 'pnt_token-of-grace';

interface Side {
  readonly page: Page;
  close(): Promise<void>;
}

/** The page of policies in two browsers of two operators. */
async function twoOnPolicies(): Promise<{
  readonly platform: FakePlatform;
  readonly mine: Side;
  readonly hers: Side;
}> {
  const { server, platform } = await stage.fresh();
  server.tokens.add(graceToken);
  server.names.set(graceToken, 'Grace');
  const side = async (token: string): Promise<Side> => {
    const { page, context } = await openSignedIn(stage.browser, { url: server.url, token });
    await goTo(page, '/policies');
    return { page, close: () => context.close() };
  };
  return { platform, mine: await side(fakeToken), hers: await side(graceToken) };
}

it('setPolicy: what a colleague set meanwhile is told, and an undo takes back only one’s own [9.3]', async () => {
  const category = 'sdwan.network_delete';
  const { platform, mine, hers } = await twoOnPolicies();
  const choose = (page: Page, mode: string) =>
    page.getByRole('row').filter({ hasText: category }).getByRole('combobox').selectOption(mode);
  const shows = (page: Page, mode: string) =>
    expect
      .poll(() => page.getByRole('row').filter({ hasText: category }).getByRole('combobox').inputValue())
      .toBe(mode);
  const mode = () => platform.modes.get(category);
  await choose(mine.page, 'auto_approve');
  await mine.page.getByText('This loosens the policy').waitFor();
  await choose(hers.page, 'blocked');
  await hers.page.getByText('This tightens the policy').waitFor();
  await hers.page.getByRole('button', { name: 'Tighten policy' }).click();
  await mine.page.getByText('Grace changed this while you were editing').waitFor();
  await mine.page.getByRole('button', { name: 'Loosen policy' }).click();
  await mine.page.getByText('It has revision 2 by now').waitFor();
  expect(mode()).toBe('blocked');
  await mine.page.getByRole('button', { name: 'Continue from there' }).click();
  await mine.page.getByRole('button', { name: 'Loosen policy' }).click();
  // She follows each step: what she asks about later is the last one, and not an earlier one of the same mode.
  await shows(hers.page, 'auto_approve');
  await mine.page.getByRole('button', { name: 'Undo' }).click();
  await mine.page.getByText(`Undone: ${category} is refused`).first().waitFor();
  expect(mode()).toBe('blocked');
  await shows(mine.page, 'blocked');
  await shows(hers.page, 'blocked');
  await choose(mine.page, 'auto_approve');
  await mine.page.getByRole('button', { name: 'Loosen policy' }).click();
  await mine.page.getByRole('button', { name: 'Undo' }).waitFor();
  await shows(hers.page, 'auto_approve');
  await choose(hers.page, 'notify_and_proceed');
  await hers.page.getByRole('button', { name: 'Tighten policy' }).click();
  await expect.poll(mode).toBe('notify_and_proceed');
  await mine.page.getByRole('button', { name: 'Undo' }).click();
  await mine.page.getByText(`${category} was not undone: It has revision 6 by now`).first().waitFor();
  expect(mode()).toBe('notify_and_proceed');
  await mine.close();
  await hers.close();
});
