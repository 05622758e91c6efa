// Programs that only a comparison needs: installed where that can be done, else a reason to leave it out.
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { toolPath } from '../../packages/lab/stage/run.ts';

/** Each is in a Debian package of its own name. Why they are not there, in words; null: they are. */
export function provided(programs: readonly string[]): string | null {
  const missing = programs.filter((program) => !isThere(program));
  if (missing.length === 0) return null;
  const why = install(missing);
  const still = missing.filter((program) => !isThere(program));
  return still.length === 0
    ? null
    : `${still.join(', ')} is missing: ${why ?? 'the package does not have it'}`;
}

function install(packages: readonly string[]): string | null {
  if (process.getuid?.() !== 0) return 'only root can install it';
  if (!isThere('apt-get')) return 'there is no apt-get to install it with';
  process.stdout.write(`  installing ${packages.join(' ')}\n`);
  for (const args of [['update'], ['install', '--yes', '--no-install-recommends', ...packages]]) {
    const { status, stderr } = spawnSync('apt-get', ['-q', ...args], {
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      stdio: ['ignore', 'ignore', 'pipe'],
      encoding: 'utf8',
    });
    if (status !== 0) return `apt-get ${args[0]} failed: ${stderr.trim().split('\n').at(-1)}`;
  }
  return null;
}

function isThere(program: string): boolean {
  return toolPath.split(':').some((folder) => {
    try {
      accessSync(path.join(folder, program), constants.X_OK);
      return folder !== '';
    } catch {
      return false;
    }
  });
}
