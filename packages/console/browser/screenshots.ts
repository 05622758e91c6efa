// Takes pictures of every page of the console of a running platform, light and dark, wide and narrow.
/// <reference lib="dom" />
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { looks, openBrowser, openPage, openSignedIn } from './browser.ts';
import { placesOf, type Subjects } from './places.ts';

export interface ScreenshotRequest {
  readonly url: string;
  readonly token: string;
  readonly outDir: string;
  /** The network whose picture is taken; absent: the one with the most peers. */
  readonly networkName?: string;
}

/** Returns the files that it wrote: `<page>-<light|dark>-<width>.png`. */
export async function takeScreenshots(request: ScreenshotRequest): Promise<string[]> {
  const subjects = await findSubjects(request);
  await mkdir(request.outDir, { recursive: true });
  const browser = await openBrowser();
  const files: string[] = [];
  try {
    for (const look of looks) {
      const fileOf = (name: string) => join(request.outDir, `${name}-${look.colours}-${look.width}.png`);
      const entry = await openPage(browser, request.url, look);
      await entry.page.goto('/');
      await entry.page.getByLabel('Token').waitFor();
      await entry.page.screenshot({ path: fileOf('sign-in') });
      files.push(fileOf('sign-in'));
      await entry.context.close();
      const { context, page } = await openSignedIn(browser, request, look);
      for (const place of placesOf(subjects)) {
        await page.goto(place.path);
        await place.ready(page);
        await page.locator('.connection:visible', { hasText: 'Live' }).waitFor();
        await settle(page);
        await page.screenshot({ path: fileOf(place.name), fullPage: look.width < 500 });
        files.push(fileOf(place.name));
      }
      await context.close();
    }
  } finally {
    await browser.close();
  }
  return files;
}

/** Until the fonts are there, the picture of a network has found its size, and all of it is painted. */
async function settle(page: Page): Promise<void> {
  await page.evaluate('document.fonts.ready');
  await page.waitForFunction(() => {
    const seen = document.querySelector<HTMLElement>('.react-flow__viewport')?.style.transform ?? '';
    const holder = window as Window & { lastTransform?: string };
    const still = holder.lastTransform === seen;
    holder.lastTransform = seen;
    return still;
  });
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
}

/** Asks the platform what there is to be shown. */
async function findSubjects(request: ScreenshotRequest): Promise<Subjects> {
  const { networks } = await call<{ networks: { id: string; name: string; peer_count: number }[] }>(
    request,
    'system_sdwan_list_networks',
  );
  const wanted = networks.filter((n) => request.networkName === undefined || n.name === request.networkName);
  const network = wanted.sort((a, b) => b.peer_count - a.peer_count)[0];
  if (network === undefined) throw new Error('There is no network to take pictures of.');
  const { peers } = await call<{ peers: { id: string; role: string; node_instance_id: string }[] }>(
    request,
    'system_sdwan_list_peers',
    { network_id: network.id },
  );
  const peer = peers.find((one) => one.role === 'spoke') ?? peers[0];
  if (peer === undefined) throw new Error(`The network ${network.name} has no peers to take pictures of.`);
  const other = peers.find((one) => one.id !== peer.id) ?? peer;
  const { approvals } = await call<{ approvals: { id: string }[] }>(request, 'system_list_approvals');
  return {
    networkId: network.id,
    instanceId: peer.node_instance_id,
    peerId: peer.id,
    otherPeerId: other.id,
    approvalId: approvals[0]?.id ?? null,
    virtualIpId: await firstOf(request, 'virtual_ips', network.id),
    firewallRuleId: await firstOf(request, 'firewall_rules', network.id),
    portMappingId: await firstOf(request, 'port_mappings', network.id),
    userDeviceId: await firstOf(request, 'user_devices', network.id),
    routing: null,
  };
}

/** The first of what a network serves; null: there is none. */
async function firstOf(request: ScreenshotRequest, nouns: string, networkId: string): Promise<string | null> {
  const answer = await call<Record<string, readonly { id: string }[] | undefined>>(
    request,
    `system_sdwan_list_${nouns}`,
    { network_id: networkId },
  );
  return answer[nouns]?.[0]?.id ?? null;
}

async function call<T>(request: ScreenshotRequest, action: string, parameters: object = {}): Promise<T> {
  const response = await fetch(`${request.url}/api/v1/actions/${action}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${request.token}`, 'content-type': 'application/json' },
    body: JSON.stringify(parameters),
  });
  if (!response.ok) throw new Error(`${action} answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as T;
}
