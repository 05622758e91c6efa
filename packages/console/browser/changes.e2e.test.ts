// Changes that an operator makes: networks, peers, machines, tokens, policies, decisions.
import type { Locator } from 'playwright-core';
import { expect, it } from 'vitest';
import { idOf } from './fake/ids.ts';
import type { FakePlatform } from './fake/platform.ts';
import type { World } from './fake/world.ts';
import { useStage } from './stage.ts';

const stage = useStage();

const on: typeof stage.on = (path, run) => stage.on(path, run);

function office(platform: FakePlatform): World['networks'][number] {
  const [network] = platform.world.networks;
  if (network === undefined) throw new Error('the small world has no network');
  return network;
}

/** The lines of what would become of which values, in a plan. */
async function valuesIn(place: Locator): Promise<string[]> {
  const lines = place.getByRole('list', { name: 'Values' }).getByRole('listitem');
  await lines.first().waitFor();
  return lines.allInnerTexts();
}

it('a network is made, and what is wrong stands at its field', () =>
  on('/networks', async (page, platform) => {
    await page.getByRole('button', { name: 'New network' }).first().click();
    await page.getByLabel('Name').fill('office');
    await page.getByLabel(/^Prefix/).fill('10.0.0.1');
    await page.getByLabel('MTU').fill('many');
    await page.getByRole('button', { name: 'Create network' }).click();
    await page.getByText('is not a prefix').first().waitFor();
    expect(await page.getByLabel(/^Prefix/).getAttribute('aria-invalid')).toBe('true');
    expect(await page.getByLabel('MTU').getAttribute('aria-invalid')).toBe('true');
    await page.getByLabel(/^Prefix/).fill('');
    await page.getByLabel('MTU').fill('1400');
    await page.getByRole('button', { name: 'Create network' }).click();
    await page.getByText('must be unique in the account').waitFor();
    await page.getByLabel('Name').fill('annex');
    await page.getByLabel('Topology').selectOption('full_mesh');
    await page.getByRole('button', { name: 'Create network' }).click();
    await page.getByRole('heading', { name: 'annex', level: 1 }).waitFor();
    await page.getByText('No peers yet').waitFor();
    expect(platform.world.networks.at(-1)).toMatchObject({
      name: 'annex',
      mtu: 1400,
      topology_strategy: 'full_mesh',
    });
  }));

it('a network is edited, but not over somebody else’s change', () =>
  on(`/networks/${idOf(501)}`, async (page, platform) => {
    await page.getByRole('button', { name: 'Edit' }).click();
    await page.getByLabel('Description').fill('The offices');
    const before = platform.world.networks[0];
    if (before !== undefined) platform.world.networks[0] = { ...before, revision: 7 };
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('It has revision 7 by now').waitFor();
    // What the form shows is as it was, so there is nothing to decide: the next press saves on top of it.
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('The offices').waitFor();
  }));

it('the IPv4 prefix of a network is exchanged and taken away', () =>
  on(`/networks/${idOf(501)}`, async (page, platform) => {
    const ipv4Prefix = () => platform.world.networks[0]?.ipv4_prefix;
    const save = async () => {
      await page.getByRole('button', { name: 'Save', exact: true }).click();
      await page.getByRole('button', { name: 'Save: change 6 instances' }).click();
      await page.getByRole('dialog').waitFor({ state: 'detached' });
    };
    await page.getByRole('button', { name: 'Edit' }).click();
    expect(await page.getByLabel('IPv4 prefix').inputValue()).toBe(ipv4Prefix());
    await page.getByLabel('IPv4 prefix').fill('100.99.0.0/24');
    await save();
    expect(ipv4Prefix()).toBe('100.99.0.0/24');
    await page.getByRole('button', { name: 'Edit' }).click();
    await page.getByLabel('IPv4', { exact: true }).selectOption('none');
    await save();
    expect(ipv4Prefix()).toBeNull();
  }));

it('a change of many machines shows its plan before it is saved, with the values that are and those to be [9.5]', () =>
  on(`/networks/${idOf(501)}`, async (page, platform) => {
    await page.getByRole('button', { name: 'Edit' }).click();
    await page.getByLabel('Direct paths').uncheck();
    await page.getByLabel('Default policy').selectOption('drop');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('6 instances change').waitFor();
    expect(await valuesIn(page.getByRole('region', { name: 'Plan' }))).toEqual([
      'Firewall default policy: accept → drop',
      'Direct paths: yes → no',
    ]);
    expect(office(platform).direct_paths).toBe(true);
    // Another change than the one that was looked at has another plan.
    await page.getByLabel('MTU').fill('1300');
    await page.getByText('6 instances change').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByRole('button', { name: 'Save: change 6 instances' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(office(platform)).toMatchObject({
      direct_paths: false,
      firewall_default_policy: 'drop',
      mtu: 1300,
    });
    await page.getByText('no direct paths').waitFor();
  }));

it('a network has the IPv4 block that one asks for, or none', () =>
  on('/networks', async (page, platform) => {
    await page.getByRole('button', { name: 'New network' }).first().click();
    await page.getByLabel('Name').fill('annex');
    await page.getByLabel('IPv4', { exact: true }).selectOption('own');
    await page.getByLabel('IPv4 prefix').fill('100.64.0.0/33');
    await page.getByRole('button', { name: 'Create network' }).click();
    await page.getByText('is not a prefix').first().waitFor();
    expect(await page.getByLabel('IPv4 prefix').getAttribute('aria-invalid')).toBe('true');
    await page.getByLabel('IPv4', { exact: true }).selectOption('none');
    await page.getByRole('button', { name: 'Create network' }).click();
    await page.getByText('no IPv4').waitFor();
    expect(platform.world.networks.at(-1)?.ipv4_prefix).toBeNull();
  }));

it('whoever decides sees the values that are and those to be, in the list and on the page of the request [9.5]', () =>
  on(`/networks/${idOf(501)}`, async (page, platform) => {
    platform.modes.set('sdwan.network_update', 'require_approval');
    platform.world.networks[0] = { ...office(platform), firewall_default_policy: 'drop' };
    await page.reload();
    await page.getByRole('button', { name: 'Edit' }).click();
    await page.getByLabel('Default policy').selectOption('accept');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByRole('button', { name: 'Save: change 6 instances' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.getByRole('link', { name: 'Approvals' }).click();
    const request = page.getByRole('article', { name: 'Change a network' });
    expect(await valuesIn(request)).toEqual(['Firewall default policy: drop → accept']);
    await request.getByRole('link', { name: 'Change a network' }).click();
    await page.getByRole('heading', { name: 'Change a network', level: 1 }).waitFor();
    expect(await valuesIn(page.locator('main'))).toEqual(['Firewall default policy: drop → accept']);
    await page.getByRole('button', { name: 'Approve' }).click();
    const question = page.getByRole('dialog', { name: 'Approve: Change a network' });
    expect(await valuesIn(question)).toEqual(['Firewall default policy: drop → accept']);
    await question.getByRole('button', { name: 'Approve and run' }).click();
    await expect.poll(() => office(platform).firewall_default_policy).toBe('accept');
  }));

it('deleting shows its plan, then waits for approval and says so', () =>
  on(`/networks/${idOf(501)}`, async (page, platform) => {
    await page.getByRole('button', { name: 'Delete' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('6 instances change').waitFor();
    await dialog.getByText('hub1').first().waitFor();
    await dialog.getByText('requires approval').waitFor();
    expect(platform.world.networks).toHaveLength(3);
    await dialog.getByRole('button', { name: 'Request to delete network' }).click();
    await page.getByRole('heading', { name: 'Waiting for approval' }).waitFor();
    expect(platform.world.networks).toHaveLength(3);
    await page.getByRole('dialog').getByRole('link', { name: 'Open the request' }).click();
    await page.getByRole('heading', { name: 'Delete a network', level: 1 }).waitFor();
    await page.getByRole('button', { name: 'Approve' }).click();
    await page.getByLabel('Reason').fill('Moved to the new one');
    await page.getByRole('button', { name: 'Approve and run' }).click();
    await page.getByText('Moved to the new one').waitFor();
    expect(platform.world.networks).toHaveLength(2);
  }));

it('who may decide can approve in the same breath', () =>
  on(`/networks/${idOf(501)}`, async (page, platform) => {
    await page.getByRole('button', { name: 'Delete' }).click();
    await page.getByLabel('Approve now').check();
    await page.getByRole('button', { name: 'Delete network' }).click();
    await page.getByRole('heading', { name: 'Networks', level: 1 }).waitFor();
    await page.getByText('Network office is deleted').first().waitFor();
    await page.getByRole('link', { name: 'office' }).waitFor({ state: 'detached' });
    expect(platform.world.networks).toHaveLength(2);
  }));

it('who may not decide is not asked', () =>
  on(`/networks/${idOf(501)}`, async (page, platform) => {
    platform.permissions = platform.permissions.filter((name) => name !== 'system.approvals.decide');
    await page.reload();
    await page.getByRole('button', { name: 'Delete' }).click();
    await page.getByText('6 instances change').waitFor();
    expect(await page.getByLabel('Approve now').count()).toBe(0);
  }));

it('a machine is attached', () =>
  on(`/networks/${idOf(501)}?view=peers`, async (page, platform) => {
    await page.getByRole('button', { name: 'Attach an instance' }).click();
    await page.getByLabel('Find').fill('spare');
    await page.getByRole('radio', { name: /spare-1/ }).check();
    await page.getByLabel('Publicly reachable').selectOption('yes');
    await page.getByLabel('Endpoint').fill('nowhere');
    await page.getByLabel('Tags').fill('new,');
    await page.getByRole('button', { name: 'Attach', exact: true }).click();
    await page.getByText('is not an endpoint').first().waitFor();
    await page.getByLabel('Endpoint').fill('203.0.113.5:51820');
    await page.getByRole('button', { name: 'Attach', exact: true }).click();
    await page.getByRole('row').filter({ hasText: 'spare-1' }).getByText('pending').waitFor();
    expect(platform.world.peers.at(-1)).toMatchObject({ hostname: 'spare-1', tags: ['new'], role: 'hub' });
  }));

it('a peer is changed, gets a new key, and is detached', () =>
  on(`/networks/${idOf(501)}?view=peers`, async (page, platform) => {
    await page.getByRole('row').filter({ hasText: 'edge1' }).click();
    const sheet = page.getByRole('dialog', { name: 'edge1' });
    await sheet.getByRole('button', { name: 'Edit', exact: true }).click();
    await sheet.getByRole('button', { name: 'Remove tag branch' }).click();
    await sheet.getByLabel('Tags').fill('berlin ');
    await sheet.getByRole('button', { name: 'Save' }).click();
    await sheet.getByText('berlin').waitFor();
    const before = platform.world.peers.find((peer) => peer.hostname === 'edge1')?.public_key;
    await sheet.getByRole('button', { name: 'Rotate key' }).click();
    await page.getByText('edge1 has a new key').first().waitFor();
    expect(platform.world.peers.find((peer) => peer.hostname === 'edge1')?.public_key).not.toBe(before);
    await sheet.getByRole('button', { name: 'Detach' }).click();
    await page.getByLabel('Approve now').check();
    await page.getByRole('button', { name: 'Detach peer' }).click();
    await page.getByRole('row').filter({ hasText: 'edge1' }).waitFor({ state: 'detached' });
    await page.waitForURL((url) => !url.searchParams.has('peer'));
  }));

it('a machine gets another name and other tags', () =>
  on(`/instances/${idOf(10_004)}`, async (page, platform) => {
    await page.getByRole('button', { name: 'Edit' }).click();
    await page.getByLabel('Name').fill('lisbon-4');
    await page.getByLabel('Tags').fill('lisbon');
    await page.getByLabel('Tags').press('Enter');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByRole('heading', { name: 'lisbon-4' }).waitFor();
    const machine = platform.world.instances.find(({ id }) => id === idOf(10_004));
    expect(machine?.hostname).toBe('lisbon-4');
    expect(machine?.tags).toContain('lisbon');
  }));

it('a machine is terminated', () =>
  on(`/instances/${idOf(10_004)}`, async (page) => {
    await page.getByRole('button', { name: 'Terminate' }).click();
    await page.getByText('1 instance changes').waitFor();
    await page.getByLabel('Approve now').check();
    await page.getByRole('button', { name: 'Terminate instance' }).click();
    await page.getByText('terminated', { exact: true }).first().waitFor();
    expect(await page.getByRole('button', { name: 'Terminate' }).count()).toBe(0);
  }));

it('a machine is drained and taken back, after a look at what moves', () =>
  on(`/instances/${idOf(10_001)}`, async (page, platform) => {
    await page.getByRole('button', { name: 'Drain' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('2 spokes go through another hub').waitFor();
    await dialog.getByText('3 instances change').waitFor();
    expect(platform.world.instances[0]?.status).toBe('running');
    await dialog.getByRole('button', { name: 'Drain instance' }).click();
    await page.getByText('draining', { exact: true }).first().waitFor();
    await page.getByText('1 of 2 steps: leave hubs. Waiting until 2 instances use another hub').waitFor();
    endDrain(platform);
    await page.getByText('Virtual IPs without another holder: intranet').waitFor();
    await page.getByText('succeeded', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Return to service' }).click();
    await dialog.getByText('Nothing has to move').waitFor();
    await dialog.getByRole('button', { name: 'Return to service' }).click();
    await page.getByRole('button', { name: 'Drain', exact: true }).waitFor();
    expect(platform.world.peers[0]?.draining).toBe(false);
  }));

/** The drain that runs is over, and one virtual IP has nobody to move to. */
function endDrain(platform: FakePlatform): void {
  const [before] = platform.world.operations;
  if (before === undefined) throw new Error('no operation was started');
  const after = {
    ...before,
    state: 'succeeded' as const,
    step: null,
    steps_done: 2,
    detail: null,
    result: { virtual_ips_left: [{ id: before.id, name: 'intranet' }], instances_out_of_date: [] },
    ended_at: new Date().toISOString(),
  };
  platform.world.operations.splice(0, 1, after);
  platform.emit('system.operation.succeeded', { operation_id: before.id, kind: before.kind });
}

const takenBack = {
  code: 'change_rolled_back',
  detail: 'Revision 214 disconnected the instance from the platform for 20 s and was rolled back.',
  since: new Date().toISOString(),
};

/** The machine says that it took a change back, in each of its networks. */
function takeBack(platform: FakePlatform, instanceId: string): void {
  const whole = { ...takenBack, subsystem: 'agent', severity: 'error' } as const;
  const nowhere = { network_id: null, peer_id: null, interface: null };
  const { instances, peers } = platform.world;
  const at = instances.findIndex(({ id }) => id === instanceId);
  const instance = instances[at];
  if (instance === undefined) throw new Error(`no machine ${instanceId}`);
  instances[at] = { ...instance, problems: [{ ...whole, ...nowhere }] };
  for (const [i, peer] of peers.entries()) {
    if (peer.node_instance_id === instanceId) peers[i] = { ...peer, problem: takenBack };
  }
  platform.emit('system.instance.rolled_back', { node_instance_id: instanceId }, { severity: 'error' });
}

it.each([
  ['page of the machine', () => `/instances/${idOf(10_001)}`],
  [
    'sheet of its peer',
    ({ world }: FakePlatform) => {
      const peer = world.peers.find((one) => one.node_instance_id === idOf(10_001));
      return `/networks/${peer?.network_id}?view=peers&peer=${peer?.id}`;
    },
  ],
] as const)(
  'what a machine took back is tried again from the %s, after a question that says what happens [9.10]',
  (_, pathOf) =>
    on('/', async (page, platform) => {
      await page.goto(pathOf(platform));
      await page.getByRole('heading', { name: 'hub1' }).waitFor();
      expect(await page.getByRole('button', { name: 'Retry', exact: true }).count()).toBe(0);
      takeBack(platform, idOf(10_001));
      await page.getByText(takenBack.detail).first().waitFor();
      await page.getByRole('button', { name: 'Retry', exact: true }).click();
      const question = page.getByRole('dialog', { name: 'Retry on hub1' });
      await question.getByText('1 instance changes').waitFor();
      await question.getByText('rolls back again').waitFor();
      const retried = () => platform.events.filter(({ kind }) => kind === 'system.instance.retried');
      await question.getByRole('button', { name: 'Cancel' }).click();
      expect(retried()).toEqual([]);
      await page.getByRole('button', { name: 'Retry', exact: true }).click();
      await question.getByRole('button', { name: 'Retry change' }).click();
      await page.getByText('hub1 retries the change').first().waitFor();
      expect(retried()).toHaveLength(1);
      await page.getByRole('button', { name: 'Retry', exact: true }).waitFor({ state: 'detached' });
    }),
);

it('a machine that cannot be told is not pressed for it, and who may not manage machines is not asked [9.10]', () =>
  on(`/instances/${idOf(10_001)}`, async (page, platform) => {
    takeBack(platform, idOf(10_001));
    await page.getByText(takenBack.detail).waitFor();
    const at = platform.world.instances.findIndex(({ id }) => id === idOf(10_001));
    const instance = platform.world.instances[at];
    if (instance !== undefined) platform.world.instances[at] = { ...instance, connected: false };
    await page.getByRole('button', { name: 'Retry', exact: true }).click();
    const question = page.getByRole('dialog', { name: 'Retry on hub1' });
    await question.getByText('is offline').waitFor();
    expect(await question.getByRole('button', { name: 'Retry change' }).isDisabled()).toBe(true);
    platform.permissions = platform.permissions.filter((name) => name !== 'system.instances.manage');
    await page.reload();
    await page.getByText(takenBack.detail).waitFor();
    expect(await page.getByRole('button', { name: 'Retry', exact: true }).count()).toBe(0);
  }));

it('a policy is set and reset, each after a question that says what it means [9.3]', () =>
  on('/policies', async (page, platform) => {
    const row = page.getByRole('row').filter({ hasText: 'sdwan.network_delete' });
    await row.getByRole('combobox').selectOption('auto_approve');
    await page.getByText('This loosens the policy').waitFor();
    expect(platform.modes.size).toBe(0);
    await page.getByRole('button', { name: 'Cancel' }).click();
    expect(await row.getByRole('combobox').inputValue()).toBe('require_approval');
    await row.getByRole('combobox').selectOption('auto_approve');
    await page.getByRole('button', { name: 'Loosen policy' }).click();
    await row.getByRole('button', { name: /Reset/ }).waitFor();
    expect(platform.modes.get('sdwan.network_delete')).toBe('auto_approve');
    await row.getByRole('button', { name: /Reset/ }).click();
    await page.getByText('This tightens the policy').waitFor();
    await page.getByRole('button', { name: 'Tighten policy' }).click();
    await row.getByRole('button', { name: /Reset/ }).waitFor({ state: 'detached' });
    expect(platform.modes.size).toBe(0);
  }));

it('an API token is shown once', () =>
  on('/settings?tab=tokens', async (page, platform) => {
    await page.getByRole('button', { name: 'New API token' }).click();
    await page.getByLabel('Name').fill('backup');
    await page.getByLabel('Limit its permissions').check();
    await page.getByLabel('system.instances.read').check();
    await page.getByRole('button', { name: 'Create token' }).click();
    await page.getByRole('dialog').getByText('pnt_').waitFor();
    const secret = await page.locator('[data-secret]').innerText();
    await page.keyboard.press('Escape');
    await page.mouse.click(5, 5);
    await page.getByRole('button', { name: 'Copy the token' }).click();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(secret);
    await page.getByRole('button', { name: 'I have copied it' }).click();
    await page.getByRole('row').filter({ hasText: 'backup' }).getByText('1 permission').waitFor();
    expect(await page.getByText(secret).count()).toBe(0);
    expect(platform.world.apiTokens[0]).toMatchObject({
      name: 'backup',
      permissions: ['system.instances.read'],
    });
  }));

it('an operator is made, changed and shut out', () =>
  on('/settings?tab=operators', async (page) => {
    await page.getByRole('button', { name: 'New operator' }).click();
    await page.getByRole('button', { name: 'Create operator' }).click();
    await page.getByText('must not be empty').first().waitFor();
    await page.getByLabel('Name').fill('Ada');
    await page.getByLabel('Role').selectOption('viewer');
    await page.getByRole('button', { name: 'Create operator' }).click();
    const row = page.getByRole('row').filter({ hasText: 'Ada' });
    await row.getByText('viewer').waitFor();
    await row.getByRole('button', { name: 'Edit' }).click();
    await page.getByLabel('Role').selectOption('admin');
    await page.getByRole('button', { name: 'Save' }).click();
    await row.getByText('admin').waitFor();
    await row.getByRole('button', { name: 'Disable' }).click();
    await page.getByText('No instance changes.').waitFor();
    await page.getByRole('button', { name: 'Disable operator' }).click();
    await row.getByText('disabled').waitFor();
    await row.getByRole('button', { name: 'Enable' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Enable' }).click();
    await row.getByText('active').waitFor();
  }));
