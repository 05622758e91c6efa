// What the tests need from the machine: installed where that is possible, else a reason to skip.
import { execFileSync, spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import path from 'node:path';

/** A command, the Debian package that has it, and the group of tests that cannot do without it. */
const needs = [
  { command: 'wg', debian: 'wireguard-tools', group: 'net' },
  { command: 'wireguard-go', debian: 'wireguard-go', group: 'net' },
  { command: 'nft', debian: 'nftables', group: 'net' },
  { command: 'ip', debian: 'iproute2', group: 'net' },
  { command: 'ping', debian: 'iputils-ping', group: 'net' },
  { command: 'conntrack', debian: 'conntrack', group: 'net' },
  { command: 'sysctl', debian: 'procps', group: 'net' },
  { command: 'unshare', debian: 'util-linux', group: 'net' },
  { command: 'tcpdump', debian: 'tcpdump', group: 'net' },
  { command: 'iperf3', debian: 'iperf3', group: 'net' },
  { command: 'chromium', debian: 'chromium', group: 'browser' },
  { command: 'redis-server', debian: 'redis-server', group: 'redis' },
  { command: 'openssl', debian: 'openssl', group: 'openssl' },
];

/** @typedef {Record<string, string>} Skips group of tests → why it cannot run here */

/** @returns {Skips} */
export function prepareMachine() {
  const missing = needs.filter(({ command }) => !isThere(command));
  const trouble = missing.length > 0 ? install(missing.map(({ debian }) => debian)) : null;
  /** @type {Skips} */
  const skips = {};
  if (process.getuid?.() !== 0) skips.root = 'this user is not root';
  const network = networkTrouble();
  if (network !== null) skips.net = network;
  for (const { command, debian, group } of needs.filter((need) => !isThere(need.command))) {
    skips[group] ??=
      `${command} is missing (Debian package ${debian})${trouble === null ? '' : `: ${trouble}`}`;
  }
  return skips;
}

/** @returns {string | null} why it could not be done */
function install(/** @type {string[]} */ packages) {
  if (process.getuid?.() !== 0) return 'only root can install it';
  if (!isThere('apt-get')) return 'there is no apt-get to install it with';
  process.stdout.write(`installing ${packages.join(' ')}\n`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  for (const args of [['update'], ['install', '--yes', '--no-install-recommends', ...packages]]) {
    const { status, stderr } = spawnSync('apt-get', ['-q', ...args], {
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
      encoding: 'utf8',
    });
    if (status !== 0) return `apt-get ${args[0]} failed: ${stderr.trim().split('\n').at(-1)}`;
  }
  return null;
}

/** Namespaces are tried, not guessed from the user: containers run as root and often may not make any. */
function networkTrouble() {
  if (process.platform !== 'linux') return 'network namespaces need Linux';
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  try {
    execFileSync('unshare', ['--net', '--mount', 'true'], {
      stdio: ['ignore', 'ignore', 'pipe'],
      encoding: 'utf8',
    });
  } catch (error) {
    return `network namespaces cannot be made here: ${String(error).split('\n').at(-1)}`;
  }
  try {
    accessSync('/dev/net/tun', constants.R_OK | constants.W_OK);
  } catch {
    return 'there is no /dev/net/tun for wireguard-go';
  }
  return null;
}

function isThere(/** @type {string} */ command) {
  const folders = [...(process.env.PATH ?? '').split(path.delimiter), '/usr/sbin', '/sbin'];
  return folders.some((folder) => {
    try {
      accessSync(path.join(folder, command), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
