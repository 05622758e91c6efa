// A person's laptop with stock wg-quick behind a home router: let in by a bootstrap URL, it reaches what the rules allow
// and nothing else; it is told when its hub has changed; and once a revocation counts as done no packet of it gets
// through.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { actions } from '@powernode/core/actions/catalogue';
import type { ActionDefinition, OutputOf, ParametersOf } from '@powernode/core/actions/define';
import { bootstrapIssuePath, privateKeyPlaceholder } from '@powernode/core/wire/bootstrap';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Lab, upSpec } from '../../packages/lab/lab.ts';
import { waitFor } from '../../packages/lab/stage/process.ts';
import { type HostScript, ownLabFolder, script, uniqueName } from '../../packages/lab/testing/scene.ts';

const limitMs = 60_000;
const run = promisify(execFile);
/** Interfaces of userspace WireGuard are named once for the whole machine. */
const interfaceName = uniqueName('pnd').slice(0, 15);

let lab: Lab;
let url: string;
let directory: string;
let removeFolder: () => Promise<void>;
let scene: { readonly networkId: string; readonly hubId: string; readonly edge: Addresses };
let device: { readonly id: string; readonly address: string };
let server: HostScript;
const keys = { privateKey: '', publicKey: '' };

interface Addresses {
  readonly id: string;
  readonly host_address: string;
  readonly ipv4_address: string | null;
}

beforeAll(async () => {
  removeFolder = await ownLabFolder();
  directory = await mkdtemp(path.join(tmpdir(), 'pn-device-'));
  lab = await upSpec({
    name: uniqueName('devices'),
    platforms: [{ name: 'main' }],
    lans: [{ name: 'home' }],
    nats: [{ name: 'router', kind: 'cone', lan: 'home' }],
    hosts: [
      { name: 'hub', on: 'public', role: 'hub' },
      { name: 'edge', on: 'public' },
      { name: 'laptop', on: 'home', agent: 'none' },
    ],
    networks: [{ name: 'field', firewall_default_policy: 'drop', hosts: ['hub', 'edge'] }],
  });
  url = (await lab.status()).platforms[0]?.url ?? '';
  const { networks } = await call(actions.listNetworks, {});
  const { peers } = await call(actions.listPeers, {});
  const hub = peers.find((peer) => peer.role === 'hub');
  const edge = peers.find((peer) => peer.role === 'spoke');
  if (hub === undefined || edge === undefined) throw new Error('the lab has no hub and no spoke');
  scene = { networkId: networks[0]?.id ?? '', hubId: hub.id, edge };
  server = await script(lab, 'edge', tcpServer([8080, 9090]));
  keys.privateKey = (await run('wg', ['genkey'])).stdout.trim();
  const pubkey = run('wg', ['pubkey']);
  pubkey.child.stdin?.end(keys.privateKey);
  keys.publicKey = (await pubkey).stdout.trim();
});

afterAll(async () => {
  await quick('down').catch(() => undefined);
  server?.child.kill();
  await lab?.down();
  await removeFolder();
  await rm(directory, { recursive: true, force: true });
});

async function call<A extends ActionDefinition>(
  action: A,
  parameters: ParametersOf<A>,
): Promise<OutputOf<A>> {
  return (await lab.platform('main'))(action, parameters);
}

function tcpServer(ports: readonly number[]): string {
  return `
    const { createServer } = require('node:net');
    let open = 0;
    for (const port of ${JSON.stringify(ports)}) {
      createServer((socket) => socket.end('hello')).listen(port, '::', () => { if (++open === ${ports.length}) console.log('up'); });
    }
  `;
}

const configFile = () => path.join(directory, `${interfaceName}.conf`);

async function quick(verb: 'up' | 'down'): Promise<void> {
  const outcome = await lab.exec('laptop', { program: 'wg-quick', args: [verb, configFile()] });
  expect(outcome.exitCode, outcome.stderr).toBe(0);
}

/** As a script does it: the secret of a grant and a public key against a configuration. */
async function fetchConfig(more: { readonly userDeviceId?: string } = {}): Promise<void> {
  const { access_grant: grant } = await call(actions.createAccessGrant, {
    network_id: scene.networkId,
    device_name_hint: 'laptop',
    tags: ['laptops'],
    ...(more.userDeviceId === undefined ? {} : { user_device_id: more.userDeviceId }),
  });
  const token = new URL(grant.bootstrap_url).hash.slice(1);
  const response = await fetch(`${url}${bootstrapIssuePath}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/plain' },
    body: JSON.stringify({ token, public_key: keys.publicKey }),
  });
  expect(response.status).toBe(200);
  const config = (await response.text()).replace(privateKeyPlaceholder, keys.privateKey);
  await writeFile(configFile(), config, { mode: 0o600 });
}

async function pings(address: string): Promise<boolean> {
  const args = ['-n', '-c', '1', '-W', '1', address];
  return (await lab.exec('laptop', { program: 'ping', args })).exitCode === 0;
}

async function connects(address: string, port: number): Promise<boolean> {
  const text = `exec 3<>/dev/tcp/${address}/${port} && read -r -u 3 line; test "$line" = hello`;
  const outcome = await lab.exec('laptop', { program: 'timeout', args: ['2', 'bash', '-c', text] });
  return outcome.exitCode === 0;
}

test('wg-quick takes the configuration as it is, and the hub lets the device in', async () => {
  await fetchConfig();
  const { user_devices: devices } = await call(actions.listUserDevices, {});
  device = { id: devices[0]?.id ?? '', address: devices[0]?.host_address ?? '' };
  await quick('up');
  await waitFor({ what: 'the hub to report a handshake of the device', limitMs }, async () => {
    const { user_device: seen } = await call(actions.getUserDevice, { user_device_id: device.id });
    return seen.last_handshake_at !== null && (seen.rx_bytes ?? 0) > 0 && (seen.tx_bytes ?? 0) > 0;
  });
});

test('it reaches what the rules allow, by both families, and nothing else', async () => {
  const { edge, networkId } = scene;
  expect(await pings(edge.host_address)).toBe(false);
  expect(await connects(edge.host_address, 8080)).toBe(false);
  const rule = { network_id: networkId, direction: 'ingress', action: 'accept' } as const;
  await call(actions.createFirewallRule, {
    ...rule,
    selector: { kind: 'tag', tag: 'laptops' },
    destination: { kind: 'peer', peer_id: edge.id },
    protocol: 'tcp',
    port_range: '8080',
  });
  await call(actions.createFirewallRule, {
    ...rule,
    selector: { kind: 'user_device', user_device_id: device.id },
    protocol: 'icmp6',
  });
  await waitFor({ what: 'the rules to be applied', limitMs }, () => connects(edge.host_address, 8080));
  await waitFor({ what: 'echoes to be answered', limitMs }, () => pings(edge.host_address));
  expect(await connects(edge.host_address, 9090)).toBe(false);
  expect(await connects(edge.ipv4_address ?? '', 8080)).toBe(true);
  expect(await connects(edge.ipv4_address ?? '', 9090)).toBe(false);
});

test('a hub with a new key makes it outdated; issued again it goes on under its address', async () => {
  await call(actions.rotatePeerKey, { peer_id: scene.hubId });
  const { user_device: stale } = await call(actions.getUserDevice, { user_device_id: device.id });
  expect(stale).toMatchObject({ status: 'stale', stale_reason: expect.stringContaining('new key') });
  await quick('down');
  await fetchConfig({ userDeviceId: device.id });
  const { user_device: again } = await call(actions.getUserDevice, { user_device_id: device.id });
  expect(again).toMatchObject({ status: 'active', host_address: device.address });
  await quick('up');
  await waitFor({ what: 'the device to be in again', limitMs }, () => pings(scene.edge.host_address));
});

test('once a revocation counts as done nothing of the device gets through', async () => {
  const target = scene.edge.host_address;
  const command = lab.command('laptop', { program: 'ping', args: ['-n', '-D', '-i', '0.01', target] });
  const pinging = spawn(command.program, [...command.args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  pinging.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  const replies = () =>
    [...output.matchAll(/^\[([\d.]+)\] \d+ bytes from/gm)].map((match) => Number(match[1]));
  await waitFor({ what: 'pings to be answered', limitMs }, () => replies().length > 20);
  const askedAt = Date.now() / 1000;
  const { user_device: revoked } = await call(actions.revokeUserDevice, {
    user_device_id: device.id,
    approve: true,
  });
  const answeredAt = Date.now() / 1000;
  expect(revoked).toMatchObject({ status: 'revoked', revoked_on: { done: 1, of: 1 } });
  const late = await waitFor({ what: 'pings to have gone out after the answer', limitMs }, async () => {
    const sequences = await pings(target);
    return sequences ? 'answered' : 'silent';
  });
  pinging.kill('SIGINT');
  await once(pinging, 'exit');
  expect(late).toBe('silent');
  const last = replies().at(-1) ?? 0;
  expect(last).toBeLessThanOrEqual(answeredAt);
  console.log(
    `revocation: the answer came after ${Math.round((answeredAt - askedAt) * 1000)} ms, the last echo after ${Math.round((last - askedAt) * 1000)} ms`,
  );
  expect(await connects(target, 8080)).toBe(false);
  const { user_device: shown } = await call(actions.getUserDevice, { user_device_id: device.id });
  expect(shown.revoked_on).toEqual({ done: 1, of: 1 });
});
