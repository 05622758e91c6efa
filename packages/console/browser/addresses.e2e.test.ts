// Virtual IPs and port mappings: made, changed, moved, deleted, with plans before and approvals between.
import { expect, it } from 'vitest';
import { idOf } from './fake/ids.ts';
import { useStage } from './stage.ts';

const stage = useStage();
const network = `/networks/${idOf(501)}`;
const [hub2, edge1, edge2] = [idOf(1_000_001), idOf(1_000_002), idOf(1_000_003)];

it('a virtual IP is made, and what is wrong stands at its field', () =>
  stage.on(`${network}?view=virtual-ips`, async (page, platform) => {
    await page.getByRole('button', { name: 'New virtual IP' }).click();
    const form = page.getByRole('dialog');
    await form.getByLabel('Address').fill('10.0.0');
    await form.getByLabel('Hold-down').fill('long');
    await form.getByRole('button', { name: 'Create virtual IP' }).click();
    await form.getByText('is not an IPv6 or IPv4 address').first().waitFor();
    for (const label of [/^Name/, /^Address/, /^Primary holder/, /^Hold-down/]) {
      expect(await form.getByLabel(label).getAttribute('aria-invalid'), String(label)).toBe('true');
    }
    await form.getByLabel('Name').fill('mail');
    await form.getByLabel('Address').fill('fd4a:91c0:77e2:1::f0');
    await form.getByLabel('Hold-down').fill('30');
    await form.getByLabel('Primary holder', { exact: true }).selectOption({ label: 'edge1' });
    await form.getByLabel('Add to fail-over holders').selectOption({ label: 'hub2' });
    await form.getByLabel('Add to fail-over holders').selectOption({ label: 'edge2' });
    await form.getByRole('button', { name: 'Move edge2 up' }).click();
    await form.getByRole('button', { name: 'Create virtual IP' }).click();
    await form.getByText('fd4a:91c0:77e2:1::f0 is taken').first().waitFor();
    await form.getByLabel('Address').fill('');
    await form.getByRole('button', { name: 'Create virtual IP' }).click();
    await form.getByText('3 instances change').waitFor();
    await form.getByRole('button', { name: 'Create virtual IP: change 3 instances' }).click();
    await page.getByRole('dialog', { name: 'mail' }).getByText('edge1').first().waitFor();
    expect(platform.world.virtualIps.at(-1)).toMatchObject({
      primary_holder_peer_id: edge1,
      failover_holder_peer_ids: [edge2, hub2],
      hold_down_seconds: 30,
    });
  }));

it('an anycast address is made with a health check, which is changed and removed', () =>
  stage.on(`${network}?view=virtual-ips`, async (page, platform) => {
    await page.getByRole('button', { name: 'New virtual IP' }).click();
    const form = page.getByRole('dialog');
    await form.getByLabel('Name').fill('cache');
    await form.getByLabel('Anycast').check();
    await form.getByLabel('First holder', { exact: true }).selectOption({ label: 'edge1' });
    await form.getByLabel('Add to other holders').selectOption({ label: 'edge2' });
    await form.getByLabel('Health check').selectOption({ label: 'HTTP: status 200 to 399' });
    await form.getByLabel('Port').fill('8080');
    await form.getByLabel('Path').fill('/healthz');
    await form.getByLabel('Failures until it leaves').fill('2');
    await form.getByRole('button', { name: 'Create virtual IP' }).click();
    await form.getByRole('button', { name: /^Create virtual IP: change/ }).click();
    const sheet = page.getByRole('dialog', { name: 'cache' });
    await sheet.getByText('HTTP port 8080 /healthz').waitFor();
    const made = () => platform.world.virtualIps.at(-1)?.health_check;
    expect(made()).toMatchObject({ protocol: 'http', port: 8080, path: '/healthz', fall: 2 });
    await sheet.getByRole('button', { name: 'Edit' }).click();
    await sheet.getByRole('combobox', { name: 'Health check' }).selectOption({ label: 'None' });
    await sheet.getByRole('button', { name: 'Save' }).click();
    await sheet.getByRole('button', { name: /^Save: change/ }).click();
    await expect.poll(made).toBeNull();
  }));

it('an address with one holder at a time is made with a health check, whose state its page shows', () =>
  stage.on(`${network}?view=virtual-ips`, async (page, platform) => {
    await page.getByRole('button', { name: 'New virtual IP' }).click();
    const form = page.getByRole('dialog');
    await form.getByLabel('Name').fill('mail');
    await form.getByLabel('Primary holder', { exact: true }).selectOption({ label: 'edge1' });
    await form.getByLabel('Add to fail-over holders').selectOption({ label: 'edge2' });
    await form.getByLabel('Health check').selectOption({ label: 'TCP: a connection is accepted' });
    await form.getByText('the address moves to a fail-over holder').waitFor();
    await form.getByLabel('Port').fill('25');
    await form.getByRole('button', { name: 'Create virtual IP' }).click();
    await form.getByRole('button', { name: /^Create virtual IP: change/ }).click();
    const sheet = page.getByRole('dialog', { name: 'mail' });
    await sheet.getByText('TCP port 25').waitFor();
    const made = platform.world.virtualIps.at(-1);
    if (made === undefined) throw new Error('no virtual IP');
    expect(made).toMatchObject({ anycast: false, health_check: { protocol: 'tcp', port: 25 } });
    const [holder] = made.holders;
    if (holder === undefined) throw new Error('no holder');
    const check = sheet.getByRole('list', { name: 'Health check' }).getByRole('listitem');
    await check.filter({ hasText: 'edge1' }).getByText('unknown').waitFor();
    const failing = { ...holder, health: 'failing', last_error: 'the connection was refused' } as const;
    platform.world.virtualIps[platform.world.virtualIps.length - 1] = { ...made, holders: [failing] };
    platform.emit('sdwan.virtual_ip.holder_failing', { virtual_ip_id: made.id });
    await check.filter({ hasText: 'edge1' }).getByText('the connection was refused').waitFor();
    await sheet.getByText('score 90').waitFor();
    await sheet.getByRole('button', { name: 'Edit' }).click();
    await sheet.getByRole('combobox', { name: 'Health check' }).selectOption({ label: 'None' });
    await sheet.getByRole('button', { name: 'Save' }).click();
    await sheet.getByRole('button', { name: /^Save: change/ }).click();
    await expect.poll(() => platform.world.virtualIps.at(-1)?.health_check).toBeNull();
    await sheet.getByRole('list', { name: 'Health check' }).waitFor({ state: 'detached' });
  }));

it('one sees which holder of an anycast address fails its health check, and why', () =>
  stage.on(`${network}?view=virtual-ips`, async (page) => {
    await page.getByRole('row').filter({ hasText: 'dns' }).click();
    const holders = page.getByRole('dialog', { name: 'dns' }).getByRole('list', { name: 'Holders' });
    const failing = holders.getByRole('listitem').filter({ hasText: 'hub2' });
    await failing.getByText('failing').waitFor();
    await failing.getByText('the connection was refused').waitFor();
    await holders.getByRole('listitem').filter({ hasText: 'hub1' }).getByText('healthy').waitFor();
  }));

it('one sees who could hold it and where it has been, and moves it after a look at the plan', () =>
  stage.on(`${network}?view=virtual-ips`, async (page, platform) => {
    await page.getByRole('row').filter({ hasText: 'web' }).click();
    const sheet = page.getByRole('dialog', { name: 'web' });
    await sheet.getByText('score 90').waitFor();
    await sheet.getByText('edge2 was reached by 0 of 3 probes').waitFor();
    await sheet.getByText('took 412 ms').waitFor();
    await sheet.getByRole('button', { name: 'Fail over' }).click();
    const dialog = page.getByRole('dialog', { name: 'Fail over web' });
    await dialog.getByText('It moves to edge2.').waitFor();
    await dialog.getByLabel('Move to').selectOption({ label: 'hub2' });
    await dialog.getByText('It moves to hub2.').waitFor();
    await dialog.getByText('2 instances change').waitFor();
    await dialog.getByText('requires approval').waitFor();
    expect(platform.world.virtualIps[0]?.current_holder_peer_id).toBe(edge1);
    await dialog.getByLabel('Approve now').check();
    await dialog.getByRole('button', { name: 'Fail over', exact: true }).click();
    await sheet.getByText('manual').waitFor();
    expect(platform.world.virtualIps[0]?.current_holder_peer_id).toBe(hub2);
    // Whoever holds it is marked in the topology.
    await page.goto(network);
    const spot = page.locator('[data-spot]').filter({ hasText: 'hub2' });
    await spot.filter({ hasText: 'holds web' }).waitFor();
    expect(
      await page.locator('[data-spot]').filter({ hasText: 'edge1' }).locator('[data-badge]').count(),
    ).toBe(0);
  }));

it('a fail-over that waits moves nothing until it is approved', () =>
  stage.on(`${network}?view=virtual-ips&virtual_ip=${idOf(3000)}`, async (page, platform) => {
    await page.getByRole('button', { name: 'Fail over' }).click();
    await page.getByText('It moves to edge2.').waitFor();
    await page.getByRole('button', { name: 'Request to fail over' }).click();
    await page.getByRole('heading', { name: 'Waiting for approval' }).waitFor();
    expect(platform.world.virtualIps[0]?.current_holder_peer_id).toBe(edge1);
    await page.getByRole('link', { name: 'Open the request' }).first().click();
    await page.getByRole('button', { name: 'Approve' }).click();
    await page.getByRole('button', { name: 'Approve and run' }).click();
    await page.getByText('approved', { exact: true }).first().waitFor();
    expect(platform.world.virtualIps[0]?.current_holder_peer_id).toBe(edge2);
  }));

it('what the platform asks for by itself shows its evidence', () =>
  stage.on('/approvals', async (page, platform) => {
    const [like] = platform.world.approvals;
    if (like === undefined) throw new Error('nothing waits');
    const evidence = '2 of 2 hubs have not heard edge3 for 400 ms';
    platform.world.approvals.unshift({
      ...like,
      id: idOf(69),
      action: 'system_sdwan_failover_virtual_ip',
      category: 'system.sdwan_vip_failover',
      summary: `Move the virtual IP files: ${evidence}`,
      input: { virtual_ip_id: idOf(3001), target_peer_id: edge2 },
      plan: { nodes: [], node_count: 0, truncated: false, evidence },
      requested_by: { id: null, name: 'platform' },
    });
    platform.emit('system.approval.requested', { approval_id: idOf(69) }, { severity: 'warning' });
    const article = page.getByRole('article').filter({ hasText: 'Evidence' });
    await article.getByText(evidence, { exact: true }).waitFor();
    await article.getByRole('button', { name: 'Approve' }).click();
    await page.getByRole('button', { name: 'Approve and run' }).click();
    await article.waitFor({ state: 'detached' });
    expect(platform.world.virtualIps[1]?.current_holder_peer_id).toBe(edge2);
  }));

it('with a single candidate there is nothing to press, and it is said why', () =>
  stage.on(`${network}?view=virtual-ips&virtual_ip=${idOf(3003)}`, async (page) => {
    await page.getByRole('button', { name: 'Fail over' }).click();
    const dialog = page.getByRole('dialog', { name: 'Fail over printer' });
    await dialog.getByText('There is no other candidate').waitFor();
    await dialog.getByText('No instance changes.').waitFor();
    expect(await dialog.getByRole('button', { name: 'Request to fail over' }).isDisabled()).toBe(true);
  }));

it('a virtual IP is changed and deleted, and shows moves of others as they happen', () =>
  stage.on(`${network}?view=virtual-ips&virtual_ip=${idOf(3001)}`, async (page, platform) => {
    const sheet = page.getByRole('dialog', { name: 'files' });
    await sheet.getByText('edge3 is silent. The policy asks').waitFor();
    const ip = platform.world.virtualIps[1];
    if (ip === undefined) throw new Error('no virtual IP');
    platform.world.virtualIps[1] = {
      ...ip,
      state: 'active',
      state_detail: null,
      current_holder_peer_id: edge2,
    };
    platform.emit('sdwan.virtual_ip.failed_over', { before: ip, after: platform.world.virtualIps[1] });
    await sheet.getByText('edge3 is silent. The policy asks').waitFor({ state: 'detached' });
    await page
      .getByRole('row', { includeHidden: true })
      .filter({ hasText: 'files' })
      .getByText('edge2')
      .waitFor();
    await sheet.getByRole('button', { name: 'Edit' }).click();
    await sheet.getByLabel('Name').fill('shares');
    await sheet.getByLabel('Preempt').check();
    await sheet.getByRole('button', { name: 'Save' }).click();
    await sheet.getByRole('button', { name: 'Save: change 2 instances' }).click();
    const renamed = page.getByRole('dialog', { name: 'shares' });
    await renamed.getByRole('button', { name: 'Delete' }).click();
    const dialog = page.getByRole('dialog', { name: 'Delete shares' });
    await dialog.getByText('2 instances change').waitFor();
    await dialog.getByLabel('Approve now').check();
    await dialog.getByRole('button', { name: 'Delete virtual IP' }).click();
    await page.getByRole('row').filter({ hasText: 'shares' }).waitFor({ state: 'detached' });
    expect(platform.world.virtualIps).toHaveLength(3);
  }));

it('a port mapping is made, and what is wrong stands at its field', () =>
  stage.on(`${network}?view=port-mappings`, async (page, platform) => {
    await page.getByRole('button', { name: 'New port mapping' }).click();
    const form = page.getByRole('dialog');
    await form.getByLabel('External address').fill('203.0.113.77');
    await form.getByLabel('External port').fill('70000');
    await form.getByLabel('Allowed sources').fill('10.0.0.1/8');
    await form.getByRole('button', { name: 'Create port mapping' }).click();
    await form.getByText('is not a prefix').first().waitFor();
    for (const label of ['External port', 'Allowed sources']) {
      expect(await form.getByLabel(label).getAttribute('aria-invalid'), label).toBe('true');
    }
    await form.getByLabel('External port').fill('443');
    await form.getByLabel('Allowed sources').fill('');
    await form.getByRole('button', { name: 'Create port mapping' }).click();
    await form.getByText('give exactly one of').first().waitFor();
    expect(await form.getByLabel('Target: which').getAttribute('aria-invalid')).toBe('true');
    await form.getByLabel('Target', { exact: true }).selectOption('virtual_ip');
    await form.getByLabel('Target: which').selectOption({ label: 'web' });
    await form.getByRole('button', { name: 'Create port mapping' }).click();
    await form.getByText('no public hub of the network').first().waitFor();
    await form.getByLabel('External address').fill('198.51.100.1');
    await form.getByRole('button', { name: 'Create port mapping' }).click();
    await form.getByText('is a port mapping already').first().waitFor();
    await form.getByLabel('External port').fill('8080');
    await form.getByLabel('New connections per second').fill('50');
    await form.getByRole('button', { name: 'Create port mapping' }).click();
    const sheet = page.getByRole('dialog', { name: 'tcp 198.51.100.1:8080' });
    await sheet.getByText('web, port 8080').waitFor();
    await sheet.getByText('50 per second').waitFor();
    expect(platform.world.portMappings.at(-1)).toMatchObject({
      internal_virtual_ip_id: idOf(3000),
      internal_port: 8080,
      rate_limit: 50,
    });
  }));

it('a port mapping that leads nowhere says so, gets another target, and is closed', () =>
  stage.on(`${network}?view=port-mappings`, async (page, platform) => {
    const row = page.getByRole('row').filter({ hasText: 'udp' });
    await row.getByText('target missing').waitFor();
    await row.click();
    const sheet = page.getByRole('dialog', { name: 'udp 198.51.100.2:53' });
    await sheet.getByText('The peer that it led to was detached').waitFor();
    await sheet.getByRole('button', { name: 'Edit' }).click();
    await sheet.getByLabel('Target: which').selectOption({ label: 'edge1' });
    await sheet.getByRole('button', { name: 'Save' }).click();
    await sheet.getByText('active', { exact: true }).waitFor();
    await sheet.getByRole('link', { name: 'edge1, port 53' }).waitFor();
    await sheet.getByRole('button', { name: 'Delete' }).click();
    await page.getByText('1 instance changes').waitFor();
    await page.getByLabel('Approve now').check();
    await page.getByRole('button', { name: 'Delete port mapping' }).click();
    await row.waitFor({ state: 'detached' });
    expect(platform.world.portMappings).toHaveLength(2);
  }));

it('the choice of targets fills when the candidates come after the dialog', () =>
  stage.on(`${network}?view=virtual-ips`, async (page) => {
    const held: (() => void)[] = [];
    await page.route('**/system_sdwan_failover_virtual_ip', async (route) => {
      if (held.length === 0) await new Promise<void>((release) => held.push(release));
      await route.fallback();
    });
    await page.getByRole('row').filter({ hasText: 'web' }).click();
    await page.getByRole('button', { name: 'Fail over' }).click();
    const dialog = page.getByRole('dialog', { name: 'Fail over web' });
    await dialog.getByText('2 instances change').waitFor();
    const options = dialog.getByLabel('Move to').getByRole('option');
    expect(await options.count()).toBe(1);
    for (const release of held) release();
    await expect.poll(() => options.count()).toBe(3);
  }));
