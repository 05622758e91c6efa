// A machine that lacks programs: the demo, a lab and an agent say so at once, and whole. The machine's own programs are
// hidden in a mount namespace of the test's.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { agentProgram, checkout } from './fleet/programs.ts';
import { findLab, upSpec } from './lab.ts';
import { labsFound } from './life/down.ts';
import { toolPath } from './stage/run.ts';
import { ownLabFolder, uniqueName } from './testing/scene.ts';

let removeFolder: () => Promise<void>;
let folder: string;
beforeAll(async () => {
  removeFolder = await ownLabFolder();
  folder = mkdtempSync(path.join(tmpdir(), 'powernode-missing-'));
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await removeFolder();
});

const fileOf = (program: string) =>
  toolPath
    .split(':')
    .map((place) => path.resolve(place, program))
    .find((file) => existsSync(file)) ?? `/usr/bin/${program}`;

/** Runs a program of the checkout where each of these files is replaced: by nothing, or by another. */
function runWithout(args: readonly string[], replaced: Readonly<Record<string, string>>) {
  const binds = Object.entries(replaced).map(([program, by]) => `mount --bind ${by} ${fileOf(program)}`);
  const script = [...binds, 'exec "$@"'].join(' && ');
  return spawnSync('unshare', ['--mount', 'sh', '-c', script, 'sh', process.execPath, ...args], {
    encoding: 'utf8',
    env: { ...process.env, PATH: toolPath },
  });
}

const demo = path.join(checkout, 'packages/lab/demo.ts');
const nothing = '/dev/null';

it('the demo names everything that is missing at once, and makes nothing [9.17]', async () => {
  const hidden = { 'wireguard-go': nothing, ping: nothing, 'apt-get': nothing };
  const { status, stderr } = runWithout([demo, '--once'], hidden);
  expect(stderr).toBe(
    'demo: A lab cannot be made here. Programs are missing: ping, wireguard-go. On Debian: apt-get install --no-install-recommends iputils-ping wireguard-go (there is no apt-get to install it with)\n',
  );
  expect(status).toBe(69);
  expect(await labsFound()).toEqual([]);
});

it.each([
  ['demo', 'demo', []],
  ['lab up', 'powernode lab', ['lab.yaml']],
])('in a fresh checkout %s names them before it brings anything [9.17]', (words, speaker, args) => {
  const fresh = mkdtempSync(path.join(folder, 'fresh-'));
  const filter = (file: string) => path.basename(file) !== 'node_modules';
  for (const part of ['launch', 'package.json', 'package-lock.json', 'packages/core', 'packages/lab'])
    cpSync(path.join(checkout, part), path.join(fresh, part), { recursive: true, filter });
  const before = readdirSync(fresh);
  const hidden = { 'wireguard-go': nothing, nft: nothing, ping: nothing, 'apt-get': nothing };
  const line = [path.join(fresh, 'launch/main.mjs'), ...words.split(' '), ...args];
  const { status, stdout, stderr } = runWithout(line, hidden);
  const [, said] =
    /^(.*: A lab cannot be made here. Programs are missing: nft, ping, wireguard-go)\. /.exec(stderr) ?? [];
  expect({ said: said ?? stderr, stdout, status }).toEqual({
    said: `${speaker}: A lab cannot be made here. Programs are missing: nft, ping, wireguard-go`,
    stdout: '',
    status: 69,
  });
  expect(readdirSync(fresh)).toEqual(before);
});

it('as root the demo says what it installs, and installs it without recommended packages [9.17]', () => {
  const asked = path.join(folder, 'asked');
  const apt = path.join(folder, 'apt-get');
  writeFileSync(
    apt,
    `#!/bin/sh\necho "$@" >> ${asked}\n[ "$2" = update ] || { echo "E: no such place" >&2; exit 100; }\n`,
  );
  chmodSync(apt, 0o755);
  const { status, stdout, stderr } = runWithout([demo, '--once'], {
    'wireguard-go': nothing,
    'apt-get': apt,
  });
  expect(stdout).toContain('installing with apt-get: wireguard-go\n');
  expect(readFileSync(asked, 'utf8')).toBe(
    '-q update\n-q install --yes --no-install-recommends wireguard-go\n',
  );
  expect(stderr).toContain('apt-get install failed: E: no such place');
  expect(status).toBe(69);
});

it('an agent says what it lacks when it starts, wireguard-go too [9.17]', () => {
  const state = path.join(folder, 'state');
  mkdirSync(state, { mode: 0o700 });
  const texts = ['instance_id', 'account_id', 'hostname', 'platform_url', 'node_url', 'platform_id'];
  const files = ['authority_pem', 'certificate_pem', 'key_pem', 'joined_at'];
  const identity = Object.fromEntries([...texts, ...files].map((name) => [name, 'x']));
  writeFileSync(path.join(state, 'identity.json'), JSON.stringify({ ...identity, revoked_at: null }));
  const args = [agentProgram, 'run', '--state-dir', state];
  const { status, stderr } = runWithout(args, { 'wireguard-go': nothing, nft: nothing });
  expect(stderr).toContain(
    'The agent cannot run here. Programs are missing: nft, wireguard-go. On Debian: apt-get install --no-install-recommends nftables wireguard-go\n',
  );
  expect(status).toBe(69);
});

it('a lab whose agent has ended fails at once, with the words of that agent [9.17]', async () => {
  const name = uniqueName('ended');
  const up = upSpec(
    {
      name,
      platforms: [{ name: 'main' }],
      hosts: [
        { name: 'hub1', on: 'public', role: 'hub' },
        { name: 'edge1', on: 'public' },
      ],
      networks: [{ name: 'demo', topology_strategy: 'hub_and_spoke', hosts: ['hub1', 'edge1'] }],
    },
    {
      report: (line) => {
        if (/agents run/.test(line)) void findLab(name).then((lab) => lab.killAgent('edge1'));
      },
    },
  );
  await expect(up).rejects.toThrow(/the agent of edge1 has ended/);
  expect(await labsFound()).toEqual([]);
});

/** Two spokes of a hub, a LAN behind each. */
const routedLab = (name: string) => `name: ${name}
platforms: [{ name: main }]
lans: [{ name: tokyo }, { name: osaka }]
hosts:
  - { name: hub1, on: public, role: hub }
  - { name: edge1, on: [public, tokyo] }
  - { name: edge2, on: [public, osaka] }
  - { name: client1, on: tokyo, agent: none, gateway: edge1 }
  - { name: client2, on: osaka, agent: none, gateway: edge2 }
networks:
  - name: routed
    routing_mode: ibgp
    hosts: [hub1, edge1, edge2]
    lan_subnets: [{ host: edge1, lan: tokyo }, { host: edge2, lan: osaka }]
`;
const labProgram = path.join(checkout, 'packages/lab/main.ts');
const bgpd = '/usr/lib/frr/bgpd';

it('a lab with BGP on a machine without FRR says so, and its LANs reach each other by static routes', async () => {
  const name = uniqueName('frrless');
  const file = path.join(folder, 'frrless.yaml');
  writeFileSync(file, routedLab(name));
  const { status, stderr } = runWithout([labProgram, 'up', file], { [bgpd]: nothing });
  expect(stderr).toMatch(/network routed: its routes are static\. \w+: FRR \(.*\) is not installed/);
  expect(status).toBe(0);
  const lab = await findLab(name);
  const { exitCode } = await lab.exec('client1', { program: 'ping', args: ['-c', '1', '192.168.2.11'] });
  await lab.down();
  expect(exitCode).toBe(0);
});

it('the LAN of the one host without FRR stays reachable for hosts that speak BGP, as theirs do for it', async () => {
  const name = uniqueName('mixed');
  const file = path.join(folder, 'mixed.yaml');
  writeFileSync(file, routedLab(name));
  // All hosts have the same files: the program is of no use where there is an address of the first LAN.
  const real = path.join(folder, 'bgpd');
  cpSync(bgpd, real);
  const wrapper = path.join(folder, 'bgpd-wrapper');
  const isThere = "ip -o -4 address show | grep -q 'inet 192\\.168\\.1\\.'";
  writeFileSync(wrapper, `#!/bin/sh\nif ${isThere}; then exit 127; fi\nexec ${real} "$@"\n`);
  chmodSync(wrapper, 0o755);
  const { status, stderr } = runWithout([labProgram, 'up', file], { [bgpd]: wrapper });
  expect(stderr).toMatch(
    /network routed: routes at edge1 are static\. edge1: .*bgpd does not say which version/,
  );
  expect(status).toBe(0);
  const lab = await findLab(name);
  // BGP decides 12 s after the start at the latest, and 20 s later it alone says whether there is a path.
  const args = ['-i', '0.2', '-c', '200'];
  const [there, back] = await Promise.all([
    lab.exec('client2', { program: 'ping', args: [...args, '192.168.1.11'] }),
    lab.exec('client1', { program: 'ping', args: [...args, '192.168.2.11'] }),
  ]);
  await lab.down();
  for (const { stdout } of [there, back]) expect(stdout).toContain(' 0% packet loss');
});
