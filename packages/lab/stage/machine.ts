// Whether this machine can hold a lab, and bringing what is missing with the system's package manager. What is needed
// is in core/machine/needs.ts. The launcher reads this before any dependency is there, so core is named by its path.
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { ProductError } from '../../core/errors.ts';
import { describeMissing, type MachineFacts, missingPrograms, packagesOf } from '../../core/machine/needs.ts';
import { toolPath } from './run.ts';

export interface MachineOptions {
  /** Installs what is missing, as root; it is said first. Without it, what is missing is an error. */
  readonly install?: { readonly report: (line: string) => void };
}

/** Refuses early, and once for everything that is missing. */
export function requireMachine(options: MachineOptions = {}): void {
  if (process.platform !== 'linux') {
    throw unsupported('A lab consists of Linux network namespaces; this is not Linux.');
  }
  const root = process.getuid?.() === 0;
  let missing = missingPrograms('lab', machineFacts);
  let trouble: string | null = null;
  if (root && missing.length > 0 && options.install !== undefined) {
    trouble = installPackages(packagesOf(missing), options.install.report);
    missing = missingPrograms('lab', machineFacts);
  }
  const what = missing.length === 0 ? '' : `Programs are ${describeMissing(missing)}`;
  if (!root) {
    throw unsupported(['A lab needs root to make network namespaces: use sudo.', what].join(' ').trim());
  }
  if (missing.length > 0) {
    throw unsupported(`A lab cannot be made here. ${what}${trouble === null ? '' : ` (${trouble})`}`);
  }
  const obstacle = namespaceTrouble() ?? tunnelTrouble();
  if (obstacle !== null) throw unsupported(`A lab cannot be made here: ${obstacle}.`);
}

function unsupported(text: string): ProductError {
  return new ProductError('machine_unsupported', text);
}

export const machineFacts: MachineFacts = { hasProgram, hasKernelWireguard };

/** Namespaces are tried, not guessed from the user: containers run as root and often may not make any. */
export function namespaceTrouble(): string | null {
  const { status, stderr, error } = spawnSync('unshare', ['--net', '--mount', 'true'], {
    env: { PATH: toolPath },
    encoding: 'utf8',
  });
  if (status === 0) return null;
  return `network namespaces cannot be made: ${(error?.message ?? stderr).trim().split('\n').at(-1)}`;
}

/** wireguard-go makes its interfaces out of this device. */
export function tunnelTrouble(): string | null {
  try {
    accessSync('/dev/net/tun', constants.R_OK | constants.W_OK);
    return null;
  } catch {
    return hasKernelWireguard()
      ? null
      : 'the kernel has no WireGuard, and there is no /dev/net/tun for wireguard-go';
  }
}

function hasProgram(command: string): boolean {
  return toolPath.split(':').some((folder) => {
    try {
      accessSync(path.resolve(folder, command), constants.X_OK);
      return folder !== '';
    } catch {
      return false;
    }
  });
}

/** Tried in a namespace of its own, which ends at once: module files say nothing of a container's kernel. */
function hasKernelWireguard(): boolean {
  const args = ['--net', 'ip', 'link', 'add', 'dev', 'wgtry', 'type', 'wireguard'];
  return spawnSync('unshare', args, { env: { PATH: toolPath }, stdio: 'ignore' }).status === 0;
}

/**
 * Says what it installs, then does. Without recommended packages: one of wireguard-tools is a whole kernel.
 * Answers with why it could not be done, or null.
 */
export function installPackages(packages: readonly string[], report: (line: string) => void): string | null {
  if (process.getuid?.() !== 0) return 'only root can install it';
  if (!hasProgram('apt-get')) return 'there is no apt-get to install it with';
  report(`installing with apt-get: ${packages.join(' ')}`);
  const env = { ...process.env, PATH: toolPath, DEBIAN_FRONTEND: 'noninteractive' };
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
