// Screens that stay true by themselves: changes of others, machines that join, a platform that goes away.
import { expect, it } from 'vitest';
import { openSignedIn } from './browser.ts';
import { idOf } from './fake/ids.ts';
import { fakeToken } from './fake/server.ts';
import { makeInstance, stored } from './fake/world.ts';
import { useStage } from './stage.ts';

const stage = useStage();

async function open(path: string) {
  const { server, platform } = await stage.fresh();
  const signed = await openSignedIn(stage.browser, { url: server.url, token: fakeToken });
  await signed.page.goto(path);
  await signed.page.locator('.connection:visible', { hasText: 'Live' }).waitFor();
  return { ...signed, server, platform };
}

it('a change that somebody else makes shows by its event', async () => {
  const { page, context, platform } = await open('/networks');
  await page.getByRole('link', { name: 'office' }).waitFor();
  platform.answer('system_sdwan_create_network', { name: 'from the command line' });
  await page.getByRole('link', { name: 'from the command line' }).waitFor();
  const [office] = platform.world.networks;
  platform.answer('system_sdwan_update_network', { network_id: office?.id, name: 'headquarters' });
  await page.getByRole('link', { name: 'headquarters' }).waitFor();
  await context.close();
});

it('what somebody else deletes is not shown on', async () => {
  const { page, context, platform } = await open(
    `/networks/${idOf(501)}?view=firewall&firewall_rule=${idOf(3103)}`,
  );
  await page.getByRole('dialog', { name: 'no ssh to branches' }).waitFor();
  platform.answer('system_sdwan_delete_firewall_rule', { firewall_rule_id: idOf(3103), approve: true });
  await page.getByRole('dialog').getByText('Not found').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('grid', { name: 'rules' }).waitFor();
  expect(await page.getByRole('row').filter({ hasText: 'no ssh' }).count()).toBe(0);
  await context.close();
});

it('the topology shows who fell silent', async () => {
  const { page, context, platform } = await open(`/networks/${idOf(501)}`);
  const spot = page.locator('[data-spot]').filter({ hasText: 'edge1' });
  await spot.waitFor();
  const i = platform.world.peers.findIndex((peer) => peer.hostname === 'edge1');
  const peer = platform.world.peers[i];
  if (peer === undefined) throw new Error('no edge1');
  platform.world.peers[i] = { ...peer, status: 'silent' };
  platform.emit('sdwan.peer.silent', { peer_id: peer.id, hostname: 'edge1' }, { severity: 'warning' });
  await spot.filter({ hasText: 'silent' }).waitFor();
  expect(await spot.getAttribute('data-tone')).toBe('bad');
  await context.close();
});

it('a machine that dies is seen to be dead in picture, list, sheet and machine [9.14]', async () => {
  const { page, context, platform } = await open(`/networks/${idOf(501)}`);
  const spot = page.locator('[data-spot]').filter({ hasText: 'edge1' });
  await spot.waitFor();
  expect(await spot.getAttribute('data-tone')).toBe('ok');
  const { peers, instances } = platform.world;
  const i = peers.findIndex((peer) => peer.hostname === 'edge1');
  const peer = peers[i];
  const n = instances.findIndex((instance) => instance.id === peer?.node_instance_id);
  const instance = instances[n];
  if (peer === undefined || instance === undefined) throw new Error('no edge1');
  const since = new Date().toISOString();
  const detail = `edge1 has not been heard by the platform and hub1 since ${since}.`;
  // The last handshake is a minute old: by its status it is connected.
  peers[i] = {
    ...peer,
    reachable: false,
    reachable_since: since,
    unreachable_because: { code: 'offline', detail },
  };
  instances[n] = { ...instance, connected: false, offline_since: since, last_heard_at: since };
  const told = { peer_id: peer.id, network_id: peer.network_id, hostname: 'edge1' };
  platform.emit('system.instance.offline', { instance_id: instance.id }, { severity: 'warning' });
  platform.emit('sdwan.peer.unreachable', told, { severity: 'warning' });
  await spot.filter({ hasText: 'unreachable' }).waitFor();
  expect(await spot.getAttribute('data-tone')).toBe('bad');
  await spot.click();
  const sheet = page.getByRole('dialog', { name: 'edge1' });
  await sheet.getByText(detail).waitFor();
  await sheet.getByText('down').first().waitFor();
  await page.goto(`${new URL(page.url()).origin}/networks/${idOf(501)}?view=peers`);
  const row = page.getByRole('row').filter({ hasText: 'edge1' });
  await row.filter({ hasText: 'unreachable' }).waitFor();
  await page.goto(`${new URL(page.url()).origin}/instances/${instance.id}`);
  await page.getByText('Offline', { exact: true }).waitFor();
  await page.getByText('offline', { exact: true }).first().waitFor();
  await context.close();
});

it('events appear as they happen, can be held, and show before and after', async () => {
  const { page, context, platform } = await open('/events');
  const rows = page.getByRole('row');
  platform.answer('system_sdwan_create_network', { name: 'first' });
  await rows.filter({ hasText: 'first' }).waitFor();
  await page.getByRole('button', { name: 'Pause' }).click();
  platform.answer('system_sdwan_create_network', { name: 'second' });
  await page.getByRole('button', { name: 'Resume (1 new event)' }).waitFor();
  expect(await rows.filter({ hasText: 'second' }).count()).toBe(0);
  await page.getByRole('button', { name: 'Resume' }).click();
  await rows.filter({ hasText: 'second' }).waitFor();
  await page.getByLabel('Kind begins with').selectOption('sdwan.peer.');
  await rows.filter({ hasText: 'second' }).waitFor({ state: 'detached' });
  await rows.filter({ hasText: 'sdwan.peer.tags_set' }).click();
  const sheet = page.getByRole('dialog');
  await sheet.locator('del', { hasText: 'branch' }).waitFor();
  await sheet.locator('ins', { hasText: 'branch, nat' }).waitFor();
  await context.close();
});

it('a machine that joins is seen at once, and can be attached once it has offered keys [9.15]', async () => {
  const { page, context, platform } = await open('/join');
  await page.getByLabel('Instance name').fill('edge9');
  await page.getByRole('button', { name: 'Create command' }).click();
  const secret = await page.locator('[data-secret]').innerText();
  expect(secret).toMatch(/^curl -fsSL https:\S+\/install\.sh .* \| sh -s -- --token pnj_/);
  await page.getByText('Waiting for the instance…').waitFor();
  const instance = makeInstance(900, { hostname: 'edge9', unused_keys: 0 });
  platform.world.instances.push(instance);
  const token = platform.world.joinTokens[0];
  if (token === undefined) throw new Error('no token was made');
  platform.world.joinTokens[0] = {
    ...token,
    status: 'used',
    used_at: stored('', 0).created_at,
    instance_id: instance.id,
  };
  platform.emit('system.instance.joined', { before: null, after: instance });
  await page.getByText('edge9 joined').waitFor();
  await page.getByText('It has not published any keys yet').waitFor();
  expect(await page.getByLabel('Attach to').count()).toBe(0);
  const running = { ...instance, unused_keys: 16 };
  platform.world.instances[platform.world.instances.indexOf(instance)] = running;
  platform.emit('system.instance.running', { instance_id: instance.id, hostname: 'edge9' });
  await page.getByLabel('Attach to').selectOption({ label: 'plant' });
  await page.getByRole('button', { name: 'Attach', exact: true }).click();
  await page.getByRole('link', { name: 'Attached: open the network' }).waitFor();
  expect(platform.world.peers.at(-1)?.hostname).toBe('edge9');
  await page.getByRole('button', { name: 'Add another' }).click();
  expect(await page.getByText(secret).count()).toBe(0);
  await context.close();
});

it('a machine is listed before it joins, where the offers leave a choice', async () => {
  const { page, context, platform } = await open('/join');
  await page.getByLabel('Create the instance now').check();
  await page.getByRole('button', { name: 'Create command' }).click();
  await page.getByText('Not accepted').waitFor();
  await page.getByLabel('Instance name').fill('edge8');
  await page.getByLabel('Region').selectOption('south');
  expect(await page.getByLabel('Template').count()).toBe(0);
  const [asked] = await Promise.all([
    page.waitForRequest((request) => request.url().endsWith('/system_create_instance')),
    page.getByRole('button', { name: 'Create command' }).click(),
  ]);
  expect(asked.postDataJSON()).toMatchObject({ provider_region_id: platform.world.regions[1]?.id });
  await page.getByText('Waiting for the instance…').waitFor();
  const listed = platform.world.instances.at(-1);
  expect(listed).toMatchObject({ hostname: 'edge8', status: 'pending' });
  await page.goto(page.url().replace(/\/join.*/, `/instances/${listed?.id}`));
  await page.getByText('Not joined yet').waitFor();
  await context.close();
});

it('a platform that goes away is said to be away, and is found again by itself', async () => {
  const { page, context, server, platform } = await open('/networks');
  await page.getByRole('link', { name: 'office' }).waitFor();
  await server.stop();
  const banner = page.getByRole('alert');
  await banner.getByText(/Disconnected — showing data from \d\d:\d\d:\d\d/).waitFor();
  // What was known stays to be read, and pages that were seen can be gone to.
  expect(await page.getByRole('link', { name: 'office' }).count()).toBe(1);
  platform.world.networks.splice(1, 1);
  await server.start();
  await banner.getByText('Disconnected').waitFor({ state: 'detached' });
  await page.getByRole('link', { name: 'plant' }).waitFor({ state: 'detached' });
  await context.close();
});

it('events that were missed are caught up with', async () => {
  const { page, context, server, platform } = await open('/events');
  await page.getByRole('row').filter({ hasText: 'sdwan.network.updated' }).waitFor();
  await server.stop();
  await page.getByText('Disconnected —').waitFor();
  platform.emit('sdwan.network.created', { before: null, after: { id: 'x', name: 'made meanwhile' } });
  await server.start();
  await page.getByRole('row').filter({ hasText: 'made meanwhile' }).waitFor();
  await context.close();
});

it('a page that is opened while the platform is away waits for it', async () => {
  const { page, context, server } = await open('/networks');
  await page.getByRole('link', { name: 'office' }).waitFor();
  await page.waitForFunction(() =>
    performance.getEntriesByType('resource').some((entry) => entry.name.includes('settings-page')),
  );
  await server.stop();
  await page.getByText('Disconnected —').waitFor();
  await page.keyboard.press('g');
  await page.keyboard.press('s');
  await page.getByText('owner of Acme').first().waitFor();
  await page.getByRole('link', { name: 'API tokens' }).click();
  await page.getByText('retries automatically').waitFor();
  await server.start();
  await page.getByRole('grid', { name: 'API tokens' }).waitFor();
  await context.close();
});

it('a page whose code could not be fetched comes with the platform', async () => {
  const { server } = await stage.fresh();
  const { page, context } = await openSignedIn(stage.browser, { url: server.url, token: fakeToken });
  await page.route(/settings-page/, (route) => route.abort());
  await page.goto('/networks');
  await page.locator('.connection:visible', { hasText: 'Live' }).waitFor();
  await server.stop();
  await page.getByText('Disconnected —').waitFor();
  await page.keyboard.press('g');
  await page.keyboard.press('s');
  await page.getByLabel('Loading the page').waitFor();
  await page.unroute(/settings-page/);
  await server.start();
  await page.getByText('Address pool').waitFor();
  await context.close();
});

it('approvals count and decide live', async () => {
  const { page, context, platform } = await open('/approvals');
  await page.getByRole('article', { name: 'Detach edge3 from office' }).waitFor();
  platform.answer('system_sdwan_delete_network', { network_id: idOf(502) });
  await page.getByRole('article', { name: 'Delete a network' }).waitFor();
  await page
    .getByRole('article', { name: 'Delete a network' })
    .getByRole('button', { name: 'Reject' })
    .click();
  await page.getByLabel('Reason').fill('No');
  await page.getByRole('dialog').getByRole('button', { name: 'Reject' }).click();
  await page.getByRole('article', { name: 'Delete a network' }).waitFor({ state: 'detached' });
  await page.getByRole('row').filter({ hasText: 'Delete a network' }).getByText('rejected').waitFor();
  await context.close();
});
