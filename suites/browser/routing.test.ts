// Routing in the console on a running platform with its database: sessions as instances report them, until an instance is
// offline; a route and why it goes where it goes; and what a route policy would do, against what it does once it is saved.
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { goTo, openBrowser, openSignedIn } from '../../packages/console/browser/browser.ts';
import { type PlatformProgram, startPlatformProgram } from '../stage/platform-program.ts';

type Body = Record<string, Record<string, string>>;

/** The test machine is shared: this ends what would never end. */
const waitMs = 60_000;
const lan = 'fd00:77:1::/64';

let platform: PlatformProgram;
let browser: Browser;
let networkId = '';
const peers: Record<string, string> = {};
const instances: Record<string, string> = {};

beforeAll(async () => {
  platform = await startPlatformProgram();
  const { action } = platform;
  const created = { name: 'sites', routing_mode: 'ibgp' };
  networkId = (await action<Body>('system_sdwan_create_network', created))['network']?.['id'] ?? '';
  for (const hostname of ['hub', 'tokyo', 'osaka', 'kyoto']) {
    const instance = await platform.joinMachine(hostname);
    const place =
      hostname === 'hub' ? { publicly_reachable: true, endpoint_address: '203.0.113.1:51820' } : {};
    const input = { network_id: networkId, node_instance_id: instance, ...place };
    instances[hostname] = instance;
    peers[hostname] = (await action<Body>('system_sdwan_attach_peer', input))['peer']?.['id'] ?? '';
  }
  for (const [hostname, preference] of [
    ['tokyo', 200],
    ['osaka', 100],
  ] as const) {
    const subnets = [{ prefix: lan, preference, description: 'Office' }];
    await action('system_sdwan_update_peer_lan_subnets', { peer_id: peers[hostname], subnets });
  }
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
  await platform?.end();
});

/** As the agent of the instance says it of its session with the hub. */
function says(hostname: string, said: object): void {
  platform.nodeOf(instances[hostname] ?? '').observe({
    bgp_sessions: [
      {
        network_id: networkId,
        peer_id: peers['hub'] ?? '',
        state: 'Established',
        established_at: new Date(Date.now() - 3_700_000).toISOString(),
        prefixes_received: 2,
        last_error: null,
        ...said,
      },
    ],
  });
}

async function onPage(query: string, run: (page: Page) => Promise<void>): Promise<void> {
  const { page, context, complaints } = await openSignedIn(browser, platform);
  page.setDefaultTimeout(waitMs);
  await goTo(page, `/networks/${networkId}${query}`);
  await page.locator('.connection:visible', { hasText: 'Live' }).waitFor();
  await run(page);
  // What the platform refuses is the one thing that a browser mentions.
  expect(complaints.filter((text) => !text.includes('422'))).toEqual([]);
  await context.close();
}

const rowOf = (page: Page, hasText: string) => page.getByRole('row').filter({ hasText });

test('sessions follow what instances report, and one of an instance that is offline is not shown as current', () =>
  onPage('?view=routing&part=sessions', async (page) => {
    // Its own end, and not that of the hub.
    const kyoto = page.getByRole('row').filter({ hasText: /^kyoto\s*hub/ });
    await kyoto.getByText('not reported', { exact: true }).waitFor();
    says('kyoto', {});
    await kyoto.getByText('Established', { exact: true }).waitFor();
    await kyoto.getByText('1h01m').waitFor();
    says('kyoto', { state: 'Active', established_at: null, last_error: 'BFD down received' });
    await kyoto.getByText('Active', { exact: true }).waitFor();
    await kyoto.getByText('BFD down received').click();
    const sheet = page.getByRole('dialog', { name: 'kyoto → hub' });
    await sheet.getByText('Likely cause').waitFor();
    await sheet.getByText(/hub does not answer on TCP port 179 .*BFD down received/).waitFor();
    await page.keyboard.press('Escape');
    says('kyoto', {});
    await kyoto.getByText('Established', { exact: true }).waitFor();
    platform.nodeOf(instances['kyoto'] ?? '').drop();
    await kyoto.getByText('was Established', { exact: true }).waitFor();
    expect(await kyoto.getByText('1h01m').count()).toBe(0);
    await platform.nodeOf(instances['kyoto'] ?? '').connect();
    await kyoto.getByText('Established', { exact: true }).waitFor();
  }));

test('a policy does to routes what its preview said, and the explanation names the statement', () =>
  onPage('?view=routing', async (page) => {
    await rowOf(page, lan).getByRole('link', { name: 'via tokyo' }).waitFor();
    await page.getByRole('link', { name: 'Route policies' }).click();
    await page.getByRole('button', { name: 'New route policy' }).click();
    const form = page.getByRole('dialog', { name: 'New route policy' });
    await form.getByLabel('Name').fill('prefer-osaka');
    const statement = form.getByRole('group', { name: 'Statement 1' });
    await statement.getByLabel('Match prefix').fill('fd00:77:1::1/64');
    await form.getByLabel('At peer').selectOption({ label: 'kyoto' });
    await form.getByRole('button', { name: 'Preview' }).click();
    await statement.getByText('has host bits set').waitFor();
    await statement.getByLabel('Match prefix').fill(lan);
    await statement.getByLabel('Match announcing peer').selectOption({ label: 'osaka' });
    await statement.getByLabel('Set local preference').fill('300');
    await form.getByRole('button', { name: 'Preview' }).click();
    const change = form.getByRole('list', { name: 'Routes that would change' }).getByRole('listitem');
    await change.getByText('local_pref 200 → 300').waitFor();
    expect(await change.innerText()).toMatch(/via tokyo → via osaka[^]*at kyoto and 1 other peer/);
    await form.getByText('set local-preference 300').waitFor();
    expect(await policies()).toEqual([]);
    await form.getByRole('button', { name: 'Create route policy' }).click();
    await form.getByRole('button', { name: /^Create route policy: change/ }).click();
    await page.getByRole('dialog', { name: 'prefer-osaka' }).getByText('announced by osaka').waitFor();
    expect(await policies()).toMatchObject([{ name: 'prefer-osaka' }]);
    await page.keyboard.press('Escape');
    await page.getByRole('link', { name: 'Routes', exact: true }).click();
    await rowOf(page, lan).getByRole('link', { name: 'via osaka' }).waitFor();
    await rowOf(page, lan)
      .getByRole('button', { name: `Explain ${lan}` })
      .click();
    const sheet = page.getByRole('dialog', { name: `Route ${lan}` });
    await sheet.getByLabel('At peer').selectOption({ label: 'kyoto' });
    await sheet.getByText('statement 10 permits and sets local_pref 300').waitFor();
    const paths = sheet.getByRole('list', { name: 'Paths' }).getByRole('listitem');
    await paths.filter({ hasText: 'via osaka' }).getByText('best', { exact: true }).waitFor();
    await paths.filter({ hasText: 'via tokyo' }).getByText('lower than that of the best path').waitFor();
  }));

test('a statement that cannot decide is found beside it, before it is saved', () =>
  onPage('?view=routing&part=policies', async (page) => {
    await rowOf(page, 'prefer-osaka').click();
    const sheet = page.getByRole('dialog', { name: 'prefer-osaka' });
    await sheet.getByRole('button', { name: 'Edit' }).click();
    await sheet.getByRole('button', { name: 'Add statement' }).click();
    const second = sheet.getByRole('group', { name: 'Statement 2' });
    await second.getByLabel('Match prefix').fill(lan);
    await second.getByLabel('Match announcing peer').selectOption({ label: 'osaka' });
    await second.getByLabel('Action').selectOption('deny');
    await sheet.getByRole('button', { name: 'Preview' }).click();
    await second.getByText('contradictory').waitFor();
    await sheet.getByText('None, by what is announced and reachable now.').waitFor();
    // The other way round it decides.
    await sheet.getByRole('button', { name: 'Move statement 2 up' }).click();
    await sheet.getByRole('button', { name: 'Preview' }).click();
    await sheet.getByText('denied: the path of osaka').first().waitFor();
    // A reference that is wrong is refused with its place in the order that is sent.
    await sheet.getByRole('group', { name: 'Statement 2' }).getByLabel('Set next hop').fill('fd00::99');
    await sheet.getByRole('button', { name: 'Save' }).click();
    const wrong = sheet.getByRole('group', { name: 'Statement 2' }).locator('.field-error');
    await wrong.getByText('is the address of no peer of this network').waitFor();
    await sheet.getByRole('button', { name: 'Cancel' }).click();
    expect(await policies()).toMatchObject([{ statements: [{ seq: 10, action: 'permit' }] }]);
  }));

test('a LAN behind two peers is in the topology, with the peer that is used', () =>
  onPage('', async (page) => {
    const spot = page.locator('.spot[data-kind="lan"]').filter({ hasText: lan });
    await spot.getByText('via osaka · standby: tokyo').waitFor();
    await page.getByRole('button', { name: new RegExp(`tokyo.*in front of ${lan} as standby`) }).waitFor();
    await platform.action('system_sdwan_update_peer_lan_subnets', { peer_id: peers['osaka'], subnets: [] });
    await spot.getByText('via tokyo', { exact: true }).waitFor();
  }));

async function policies(): Promise<object[]> {
  const answer = await platform.action<{ route_policies: object[] }>('system_sdwan_list_route_policies', {
    network_id: networkId,
  });
  return answer.route_policies;
}
