// The console on the real platform, from its sign-in to its being killed: what the fake one promises has to hold here.
// The platform is started as a program; nothing of it is imported.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { get } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ensureConsole } from '../../../launch/console.mjs';
import { openBrowser, openPage, openSignedIn, wide } from './browser.ts';

const main = join(import.meta.dirname, '..', '..', 'platform', 'main.ts');
let directory: string;
let url: string;
let nodePort: number;
let platform: ChildProcess;
let browser: Browser;

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  return address.port;
}

/** Resolves once the platform has said that it is up. */
function startPlatform(more: readonly string[] = []): Promise<ChildProcess> {
  const own = ['--port', new URL(url).port, '--node-port', String(nodePort), '--data-dir', directory];
  // Of a flag that is given twice the last one counts.
  const flags = [...own, ...more];
  const child = spawn(process.execPath, [main, 'up', ...flags], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  return new Promise((resolve, reject) => {
    const hear = (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes('Powernode is up')) resolve(child);
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.once('exit', () => reject(new Error(`the platform ended: ${said}`)));
  });
}

async function ended(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  await gone;
}

beforeAll(async () => {
  await ensureConsole(process.execPath);
  directory = await mkdtemp(join(tmpdir(), 'powernode-real-'));
  url = `http://127.0.0.1:${await freePort()}`;
  nodePort = await freePort();
  platform = await startPlatform();
  browser = await openBrowser();
});

afterAll(async () => {
  await browser?.close();
  if (platform !== undefined) await ended(platform, 'SIGTERM');
  await rm(directory, { recursive: true, force: true });
});

const adminToken = async () => (await readFile(join(directory, 'admin-token'), 'utf8')).trim();

async function live(path: string): Promise<{ page: Page; complaints: string[]; close: () => Promise<void> }> {
  const { page, context, complaints } = await openSignedIn(browser, { url, token: await adminToken() });
  await page.goto(path);
  await page.locator('.connection:visible', { hasText: 'Live' }).waitFor();
  return { page, complaints, close: () => context.close() };
}

it('lets the administrator in, and nobody with another token', async () => {
  const { page, context } = await openPage(browser, url, wide);
  await page.goto('/');
  await page.getByLabel('Token').fill('pnt_nothing');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.locator('.field-error').waitFor();
  await page.getByLabel('Token').fill(await adminToken());
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('No networks yet').waitFor();
  await context.close();
});

it('makes a network, changes it, and deletes it by approval', async () => {
  const { page, complaints, close } = await live('/networks');
  await page.getByRole('button', { name: 'New network' }).first().click();
  await page.getByLabel(/^Prefix/).fill('fd00::1/64');
  await page.getByRole('button', { name: 'Create network' }).click();
  await page.getByText('is not a prefix').first().waitFor();
  await page.getByLabel('Name').fill('office');
  await page.getByLabel(/^Prefix/).fill('');
  await page.getByRole('button', { name: 'Create network' }).click();
  await page.getByRole('heading', { name: 'office', level: 1 }).waitFor();
  await page.getByText('No peers yet').waitFor();
  await page.getByRole('button', { name: 'Edit' }).click();
  await page.getByLabel('Description').fill('All offices');
  await page.getByRole('button', { name: 'Save' }).click();
  // Until then the text is the form's, and the page knows the network as it was.
  await page.getByRole('dialog').waitFor({ state: 'hidden' });
  await page.getByText('All offices').waitFor();
  await page.getByRole('button', { name: 'Delete' }).click();
  await page.getByText('No instance changes.').waitFor();
  await page.getByRole('button', { name: 'Request to delete network' }).click();
  await page.getByRole('dialog').getByRole('link', { name: 'Open the request' }).click();
  await page.getByRole('button', { name: 'Approve' }).click();
  await page.getByRole('button', { name: 'Approve and run' }).click();
  await page.getByText('approved', { exact: true }).first().waitFor();
  await page.getByRole('link', { name: 'Networks' }).click();
  await page.getByText('No networks yet').waitFor();
  // The refused form is the one thing that a browser mentions.
  expect(complaints.filter((text) => !text.includes('422'))).toEqual([]);
  await close();
});

it('shows what happened, with before and after', async () => {
  const { page, close } = await live('/events?kind=sdwan.network.');
  await page.getByRole('row').filter({ hasText: 'sdwan.network.updated' }).click();
  await page.getByRole('dialog').locator('ins', { hasText: 'All offices' }).waitFor();
  await close();
});

it('sees what another operator does, as it happens', async () => {
  const { page, close } = await live('/networks');
  const answer = await fetch(`${url}/api/v1/actions/system_sdwan_create_network`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await adminToken()}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'by somebody else' }),
  });
  expect(answer.status).toBe(201);
  await page.getByRole('link', { name: 'by somebody else' }).waitFor();
  await close();
});

it('makes a rule, evaluates by it, and deletes it by approval', async () => {
  const { page, close } = await live('/networks');
  await page.getByRole('link', { name: 'by somebody else' }).click();
  await page.getByRole('link', { name: 'Firewall' }).click();
  await page.getByText('No rules yet').waitFor();
  await page.getByRole('button', { name: 'New rule' }).click();
  const form = page.getByRole('dialog', { name: 'New rule' });
  await form.getByLabel('Action').selectOption('drop');
  await form.getByLabel('From', { exact: true }).selectOption('tag');
  await form.getByRole('button', { name: 'Create rule' }).click();
  await form.getByText('needs tag').first().waitFor();
  await form.getByLabel('From: which').fill('guest');
  await form.getByLabel('Protocol').selectOption('tcp');
  await form.getByLabel('Ports').fill('22');
  await form.getByRole('button', { name: 'Create rule' }).click();
  const sheet = page.getByRole('dialog', { name: 'drop tcp 22 from guest to all' });
  await sheet.getByText('tag guest (unused)').waitFor();
  await sheet.getByText('Compiled rule').waitFor();
  await sheet.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('button', { name: 'Request to delete rule' }).click();
  await page.getByRole('link', { name: 'Open the request' }).first().click();
  await page.getByRole('button', { name: 'Approve' }).click();
  await page.getByRole('button', { name: 'Approve and run' }).click();
  await page.getByText('approved', { exact: true }).first().waitFor();
  await page.goBack();
  await page.getByRole('dialog').getByText('Not found').waitFor();
  await page.keyboard.press('Escape');
  await page.getByText('No rules yet').waitFor();
  await page.getByRole('link', { name: 'Reachability' }).click();
  await page.getByText('Nothing to check yet').waitFor();
  const explain = page.getByRole('form', { name: 'Explain' });
  for (const end of ['From', 'To']) {
    await explain.getByLabel(end, { exact: true }).selectOption('address');
    await explain.getByLabel(`${end}: which`).fill(end === 'From' ? 'fd00::1' : 'fd00::2');
  }
  await explain.getByRole('button', { name: 'Explain' }).click();
  await explain.getByText('no route', { exact: true }).waitFor();
  await close();
});

it('grants access by an address that is shown once, and takes it back', async () => {
  const { page, close } = await live('/networks');
  await page.getByRole('link', { name: 'by somebody else' }).click();
  await page.getByRole('link', { name: 'Devices' }).click();
  await page.getByText('No devices yet').waitFor();
  await page.getByRole('button', { name: 'New access grant' }).click();
  await page.getByLabel('Device name').fill('a phone');
  await page.getByRole('button', { name: 'Create access grant' }).click();
  expect(await page.locator('[data-secret]').innerText()).toMatch(/#\S+$/);
  await page.getByText('Waiting for the device…').waitFor();
  await page.getByRole('button', { name: 'I have copied it' }).click();
  const row = page.getByRole('row').filter({ hasText: 'a phone' });
  await row.getByRole('button', { name: 'Revoke' }).click();
  await page.getByLabel('Approve now').check();
  await page.getByRole('button', { name: 'Revoke access grant' }).click();
  await row.getByText('revoked').waitFor();
  await close();
});

it('makes the command that joins a machine, and takes its token back', async () => {
  const { page, close } = await live('/join');
  await page.getByLabel('Instance name').fill('edge1');
  await page.getByRole('button', { name: 'Create command' }).click();
  expect(await page.locator('[data-secret]').innerText()).toMatch(
    /^curl -fsSL https:\S+\/install\.sh .* \| sh -s -- --token pnj_\S+$/,
  );
  await page.getByText('Waiting for the instance…').waitFor();
  const row = page.getByRole('row').filter({ hasText: 'edge1' });
  await row.getByRole('button', { name: 'Revoke' }).click();
  await page.getByLabel('Approve now').check();
  await page.getByRole('button', { name: 'Revoke token' }).click();
  await row.getByText('revoked').waitFor();
  await page.getByText('The token is revoked; create another').waitFor();
  await close();
});

it('lists a machine before it joins', async () => {
  const { page, close } = await live('/join');
  await page.getByLabel('Create the instance now').check();
  await page.getByLabel('Instance name').fill('edge2');
  await page.getByRole('button', { name: 'Create command' }).click();
  expect(await page.locator('[data-secret]').innerText()).toMatch(
    /^curl -fsSL https:\S+\/install\.sh .* \| sh -s -- --token pnj_\S+$/,
  );
  await page.getByRole('link', { name: 'Instances', exact: true }).click();
  await page.getByRole('row').filter({ hasText: 'edge2' }).getByText('pending').waitFor();
  await page.getByRole('link', { name: 'edge2' }).click();
  await page.getByText('Not joined yet').waitFor();
  await close();
});

it('makes an operator and a token that may only read, and signs in with it', async () => {
  const { page, close } = await live('/settings?tab=operators');
  await page.getByRole('button', { name: 'New operator' }).click();
  await page.getByLabel('Name').fill('Ada');
  await page.getByLabel('Role').selectOption('viewer');
  await page.getByRole('button', { name: 'Create operator' }).click();
  await page.getByRole('row').filter({ hasText: 'Ada' }).waitFor();
  await page.getByRole('link', { name: 'API tokens' }).click();
  await page.getByRole('button', { name: 'New API token' }).click();
  await page.getByLabel('Name').fill('for Ada');
  await page.getByLabel('Operator', { exact: true }).selectOption({ label: 'Ada' });
  await page.getByRole('button', { name: 'Create token' }).click();
  const token = await page.locator('[data-secret]').innerText();
  const ada = await openSignedIn(browser, { url, token });
  await ada.page.goto('/networks');
  await ada.page.getByText('viewer of default').waitFor();
  await ada.page.getByRole('link', { name: 'by somebody else' }).waitFor();
  expect(await ada.page.getByRole('button', { name: 'New network' }).count()).toBe(0);
  await page.getByRole('button', { name: 'I have copied it' }).click();
  await page.getByRole('row').filter({ hasText: 'for Ada' }).getByRole('button', { name: 'Revoke' }).click();
  await page.getByRole('button', { name: 'Request to revoke token' }).click();
  await page.getByRole('dialog').getByRole('link', { name: 'Open the request' }).click();
  await page.getByRole('button', { name: 'Approve' }).click();
  await page.getByRole('button', { name: 'Approve and run' }).click();
  await ada.page.getByText('You were signed out').waitFor();
  await ada.context.close();
  await close();
});

it('survives the platform being killed', async () => {
  const { page, close } = await live('/networks');
  await page.getByRole('link', { name: 'by somebody else' }).waitFor();
  await ended(platform, 'SIGKILL');
  await page.getByText(/Disconnected — showing data from \d\d:\d\d:\d\d/).waitFor();
  expect(await page.getByRole('link', { name: 'by somebody else' }).count()).toBe(1);
  platform = await startPlatform();
  await page.getByRole('alert').waitFor({ state: 'detached' });
  await page.locator('.connection:visible', { hasText: 'Live' }).waitFor();
  await close();
});

it('is opened over HTTPS where plain HTTP is not served, with a certificate that browsers know', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'powernode-https-'));
  const [port, nodes] = [await freePort(), await freePort()];
  // Loopback too, by an address that is not the one for plain HTTP.
  const more = ['--host', '::ffff:127.0.0.1', '--port', String(port), '--node-port', String(nodes)];
  const secure = await startPlatform([...more, '--data-dir', folder, '--allowed-hosts', '127.0.0.1']);
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  const page = await context.newPage();
  await page.goto(`https://127.0.0.1:${port}/`);
  await page.getByLabel('Token').waitFor();
  await context.close();
  const ca = await readFile(join(folder, 'authority.pem'));
  const health = await new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path: '/healthz', ca }, (answer) => resolve(answer.statusCode)).once(
      'error',
      reject,
    );
  });
  expect(health).toBe(200);
  await ended(secure, 'SIGTERM');
  await rm(folder, { recursive: true, force: true });
});
