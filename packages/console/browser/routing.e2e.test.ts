// Routing: sessions of BGP as they are and as they were, routes and why they go where they go, route policies with what
// they would do before they are saved, and LANs in the topology.
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { goTo, openSignedIn } from './browser.ts';
import { idOf } from './fake/ids.ts';
import type { FakePlatform } from './fake/platform.ts';
import { fakeToken } from './fake/server.ts';
import { smallWorld } from './fake/small-world.ts';
import type { World } from './fake/world.ts';
import { useStage } from './stage.ts';

const stage = useStage();
const network = `/networks/${idOf(502)}`;
const routing = `${network}?view=routing`;
const isLive = (page: Page) => page.locator('.connection:visible', { hasText: 'Live' }).waitFor();
const rowOf = (page: Page, text: string) => page.getByRole('row').filter({ hasText: text });
const policies = ({ world }: FakePlatform) => world.routePolicies;

it('sessions are shown as their instances say them now, and what is not known now is not shown as if it were', () =>
  stage.on(`${routing}&part=sessions`, async (page, platform) => {
    await isLive(page);
    await rowOf(page, 'cell-02').getByText('Active', { exact: true }).waitFor();
    await rowOf(page, 'cell-02').getByText('BFD down received').waitFor();
    const offline = rowOf(page, 'cell-03');
    await offline.getByText('was Established', { exact: true }).waitFor();
    expect(await offline.getByText('1d02h03m').count()).toBe(0);
    const up = rowOf(page, 'cell-04');
    await up.getByText('1d02h03m').waitFor();
    // A session that is lost is shown at once.
    const lost = platform.world.bgpSessions[3];
    if (lost === undefined) throw new Error('the world has too few sessions');
    platform.world.bgpSessions[3] = { ...lost, state: 'Connect', last_error: 'Hold timer expired' };
    platform.emit('sdwan.bgp.session.lost', { peer_id: lost.peer_id, neighbor_id: lost.neighbor_id });
    await up.getByText('Connect', { exact: true }).waitFor();
    await up.getByText('Hold timer expired').waitFor();
    await page.getByLabel('Any state').selectOption('was Established');
    await page.getByText('1 of 31').waitFor();
  }));

it('a session that is down says what is probably wrong and what to do', () =>
  stage.on(`${routing}&part=sessions`, async (page) => {
    await rowOf(page, 'cell-02').click();
    const sheet = page.getByRole('dialog', { name: 'cell-02 → plant-hub-1' });
    await sheet.getByText('plant-hub-1 is not reachable.').waitFor();
    await sheet.getByText('Bring plant-hub-1 back.').waitFor();
    await page.keyboard.press('Escape');
    await rowOf(page, 'cell-03').click();
    await page.getByText('cell-03 is offline: this is what it reported last').waitFor();
    await page.keyboard.press('Escape');
    // Of one that is established nobody is asked unless somebody wants to know.
    await rowOf(page, 'cell-04').click();
    const fine = page.getByRole('dialog', { name: 'cell-04 → plant-hub-1' });
    await fine.getByRole('button', { name: 'Diagnose' }).waitFor();
    expect(await fine.getByText('Likely cause').count()).toBe(0);
    await fine.getByRole('button', { name: 'Diagnose' }).click();
    await fine.getByText('Likely cause').waitFor();
  }));

it('a session that only has to be cleared is cleared by whoever may, once that is approved', () =>
  stage.on(`${routing}&part=sessions`, async (page, platform) => {
    await isLive(page);
    const [, , , stuck] = platform.world.bgpSessions;
    if (stuck === undefined) throw new Error('the world has too few sessions');
    platform.world.bgpSessions[3] = { ...stuck, state: 'Connect' };
    platform.emit('sdwan.bgp.session.lost', { peer_id: stuck.peer_id, neighbor_id: stuck.neighbor_id });
    // Where no step is safe there is no button.
    await rowOf(page, 'cell-02').click();
    const down = page.getByRole('dialog', { name: 'cell-02 → plant-hub-1' });
    await down.getByText('Bring plant-hub-1 back.').waitFor();
    expect(await down.getByRole('button', { name: 'Clear session' }).count()).toBe(0);
    await page.keyboard.press('Escape');
    await rowOf(page, 'cell-04').click();
    const sheet = page.getByRole('dialog', { name: 'cell-04 → plant-hub-1' });
    await sheet.getByRole('button', { name: 'Clear session' }).click();
    const question = page.getByRole('dialog', { name: 'Clear the session of cell-04 with plant-hub-1' });
    await question.getByText('1 instance changes').waitFor();
    await question.getByText('requires approval').waitFor();
    expect(platform.world.bgpSessions[3]?.last_reset).toBeNull();
    await question.getByLabel('Approve now').check();
    await question.getByRole('button', { name: 'Clear session' }).click();
    await page.getByText('cell-04 clears its session with plant-hub-1').first().waitFor();
    expect(platform.world.bgpSessions[3]?.last_reset).not.toBeNull();
    platform.permissions = platform.permissions.filter((one) => one.endsWith('.read'));
    await page.reload();
    await page.getByText('Clear the session.', { exact: true }).waitFor();
    expect(await page.getByRole('button', { name: 'Clear session' }).count()).toBe(0);
  }));

it('routes say who is in front of them and which peer is used, and are explained at any peer', () =>
  stage.on(routing, async (page, platform) => {
    const row = rowOf(page, '10.7.0.0/24');
    await row.getByText('cell-02, cell-01').waitFor();
    await row.getByRole('link', { name: 'via cell-02' }).waitFor();
    await row.getByRole('button', { name: 'Explain 10.7.0.0/24' }).click();
    const sheet = page.getByRole('dialog', { name: 'Route 10.7.0.0/24' });
    const paths = sheet.getByRole('list', { name: 'Paths' });
    await paths.getByRole('listitem').filter({ hasText: 'cell-02' }).getByText('best').waitFor();
    await paths.getByText('local_pref 300').first().waitFor();
    await sheet.getByText('statement 10 permits and sets local_pref 300').waitFor();
    await sheet.getByLabel('At peer').selectOption({ label: 'cell-05' });
    await expect.poll(() => page.url()).toContain('at=');
    // What changes elsewhere changes the explanation.
    await isLive(page);
    const [policy] = policies(platform);
    platform.answer('system_sdwan_delete_route_policy', { route_policy_id: policy?.id, approve: true });
    await paths.getByRole('listitem').filter({ hasText: 'cell-01' }).getByText('best').waitFor();
    await sheet.getByRole('link', { name: 'cell-01' }).first().click();
    await page.getByRole('dialog', { name: 'cell-01' }).getByText('preference 200').waitFor();
  }));

it('a route without a usable path stays in the list and says so', () =>
  stage.on(routing, async (page, platform) => {
    await isLive(page);
    const { peers } = platform.world;
    const at = peers.findIndex(({ hostname }) => hostname === 'cell-03');
    const gone = peers[at];
    if (gone === undefined) throw new Error('the world has no cell-03');
    peers[at] = { ...gone, reachable: false };
    platform.emit('sdwan.peer.unreachable', { peer_id: gone.id, hostname: gone.hostname });
    await rowOf(page, 'fd00:7:1::/64').getByText('none usable').waitFor();
  }));

it('an anycast address says that the nearest of its holders is used, and of which', () => {
  const world = smallWorld();
  const [like] = world.virtualIps;
  const named = (hostname: string) => world.peers.find((peer) => peer.hostname === hostname)?.id ?? '';
  if (like === undefined) throw new Error('the world has no virtual IP');
  world.virtualIps.push({
    ...{ ...like, id: idOf(3900), network_id: idOf(502), name: 'resolver', address: 'fd00:7:2::f0' },
    ...{ anycast: true, current_holder_peer_id: null, primary_holder_peer_id: named('cell-01') },
    failover_holder_peer_ids: [named('cell-02'), named('cell-03')],
  });
  return onWorld(world, routing, async (page) => {
    const row = rowOf(page, 'fd00:7:2::f0/128');
    await row.getByText('the nearest of 3').waitFor();
    expect(await row.getByText('none usable').count()).toBe(0);
    await row.getByRole('button', { name: 'Explain fd00:7:2::f0/128' }).click();
    const sheet = page.getByRole('dialog', { name: 'Route fd00:7:2::f0/128' });
    await sheet.getByText('the nearest of 3').waitFor();
    expect(await sheet.getByText('used where it is the nearest').count()).toBe(3);
  });
});

it('a network with static routes says what that is, and is changed after its plan was shown', () =>
  stage.on(`/networks/${idOf(501)}?view=routing`, async (page, platform) => {
    await page.getByText('No routes yet').waitFor();
    await page.getByText('routed to the reachable peer with the highest preference').first().waitFor();
    await page.getByRole('link', { name: 'BGP sessions' }).click();
    await page.getByText('With static routing peers do not speak BGP').waitFor();
    await page.getByRole('link', { name: 'Route policies' }).click();
    await page.getByText('they are kept and have no effect').waitFor();
    await page.getByRole('button', { name: 'Change to iBGP' }).click();
    const question = page.getByRole('dialog');
    await question.getByText('6 instances change').waitFor();
    await question.getByRole('button', { name: 'Change to iBGP' }).click();
    await page.getByRole('button', { name: 'Change to Static' }).waitFor();
    expect(platform.world.networks.find(({ id }) => id === idOf(501))?.routing_mode).toBe('ibgp');
  }));

it('BGP among fewer than three peers is warned of', () => {
  const world = smallWorld();
  const at = world.networks.findIndex(({ id }) => id === idOf(503));
  const staging = world.networks[at];
  if (staging === undefined) throw new Error('the world has no staging');
  world.networks[at] = { ...staging, routing_mode: 'ibgp', peer_count: 2 };
  return onWorld(world, `/networks/${idOf(503)}?view=routing&part=sessions`, async (page) => {
    await page.getByText('The network has 2 peers').waitFor();
    await page.getByText('No BGP sessions yet').waitFor();
  });
});

async function onWorld(world: World, path: string, run: (page: Page) => Promise<void>): Promise<void> {
  const { server } = await stage.fresh(world);
  const { page, context } = await openSignedIn(stage.browser, { url: server.url, token: fakeToken });
  await goTo(page, path);
  await run(page);
  await context.close();
}

it('the AS number of the account is changed, from the network and in the settings', () =>
  stage.on(routing, async (page, platform) => {
    await page.getByRole('button', { name: 'Change AS number' }).click();
    const form = page.getByRole('dialog');
    await form.getByLabel('AS number').fill('1');
    await form.getByRole('button', { name: 'Save', exact: true }).click();
    await form.locator('.field-error').waitFor();
    await form.getByLabel('AS number').fill('65001');
    await form.getByRole('button', { name: 'Save', exact: true }).click();
    await form.getByText('34 instances change').waitFor();
    await form.getByRole('button', { name: 'Save: change 34 instances' }).click();
    await page.getByText('65001', { exact: true }).waitFor();
    expect(platform.world.accountBgp[0]?.as_number).toBe(65_001);
    await page.getByRole('link', { name: 'AS number of the account' }).click();
    await page.getByRole('region', { name: 'BGP' }).getByText('65001').waitFor();
  }));

it('a route policy is previewed, refused at its fields, and made', () =>
  stage.on(`${routing}&part=policies`, async (page, platform) => {
    await page.getByRole('button', { name: 'New route policy' }).click();
    const form = page.getByRole('dialog', { name: 'New route policy' });
    const statement = (n: number) => form.getByRole('group', { name: `Statement ${n}` });
    await statement(1).getByLabel('Match prefix').fill('10.7.0.1/24');
    await form.getByRole('button', { name: 'Preview' }).click();
    await statement(1).getByText('has host bits set: write 10.7.0.0/24').waitFor();
    expect(await statement(1).getByLabel('Match prefix').getAttribute('aria-invalid')).toBe('true');
    await statement(1).getByLabel('Match prefix').fill('10.7.0.0/24');
    await form.getByRole('button', { name: 'Preview' }).click();
    // The older policy decides about it.
    await form.getByText('None, by what is announced and reachable now.').waitFor();
    await statement(1).getByLabel('Match prefix').fill('fd00:7:1::/64');
    await statement(1).getByLabel('Action').selectOption('deny');
    // A preview of something else is none.
    expect(await form.getByText('None, by what is announced').count()).toBe(0);
    await form.getByRole('button', { name: 'Add statement' }).click();
    await statement(2).getByLabel('Match prefix').fill('10.200.0.0/16');
    await form.getByRole('button', { name: 'Preview' }).click();
    const changes = form.getByRole('list', { name: 'Routes that would change' });
    await changes.getByText('no path').waitFor();
    await changes.getByText('denied: the path of cell-03').waitFor();
    await statement(2).getByText('No peer announces a prefix').waitFor();
    await form.getByText('route-map in deny 10').waitFor();
    await form.getByRole('button', { name: 'Create route policy' }).click();
    await form.locator('.field-error').first().waitFor();
    await form.getByLabel('Name').fill('shut the paint shop');
    await form.getByRole('button', { name: 'Create route policy' }).click();
    await form.getByText('34 instances change').waitFor();
    expect(policies(platform)).toHaveLength(2);
    await form.getByRole('button', { name: 'Create route policy: change 34 instances' }).click();
    await page.getByRole('dialog', { name: 'shut the paint shop' }).getByText('fd00:7:1::/64').waitFor();
    expect(policies(platform)[2]).toMatchObject({
      direction: 'import',
      statements: [
        { seq: 10, match: { prefix: 'fd00:7:1::/64' }, action: 'deny', set: {} },
        { seq: 20, match: { prefix: '10.200.0.0/16' }, action: 'permit' },
      ],
    });
  }));

it('statements are moved, added and removed, a change is undone, and a policy is deleted', () =>
  stage.on(`${routing}&part=policies`, async (page, platform) => {
    const row = rowOf(page, 'prefer the second line');
    await row.getByText('dead').waitFor();
    await page.getByText('Audit: 1 finding').waitFor();
    await row.click();
    const sheet = page.getByRole('dialog', { name: 'prefer the second line' });
    await sheet.getByText('10.7.0.0/24, announced by cell-02').waitFor();
    await sheet.getByText('No peer announces a prefix').waitFor();
    await sheet.getByText('route-map in permit 10').waitFor();
    const before = policies(platform)[0]?.statements;
    await sheet.getByRole('button', { name: 'Edit' }).click();
    await sheet.getByRole('button', { name: 'Move statement 2 up' }).click();
    await sheet.getByRole('button', { name: 'Add statement' }).click();
    await sheet.getByRole('button', { name: 'Remove statement 2' }).click();
    await sheet.getByRole('button', { name: 'Save' }).click();
    await sheet.getByRole('button', { name: 'Save: change 34 instances' }).click();
    await expect
      .poll(() => policies(platform)[0]?.statements)
      .toMatchObject([
        { seq: 10, match: { prefix: '10.99.0.0/16', prefix_le: 24 }, action: 'deny' },
        { seq: 30, match: {}, action: 'permit' },
      ]);
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByText('Undone: prefer the second line is as it was').first().waitFor();
    expect(policies(platform)[0]?.statements).toEqual(before);
    await sheet.getByRole('button', { name: 'Delete' }).click();
    const question = page.getByRole('dialog', { name: 'Delete prefer the second line' });
    await question.getByText('34 instances change').waitFor();
    await question.getByLabel('Approve now').check();
    await question.getByRole('button', { name: 'Delete route policy' }).click();
    await row.waitFor({ state: 'detached' });
    expect(policies(platform)).toHaveLength(1);
  }));

it('an undo does not take back what a colleague changed since', () =>
  stage.on(`${routing}&route_policy=${idOf(3601)}`, async (page, platform) => {
    const sheet = page.getByRole('dialog', { name: 'mark what leaves' });
    await sheet.getByRole('button', { name: 'Edit' }).click();
    await sheet.getByLabel('Set communities').fill('64512:8');
    await sheet.getByRole('button', { name: 'Save' }).click();
    await sheet.getByRole('button', { name: /^Save: change/ }).click();
    const undo = page.getByRole('button', { name: 'Undo' });
    await undo.waitFor();
    platform.answer('system_sdwan_update_route_policy', { route_policy_id: idOf(3601), name: 'renamed' });
    await undo.click();
    await page.getByText('mark what leaves was not undone: It has revision 3 by now').first().waitFor();
    expect(policies(platform)[1]?.name).toBe('renamed');
  }));

it('whoever may only read sees routing and changes nothing', () =>
  stage.on(`${routing}&part=policies`, async (page, platform) => {
    platform.permissions = platform.permissions.filter((one) => one.endsWith('.read'));
    await page.reload();
    await rowOf(page, 'mark what leaves').click();
    await page.getByRole('dialog').getByText('every path').waitFor();
    for (const name of ['Edit', 'Delete', 'New route policy', 'Change to Static', 'Change AS number']) {
      expect(await page.getByRole('button', { name, exact: true, includeHidden: true }).count(), name).toBe(
        0,
      );
    }
  }));

it('LANs are in the topology, by eye and by ear, and lead to their routes', () =>
  stage.on(network, async (page) => {
    const lan = page.locator('.spot[data-kind="lan"]').filter({ hasText: '10.7.0.0/24' });
    await lan.getByText('via cell-02 · standby: cell-01').waitFor();
    await page.getByRole('button', { name: /cell-02.*in front of 10\.7\.0\.0\/24$/ }).waitFor();
    await page.getByRole('button', { name: /cell-01.*in front of 10\.7\.0\.0\/24 as standby/ }).waitFor();
    await page.getByText('another peer in front of it').waitFor();
    // Arrows go on from the peers to them.
    await page.locator('[data-spot][tabindex="0"]').focus();
    await page.keyboard.press('ArrowLeft');
    expect(await page.evaluate(() => document.activeElement?.getAttribute('data-kind'))).toBe('lan');
    await lan.click();
    await page.getByRole('dialog', { name: 'Route 10.7.0.0/24' }).waitFor();
  }));

it('of very many routes only those in view are drawn, and each is found', () => {
  const world = smallWorld();
  const peer = world.peers.find(({ hostname }) => hostname === 'cell-09');
  const [like] = world.subnets;
  if (peer === undefined || like === undefined) throw new Error('the world is too small');
  for (let n = 0; n < 5000; n++) {
    const prefix = `fd00:5:${n.toString(16)}::/64`;
    world.subnets.push({ ...like, id: idOf(2_000_000 + n), peer_id: peer.id, prefix });
  }
  return onWorld(world, routing, async (page) => {
    await page.getByText('5,002 routes', { exact: true }).waitFor();
    expect(await page.getByRole('row').count()).toBeLessThan(60);
    await page.keyboard.press('/');
    await page.keyboard.type('fd00:5:1387::');
    await page.getByText('1 of 5,002').waitFor();
    await page.getByRole('link', { name: 'Topology' }).click();
    await page.getByText('LANs of 5,002 not drawn').waitFor();
    expect(await page.locator('.spot[data-kind="lan"]').count()).toBe(40);
  });
});
