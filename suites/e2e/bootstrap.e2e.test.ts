// From a bootstrap URL to a configuration on a phone: a real browser of a phone's size on a real platform. Only the page
// has the private key: nothing that the browser sends has it, nor anything that the platform keeps or logs.
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { AxeBuilder } from '@axe-core/playwright';
import jsQR from 'jsqr';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ensureConsole } from '../../launch/console.mjs';
import { openBrowser } from '../../packages/console/browser/browser.ts';
import { type PlatformProgram, startPlatformProgram } from '../stage/platform-program.ts';

const run = promisify(execFile);
const skips = JSON.parse(process.env['POWERNODE_SKIP'] ?? '{}') as Record<string, string>;

let platform: PlatformProgram;
let browser: Browser;
let networkId: string;

interface Device {
  readonly id: string;
  readonly name: string;
  readonly public_key: string;
  readonly config: string;
}

/** Keys are compared with what wireguard-tools make of them. */
const lacking = ['browser', 'net'].some((part) => part in skips);

describe.skipIf(lacking)('the bootstrap page on a phone', () => {
  beforeAll(async () => {
    await ensureConsole(process.execPath);
    platform = await startPlatformProgram();
    browser = await openBrowser();
    const { network } = await platform.action<{ network: { id: string } }>('system_sdwan_create_network', {
      name: 'Field Office',
    });
    networkId = network.id;
    await platform.action('system_sdwan_attach_peer', {
      network_id: networkId,
      node_instance_id: await platform.joinMachine('hub'),
      publicly_reachable: true,
      endpoint_address: '203.0.113.5:51820',
    });
  });

  afterAll(async () => {
    await browser?.close();
    await platform?.end();
  });

  async function makeUrl(more: object = {}): Promise<{ url: string; grantId: string }> {
    const { access_grant: grant } = await platform.action<{
      access_grant: { id: string; bootstrap_url: string };
    }>('system_sdwan_create_access_grant', {
      network_id: networkId,
      device_name_hint: "Ada's phone",
      ...more,
    });
    return { url: grant.bootstrap_url, grantId: grant.id };
  }

  async function devices(): Promise<Device[]> {
    const listed = await platform.action<{ user_devices: Device[] }>('system_sdwan_list_user_devices', {});
    return listed.user_devices;
  }

  interface Phone {
    readonly context: BrowserContext;
    readonly page: Page;
    /** Address and body of everything that the browser sent. */
    readonly sent: string[];
    readonly complaints: string[];
  }

  async function openPhone(colours: 'light' | 'dark' = 'light'): Promise<Phone> {
    const context = await browser.newContext({
      viewport: { width: 390, height: 844 },
      deviceScaleFactor: 2,
      isMobile: true,
      hasTouch: true,
      colorScheme: colours,
      acceptDownloads: true,
      permissions: ['clipboard-read', 'clipboard-write'],
    });
    const page = await context.newPage();
    const [sent, complaints]: [string[], string[]] = [[], []];
    page.on('request', (request) => {
      sent.push(`${request.url()} ${JSON.stringify(request.headers())} ${request.postData() ?? ''}`);
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    return { context, page, sent, complaints };
  }

  const widthBeyondScreen = (page: Page) =>
    page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

  async function complaintsOfAxe(page: Page): Promise<string[]> {
    const { violations } = await new AxeBuilder({ page }).analyze();
    return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id} at ${node.target.join(' ')}`));
  }

  test('makes a configuration whose key pair only the page has', async () => {
    const { url, grantId } = await makeUrl();
    const { context, page, sent, complaints } = await openPhone();
    await page.goto(url);
    await page.getByRole('heading', { name: 'Join Field Office' }).waitFor();
    expect(await widthBeyondScreen(page)).toBe(0);
    expect(await complaintsOfAxe(page)).toEqual([]);
    expect(await page.getByLabel('Device name').inputValue()).toBe("Ada's phone");
    await page.getByLabel('Device name').fill('Pocket');
    await page.getByRole('button', { name: 'Create configuration' }).tap();
    await page.getByRole('heading', { name: 'Pocket is added' }).waitFor();
    expect(await widthBeyondScreen(page)).toBe(0);
    expect(await complaintsOfAxe(page)).toEqual([]);

    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Download' }).tap(),
    ]);
    expect(download.suggestedFilename()).toBe('field-office.conf');
    const config = await readFile(await download.path(), 'utf8');
    const privateKey = /^PrivateKey = (\S{44})$/m.exec(config)?.[1] ?? '';
    const [device] = await devices();
    expect(await publicKeyOf(privateKey)).toBe(device?.public_key);
    expect(device).toMatchObject({ name: 'Pocket', access_grant_id: grantId, status: 'active' });
    expect(config).toContain('Endpoint = 203.0.113.5:51820');

    await page.getByText('Show as text').tap();
    expect(await page.locator('pre').textContent()).toBe(config);
    await page.getByRole('button', { name: 'Copy' }).tap();
    await page.getByRole('button', { name: 'Copied' }).waitFor();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(config);

    // The secret is gone from the address, so it does not stay in the history of the browser.
    expect(page.url()).toBe(`${platform.url}/bootstrap`);
    const secret = new URL(url).hash.slice(1);
    expect(sent.filter((one) => one.includes(privateKey))).toEqual([]);
    expect(sent.filter((one) => one.includes(secret))).toHaveLength(2);
    expect(sent.filter((one) => one.split(' ')[0]?.includes(secret))).toEqual([]);
    expect(sent.every((one) => one.startsWith(platform.url) || one.startsWith('blob:'))).toBe(true);
    expect(platform.log()).not.toContain(secret);
    expect(platform.log()).not.toContain(privateKey);
    expect(complaints).toEqual([]);
    await context.close();
  });

  test('the QR code is the configuration', async () => {
    const { url } = await makeUrl();
    const { context, page } = await openPhone('dark');
    await page.goto(url);
    await page.getByRole('button', { name: 'Create configuration' }).tap();
    const code = page.getByRole('img', { name: /QR code/ });
    await code.waitFor();
    const config = await page.evaluate(() => document.querySelector('pre')?.textContent ?? '');
    const bars = (await code.locator('path').getAttribute('d')) ?? '';
    const size = Number((await code.getAttribute('viewBox'))?.split(' ')[3]);
    expect(readCode(bars, size)).toBe(config);
    // Cameras want dark on white, whatever the colours of the page.
    const [ground, ink] = await code.evaluate((picture) => {
      const style = getComputedStyle(picture);
      return [style.backgroundColor, style.fill];
    });
    expect([ground, ink]).toEqual(['rgb(255, 255, 255)', 'rgb(0, 0, 0)']);
    expect(await complaintsOfAxe(page)).toEqual([]);
    await context.close();
  });

  test('a link that was used, expired, was taken back or guessed says so, and gives nothing', async () => {
    const [used, expired, revoked] = [
      await makeUrl(),
      await makeUrl({ expires_in_seconds: 1 }),
      await makeUrl(),
    ];
    await platform.action('system_sdwan_issue_user_device', {
      network_id: networkId,
      access_grant_id: used.grantId,
      public_key: await publicKeyOf((await run('wg', ['genkey'])).stdout.trim()),
    });
    await platform.action('system_sdwan_revoke_access_grant', {
      access_grant_id: revoked.grantId,
      approve: true,
    });
    const { context, page } = await openPhone();
    const sees = async (url: string, title: string) => {
      await page.goto('about:blank');
      await page.goto(url);
      await page.getByRole('heading', { name: title }).waitFor();
      expect(await page.getByRole('button').count()).toBe(0);
      expect(await page.locator('body').innerText()).not.toContain('Field Office');
      expect(await complaintsOfAxe(page)).toEqual([]);
    };
    await sees(used.url, 'This link was already used');
    await sees(revoked.url, 'This link was revoked');
    await sees(`${platform.url}/bootstrap#pnb_${'A'.repeat(43)}`, 'This link does not work');
    await sees(`${platform.url}/bootstrap`, 'This link is incomplete');
    await expect.poll(async () => statusOf(expired.grantId), { timeout: 20_000 }).toBe('expired');
    await sees(expired.url, 'This link has expired');
    await context.close();
  });

  async function statusOf(grantId: string): Promise<string> {
    const { access_grant: grant } = await platform.action<{ access_grant: { status: string } }>(
      'system_sdwan_get_access_grant',
      { access_grant_id: grantId },
    );
    return grant.status;
  }

  test('of two phones with one link the second is told, and has no configuration', async () => {
    const { url } = await makeUrl();
    const [first, second] = [await openPhone(), await openPhone()];
    for (const { page } of [first, second]) {
      await page.goto(url);
      await page.getByRole('button', { name: 'Create configuration' }).waitFor();
    }
    const before = (await devices()).length;
    await Promise.all(
      [first, second].map(({ page }) => page.getByRole('button', { name: 'Create configuration' }).tap()),
    );
    const headings = await Promise.all(
      [first, second].map(async ({ page }) => {
        await page.getByRole('button', { name: 'Create configuration' }).waitFor({ state: 'detached' });
        return page.getByRole('heading').innerText();
      }),
    );
    expect(headings.sort()).toEqual(["Ada's phone is added", 'This link was already used']);
    expect((await devices()).length).toBe(before + 1);
    for (const { context } of [first, second]) await context.close();
  });

  test.each([
    ['over plain HTTP', () => Object.defineProperty(window, 'isSecureContext', { value: false }), 'https://'],
    [
      'in a browser without X25519',
      () => {
        const value = () => Promise.reject(new DOMException('none', 'NotSupportedError'));
        Object.defineProperty(crypto.subtle, 'generateKey', { value });
      },
      'Update it',
    ],
  ])('opened %s it says what to do, and uses nothing up', async (_how, spoil, words) => {
    const { url, grantId } = await makeUrl();
    const { context, page } = await openPhone();
    await context.addInitScript(spoil);
    await page.goto(url);
    await page.getByText(words).waitFor();
    expect(await page.getByRole('button', { name: 'Create configuration' }).isDisabled()).toBe(true);
    expect(await statusOf(grantId)).toBe('unused');
    await context.close();
  });

  test('what it shows for a command line works as it stands', async () => {
    const { url } = await makeUrl();
    const { context, page } = await openPhone();
    await page.goto(url);
    await page.getByText('On a command line').tap();
    const lines = (await page.locator('pre').innerText()).split('\n');
    expect(lines.at(-1)).toBe('wg-quick up ./field-office.conf');
    const directory = await mkdtemp(path.join(tmpdir(), 'pn-script-'));
    await run('bash', ['-euc', lines.slice(0, -1).join('\n')], { cwd: directory });
    const config = await readFile(path.join(directory, 'field-office.conf'), 'utf8');
    const key = (await readFile(path.join(directory, 'device.key'), 'utf8')).trim();
    expect(config).toContain(`PrivateKey = ${key}\n`);
    const publicKey = await publicKeyOf(key);
    expect((await devices()).map((device) => device.public_key)).toContain(publicKey);
    await rm(directory, { recursive: true });
    await context.close();
  });
});

async function publicKeyOf(privateKey: string): Promise<string> {
  const child = run('wg', ['pubkey']);
  child.child.stdin?.end(privateKey);
  return (await child).stdout.trim();
}

/** What a camera would read: the bars of the picture as pixels, through a decoder that others wrote. */
function readCode(path: string, size: number): string {
  const side = size * pixelsPerModule;
  const pixels = new Uint8ClampedArray(side * side * 4).fill(255);
  for (const [, x = '', y = '', width = ''] of path.matchAll(/M(\d+) (\d+)h(\d+)v1h-\d+z/g)) {
    for (let row = Number(y) * pixelsPerModule; row < (Number(y) + 1) * pixelsPerModule; row++) {
      const begin = (row * side + Number(x) * pixelsPerModule) * 4;
      const dark = new Uint32Array(Number(width) * pixelsPerModule).fill(0xff000000);
      pixels.set(new Uint8ClampedArray(dark.buffer), begin);
    }
  }
  return jsQR.default(pixels, side, side)?.data ?? 'it cannot be read';
}
const pixelsPerModule = 4;
