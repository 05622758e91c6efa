// `npm run demo` on a Debian 13 that has what the README asks for, Node 20 and npm, and nothing else: without apt-get it
// says all that is missing; with it, it installs what a lab needs and ends with every pair answered. On demand, like the
// rest of this folder.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { BareMachine, debianRoot } from './bare-machine.ts';

const checkout = path.join(import.meta.dirname, '..', '..', '..');
let machine: BareMachine | null = null;
afterEach(() => machine?.end());

it('npm run demo on a fresh Debian installs what it needs and shows the network [9.17]', async () => {
  machine = await BareMachine.start(debianRoot('trixie'), 2);
  await machine.must('apt-get -q update && apt-get -q install --yes --no-install-recommends nodejs npm');
  expect(await machine.must('node --version')).toMatch(/^v20\./);
  // Without what is installed or built in this checkout.
  const source = execFileSync('git', ['archive', '--format=tar', 'HEAD'], {
    cwd: checkout,
    maxBuffer: 512 * 1024 * 1024,
  });
  machine.write('/root/source.tar', source);
  await machine.must('mkdir /root/powernode && tar -C /root/powernode -xf /root/source.tar');
  const registry = process.env['npm_config_registry'];
  // Whom this machine trusts, which may be more than what Debian does.
  machine.write('/root/trusted.pem', readFileSync('/etc/ssl/certs/ca-certificates.crt'));
  const environment = [
    `HTTPS_PROXY=${machine.proxyUrl} HTTP_PROXY=${machine.proxyUrl} NO_PROXY=127.0.0.1,localhost`,
    'NODE_EXTRA_CA_CERTS=/root/trusted.pem',
    registry === undefined ? '' : `npm_config_registry=${registry}`,
  ].join(' ');
  const demo = `cd /root/powernode && ${environment} npm run demo -- --once`;
  // Where nothing can install what is missing, all of it is said before anything but Node is brought.
  await machine.must('mv /usr/bin/apt-get /root/');
  const refused = await machine.run(demo);
  expect(refused.stderr).toContain(
    'demo: A lab cannot be made here. Programs are missing: ip, ss, wg, nft, conntrack, ping, wireguard-go. On Debian: apt-get install --no-install-recommends iproute2 wireguard-tools nftables conntrack iputils-ping wireguard-go (there is no apt-get to install it with)\n',
  );
  expect(refused.code).toBe(69);
  expect(await machine.must('ls /root/powernode')).not.toContain('node_modules');
  await machine.must('mv /root/apt-get /usr/bin/');

  const { code, stdout, stderr } = await machine.run(demo);
  const said = `${stdout}${stderr}`;
  expect(said).toContain(
    'installing with apt-get: iproute2 wireguard-tools nftables conntrack iputils-ping wireguard-go\n',
  );
  expect(stdout, said).toMatch(/\b([1-9]\d*) of \1 pairs answered/);
  expect(code).toBe(0);
  expect(stdout).toContain('The lab is gone');
  // Debian recommends a kernel beside wireguard-tools.
  expect(await machine.must('ls /boot')).toBe('');
}, 1_200_000);
