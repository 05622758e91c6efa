// Decides as which user of the machine PostgreSQL runs, and how a command becomes that user's.
// PostgreSQL refuses root, so a platform started by root hands it to an unprivileged user.
import { spawn } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { ProductError } from '@powernode/core/errors';

export interface AccountCommand {
  readonly file: string;
  readonly args: readonly string[];
  readonly uid?: number;
  readonly gid?: number;
}

export interface ServerAccount {
  /** Null: PostgreSQL runs as whoever runs the platform, and nothing has to change hands. */
  readonly owner: { readonly uid: number; readonly gid: number } | null;
  command(file: string, args: readonly string[]): AccountCommand;
}

export interface AccountPlaces {
  readonly dataDir: string;
  readonly clusterDir: string;
  readonly binDir: string;
}

/** What PostgreSQL and its helpers find in their environment: nothing of the platform's, no PG* variable. */
export const serverEnvironment = { PATH: '/usr/bin:/bin:/usr/sbin:/sbin', LC_ALL: 'C', TZ: 'UTC' } as const;

/** Ordered by how little they give. Containers often withhold the first and grant the second. */
const searchCapabilities = ['dac_read_search', 'dac_override'] as const;

export async function chooseAccount(places: AccountPlaces): Promise<ServerAccount> {
  const self = process.getuid?.();
  const earlier = await ownerOf(places.clusterDir);
  if (self !== 0) {
    if (earlier !== null && earlier.uid !== self) {
      throw new ProductError(
        'invalid_configuration',
        `The database in ${places.clusterDir} belongs to the user with id ${earlier.uid}, but the platform runs as ${self}. Start it as root or as that user, or choose another data directory.`,
      );
    }
    return { owner: null, command: (file, args) => ({ file, args }) };
  }
  // A cluster that an ordinary user began stays that user's; root only helps out.
  const owner = earlier !== null && earlier.uid !== 0 ? earlier : await nobody();
  return accountThatReaches(owner, places);
}

async function accountThatReaches(
  owner: { readonly uid: number; readonly gid: number },
  places: AccountPlaces,
): Promise<ServerAccount> {
  const plain: ServerAccount = { owner, command: (file, args) => ({ file, args, ...owner }) };
  if (await reaches(plain, places)) return plain;
  // Some parent folder is closed to that user (root's home is). One capability lets it pass through.
  for (const capability of searchCapabilities) {
    const helped: ServerAccount = {
      owner,
      command: (file, args) => ({
        file: 'setpriv',
        args: [
          `--reuid=${owner.uid}`,
          `--regid=${owner.gid}`,
          '--clear-groups',
          `--inh-caps=+${capability}`,
          `--ambient-caps=+${capability}`,
          // access(2), by which PostgreSQL looks at its own binaries, forgets capabilities without this.
          '--securebits=+no_setuid_fixup',
          '--',
          file,
          ...args,
        ],
      }),
    };
    if (await reaches(helped, places)) return helped;
  }
  throw new ProductError(
    'machine_unsupported',
    `PostgreSQL refuses to run as root, and the user with id ${owner.uid} cannot reach ${places.dataDir} or ${places.binDir}, because a parent folder is closed to it. Install util-linux (setpriv), or open the parent folders ("chmod o+x"), or choose a data directory elsewhere.`,
  );
}

/** Asks the kernel instead of computing it from modes: access lists and mounts count too. */
async function reaches(account: ServerAccount, places: AccountPlaces): Promise<boolean> {
  const script = 'cd "$1" && "$2/postgres" --version';
  const probe = account.command('/bin/sh', ['-c', script, 'sh', places.dataDir, places.binDir]);
  const child = spawn(probe.file, probe.args, {
    cwd: '/',
    env: serverEnvironment,
    stdio: 'ignore',
    ...identityOf(probe),
  });
  return new Promise((resolve) => {
    child.once('error', () => resolve(false));
    child.once('exit', (code) => resolve(code === 0));
  });
}

/** The part of a command that `spawn` takes as options. */
export function identityOf(command: AccountCommand): { uid?: number; gid?: number } {
  return command.uid === undefined || command.gid === undefined ? {} : { uid: command.uid, gid: command.gid };
}

async function ownerOf(dir: string): Promise<{ uid: number; gid: number } | null> {
  return stat(dir).then(
    (found) => ({ uid: found.uid, gid: found.gid }),
    () => null,
  );
}

/** `nobody` has another number on each system, so the system is asked. */
async function nobody(): Promise<{ uid: number; gid: number }> {
  return { uid: await idOf('-u'), gid: await idOf('-g') };
}

async function idOf(flag: '-u' | '-g'): Promise<number> {
  const child = spawn('id', [flag, 'nobody'], {
    env: serverEnvironment,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  await new Promise((resolve) => {
    child.once('error', resolve);
    child.once('close', resolve);
  });
  if (!/^\d+\n$/.test(text)) {
    throw new ProductError(
      'machine_unsupported',
      `PostgreSQL refuses to run as root, and this machine has no user "nobody" to run it ("id ${flag} nobody" printed ${JSON.stringify(text)}). Start the platform as an ordinary user.`,
    );
  }
  return Number(text);
}
