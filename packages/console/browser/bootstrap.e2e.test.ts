// The bootstrap page when something goes wrong: what it says is the cause, and trying again is the same device. How it
// works with a real platform is tested in suites/e2e/bootstrap.e2e.test.ts.
import type { Page, Route } from 'playwright-core';
import { expect, it } from 'vitest';
import { goTo, openPage, wide } from './browser.ts';
import { useStage } from './stage.ts';

const stage = useStage();

const grant = { device_name_hint: 'a phone', network_name: 'office', expires_at: '2030-01-01T00:00:00Z' };
const device = {
  name: 'a phone',
  network_name: 'office',
  host_address: 'fd00::d1',
  ipv4_address: null,
  config: '[Interface]\nPrivateKey = REPLACE_WITH_PRIVATE_KEY\n',
  file_name: 'office.conf',
  endpoint_warning: null,
};

type Answers = (route: Route) => Promise<void>;

async function on(
  answers: { readonly inspect: Answers; readonly issue: Answers },
  run: (page: Page) => Promise<void>,
) {
  const { page, context } = await openPage(stage.browser, stage.server.url, wide);
  await page.route('**/api/v1/bootstrap/inspect', answers.inspect);
  await page.route('**/api/v1/bootstrap/issue', answers.issue);
  await goTo(page, '/bootstrap.html#pnb_secret');
  await run(page);
  await context.close();
}

const answer =
  (status: number, json: object): Answers =>
  (route) =>
    route.fulfill({ status, json });
const inspected = answer(200, grant);
const issued = answer(200, device);

interface Asked {
  readonly public_key: string;
}
const askedIn = (route: Route) => route.request().postDataJSON() as Asked;

it('a try whose answer was lost is tried again with the same key', async () => {
  const keys: string[] = [];
  const issue: Answers = (route) => {
    keys.push(`${askedIn(route).public_key} ${route.request().headers()['idempotency-key']}`);
    return keys.length === 1 ? route.abort('connectionreset') : issued(route);
  };
  await on({ inspect: inspected, issue }, async (page) => {
    await page.getByRole('button', { name: 'Create configuration' }).click();
    await page.getByRole('heading', { name: 'The platform does not respond' }).waitFor();
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('heading', { name: 'a phone is added' }).waitFor();
    expect(keys).toEqual([keys[0], keys[0]]);
    expect(keys[0]).toMatch(/= [0-9a-f-]{36}$/);
  });
});

it('what is not accepted is repaired in the form, with the same key', async () => {
  const sent: Asked[] = [];
  const issue: Answers = (route) => {
    sent.push(askedIn(route));
    return sent.length === 1 ? answer(422, { detail: 'name: is too long.' })(route) : issued(route);
  };
  await on({ inspect: inspected, issue }, async (page) => {
    await page.getByLabel('Device name').fill('a name that is too long');
    await page.getByRole('button', { name: 'Create configuration' }).click();
    await page.getByText('name: is too long.').waitFor();
    await page.getByRole('button', { name: 'Try again' }).click();
    expect(await page.getByLabel('Device name').inputValue()).toBe('a name that is too long');
    await page.getByLabel('Device name').fill('short');
    await page.getByRole('button', { name: 'Create configuration' }).click();
    await page.getByRole('heading', { name: 'a phone is added' }).waitFor();
    const [key] = sent.map((one) => one.public_key);
    expect(sent).toEqual([
      { token: 'pnb_secret', public_key: key, name: 'a name that is too long' },
      { token: 'pnb_secret', public_key: key, name: 'short' },
    ]);
  });
});

it.each([
  [403, 'An operator has to add this device'],
  [429, 'Too many attempts'],
  [500, 'The platform returned an error'],
  [503, 'The platform does not respond'],
])(
  'an answer of %i is not called a fault of the link, and the link is tried again',
  async (status, title) => {
    let refusals = 0;
    const inspect: Answers = (route) =>
      refusals++ === 0 ? answer(status, { detail: 'It says why.' })(route) : inspected(route);
    await on({ inspect, issue: issued }, async (page) => {
      await page.getByRole('heading', { name: title }).waitFor();
      await page.getByText('It says why.').waitFor();
      await page.getByRole('button', { name: 'Try again' }).click();
      await page.getByRole('heading', { name: 'Join office' }).waitFor();
    });
  },
);

it('a link that is of no use is not tried again', async () => {
  const inspect = answer(404, { detail: 'This link is not valid.' });
  await on({ inspect, issue: issued }, async (page) => {
    await page.getByRole('heading', { name: 'This link does not work' }).waitFor();
    expect(await page.getByRole('button').count()).toBe(0);
  });
});

it('a browser that gives no key away says so', async () => {
  const { page, context } = await openPage(stage.browser, stage.server.url, wide);
  await page.route('**/api/v1/bootstrap/inspect', inspected);
  await page.addInitScript(() => {
    const value = () => Promise.reject(new DOMException('none', 'OperationError'));
    Object.defineProperty(crypto.subtle, 'exportKey', { value });
  });
  await goTo(page, '/bootstrap.html#pnb_secret');
  await page.getByText('Update it').waitFor();
  await context.close();
});
