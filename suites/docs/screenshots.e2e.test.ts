// Pictures of every page of the console with the quickstart lab behind it, in `.powernode/screenshots`.
// POWERNODE_WRITE=1 also renews the two of the README.
import { copyFile, mkdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { actions } from '@powernode/core/actions/catalogue';
import { afterAll, expect, test } from 'vitest';
import { ensureConsole } from '../../launch/console.mjs';
import { takeScreenshots } from '../../packages/console/browser/screenshots.ts';
import type { Call } from '../../packages/lab/fleet/api.ts';
import { type Lab, upFile } from '../../packages/lab/lab.ts';

const root = path.join(import.meta.dirname, '..', '..');
const outDir = path.join(root, '.powernode', 'screenshots');
const shown: Readonly<Record<string, string>> = {
  'network-topology-light-1280.png': 'network.png',
  'approval-dark-1280.png': 'approval.png',
};

let lab: Lab | undefined;
afterAll(async () => {
  await lab?.down();
});

const skips = JSON.parse(process.env['POWERNODE_SKIP'] ?? '{}') as Record<string, string>;

test.skipIf('browser' in skips)('every page of the console shows the running lab', async () => {
  await ensureConsole(process.execPath);
  lab = await upFile(path.join(root, 'examples/labs/quickstart.yaml'), { name: 'pictures' });
  const call = await lab.platform('main');
  const { networks } = await call(actions.listNetworks, {});
  await serveSomething(call, networks[0]?.id ?? '');
  // Something has to wait for a decision, so that the page of an approval has one.
  const waits = call(actions.deleteNetwork, { network_id: networks[0]?.id ?? '' });
  await expect(waits).rejects.toThrow('waits for an approval');
  const [platform] = (await lab.status()).platforms;
  const token = (await readFile(platform?.token_file ?? '', 'utf8')).trim();
  const files = await takeScreenshots({ url: platform?.url ?? '', token, outDir });
  expect(files.length).toBeGreaterThan(50);
  for (const file of files) expect((await stat(file)).size, file).toBeGreaterThan(10_000);
  if (process.env['POWERNODE_WRITE'] !== '1') return;
  const images = path.join(root, 'docs', 'images');
  await mkdir(images, { recursive: true });
  for (const [from, to] of Object.entries(shown))
    await copyFile(path.join(outDir, from), path.join(images, to));
});

/** One of everything that a network serves, so that its pages have something to show. */
async function serveSomething(call: Call, network_id: string): Promise<void> {
  const { peers } = await call(actions.listPeers, { network_id });
  const hub = peers.find((peer) => peer.hostname === 'hub1');
  const [spoke, other] = peers.filter((peer) => peer.role === 'spoke');
  if (hub === undefined || spoke === undefined || other === undefined)
    throw new Error('the lab is too small');
  const { virtual_ip } = await call(actions.createVirtualIp, {
    network_id,
    name: 'web',
    primary_holder_peer_id: spoke.id,
    failover_holder_peer_ids: [other.id],
  });
  const ingress = { network_id, direction: 'ingress', protocol: 'tcp' } as const;
  await call(actions.createFirewallRule, {
    ...ingress,
    name: 'web for everybody',
    action: 'accept',
    selector: { kind: 'all' },
    destination: { kind: 'virtual_ip', virtual_ip_id: virtual_ip.id },
    port_range: '443',
  });
  await call(actions.createFirewallRule, {
    ...ingress,
    name: 'no ssh from hubs',
    action: 'drop',
    selector: { kind: 'peer', peer_id: hub.id },
    port_range: '22',
  });
  await call(actions.createPortMapping, {
    network_id,
    external_address: (hub.endpoint ?? '').replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1'),
    external_port: 443,
    internal_virtual_ip_id: virtual_ip.id,
    internal_port: 8443,
    protocol: 'tcp',
  });
  await call(actions.createAccessGrant, { network_id, device_name_hint: 'a phone' });
}
