// Where this machine has FRR, and which. A machine without it is no failure: its networks keep static routes.
import { accessSync, constants, readFileSync } from 'node:fs';
import type { Run } from '../../ports/run.ts';

export const frrDaemons = ['zebra', 'bfdd', 'bgpd'] as const;
export type FrrDaemon = (typeof frrDaemons)[number];

export interface FrrPrograms {
  readonly kind: 'found';
  /** The folder of the programs. */
  readonly folder: string;
  /** As FRR writes it, such as `8.4.4`. */
  readonly version: string;
  /** The user and group that its daemons drop to. */
  readonly uid: number;
  readonly gid: number;
}

export interface FrrAbsent {
  readonly kind: 'absent';
  /** For people: what is missing, and what to do. */
  readonly detail: string;
}

/** Those of distributions, and of FRR's own packages. */
const usualFolders = ['/usr/lib/frr', '/usr/libexec/frr', '/usr/sbin'];

export const frrUser = 'frr';
/** Who may speak with the daemons: FRR gives its sockets to this group. */
export const frrVtyGroup = 'frrvty';

export async function findFrr(
  run: Run,
  folders: readonly string[] = usualFolders,
  accounts = '/etc',
): Promise<FrrPrograms | FrrAbsent> {
  const folder = folders.find((one) => frrDaemons.every((name) => isProgram(`${one}/${name}`)));
  if (folder === undefined) {
    return absent(`FRR (${frrDaemons.join(', ')}) is not installed. On Debian: apt-get install frr`);
  }
  const uid = idOf(`${accounts}/passwd`, frrUser);
  const gid = idOf(`${accounts}/group`, frrVtyGroup) ?? idOf(`${accounts}/group`, frrUser);
  if (uid === null || gid === null) {
    return absent(`FRR is in ${folder}, but the user ${frrUser} does not exist: install its package anew.`);
  }
  const { stdout } = await run.attempt({ program: `${folder}/bgpd`, args: ['--version'] });
  const version = /version ([\w.+~-]{1,64})/.exec(stdout)?.[1];
  if (version === undefined) return absent(`${folder}/bgpd does not say which version it is.`);
  return { kind: 'found', folder, version, uid, gid };
}

function absent(detail: string): FrrAbsent {
  return { kind: 'absent', detail };
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** passwd(5), group(5): name, password, id. */
function idOf(file: string, name: string): number | null {
  try {
    const line = readFileSync(file, 'utf8')
      .split('\n')
      .find((one) => one.startsWith(`${name}:`));
    const id = Number(line?.split(':')[2] ?? Number.NaN);
    return Number.isInteger(id) ? id : null;
  } catch {
    return null;
  }
}
