// The address that lets a device in, by where the platform says that people reach it.
import { expect, it } from 'vitest';
import { startPlatformProgram } from '../stage/platform-program.ts';

interface Granted {
  readonly access_grant: { readonly bootstrap_url: string; readonly bootstrap_warning: string | null };
}

async function grantOn(options: readonly string[]): Promise<Granted['access_grant']> {
  const platform = await startPlatformProgram(options);
  try {
    const { network } = await platform.action<{ network: { id: string } }>('system_sdwan_create_network', {
      name: 'office',
    });
    const input = { network_id: network.id, device_name_hint: 'phone' };
    return (await platform.action<Granted>('system_sdwan_create_access_grant', input)).access_grant;
  } finally {
    await platform.end();
  }
}

it('says when only the platform’s own machine can open it, and what to do [9.20]', async () => {
  const grant = await grantOn([]);
  expect(grant.bootstrap_url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/bootstrap#pnb_/);
  expect(grant.bootstrap_warning).toMatch(
    /works only on the platform itself.*--console-url https:\/\/NAME.*--host ADDRESS/,
  );
});

it('has nothing to say when people reach the console elsewhere [9.20]', async () => {
  const grant = await grantOn(['--console-url', 'https://console.example']);
  expect(grant.bootstrap_url).toMatch(/^https:\/\/console\.example\/bootstrap#pnb_/);
  expect(grant.bootstrap_warning).toBeNull();
});
