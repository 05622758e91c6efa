// The LANs behind a peer: the list in its sheet, and the form that replaces it.
import { expect, it } from 'vitest';
import { idOf } from './fake/ids.ts';
import type { FakePlatform } from './fake/platform.ts';
import { useStage } from './stage.ts';

const stage = useStage();
const network = `/networks/${idOf(501)}`;
const lansOf = ({ world }: FakePlatform) =>
  world.subnets.filter(({ network_id }) => network_id === idOf(501));

it('the list of LANs is replaced after its plan was shown, and what is wrong stands at its field', () =>
  stage.on(`${network}?view=peers`, async (page, platform) => {
    await page.getByRole('row').filter({ hasText: 'edge1' }).first().click();
    const sheet = page.getByRole('dialog', { name: 'edge1' });
    await sheet.getByText('None: no prefix is routed to this peer.').waitFor();
    await sheet.getByRole('button', { name: 'Edit LANs' }).click();
    await sheet.getByRole('button', { name: 'Add LAN' }).click();
    await sheet.getByLabel('Prefix of LAN 1', { exact: true }).fill('0.0.0.0/0');
    await sheet.getByRole('button', { name: 'Save LANs' }).click();
    await sheet.getByText('is a default route').first().waitFor();
    const prefix = sheet.getByLabel('Prefix of LAN 1', { exact: true });
    expect(await prefix.getAttribute('aria-invalid')).toBe('true');
    await prefix.fill('10.7.0.0/24');
    await sheet.getByLabel('Local prefix of LAN 1').fill('192.168.1.0/24');
    await sheet.getByLabel('Preference of LAN 1').fill('200');
    await sheet.getByLabel('Source NAT into LAN 1').check();
    await sheet.getByRole('button', { name: 'Save LANs' }).click();
    await sheet
      .getByText(/\d+ instances change/)
      .first()
      .waitFor();
    expect(lansOf(platform)).toEqual([]);
    await sheet.getByRole('button', { name: /^Save LANs: change \d+ instances$/ }).click();
    await sheet.getByText('is 192.168.1.0/24 in the LAN').waitFor();
    await sheet.getByText('preference 200').waitFor();
    await sheet.getByText('source NAT', { exact: true }).waitFor();
    expect(lansOf(platform)).toMatchObject([
      { prefix: '10.7.0.0/24', local_prefix: '192.168.1.0/24', preference: 200, source_nat: true },
    ]);
    await sheet.getByRole('button', { name: 'Edit LANs' }).click();
    await sheet.getByRole('button', { name: 'Remove LAN 1' }).click();
    await sheet.getByRole('button', { name: 'Save LANs' }).click();
    await sheet.getByRole('button', { name: /^Save LANs: change/ }).click();
    await sheet.getByText('None: no prefix is routed to this peer.').waitFor();
    expect(lansOf(platform)).toEqual([]);
  }));
