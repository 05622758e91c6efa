// Keeps node_modules equal to package-lock.json.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { withLock } from './lock.mjs';
import { runNpm } from './npm.mjs';
import { LaunchError, root, say, state } from './places.mjs';

const stamp = `${state}/installed`;
const lockfile = `${root}/package-lock.json`;
/** npm's own note of what it put into node_modules. */
const installedLockfile = `${root}/node_modules/.package-lock.json`;

/** @returns {Promise<void>} */
export async function ensureDependencies(/** @type {string} */ node) {
  if (isInstalled()) return;
  await withLock(async () => {
    if (isInstalled()) return;
    if (!matches(lockfile, installedLockfile)) {
      say('installing dependencies');
      await install(node);
    }
    mkdirSync(state, { recursive: true });
    writeFileSync(stamp, digestOf(lockfile));
  });
}

/**
 * `npm ci` refuses a lockfile that does not name the binaries of every system, and the npm that wrote it may not
 * have known those of this one. `npm install` takes the rest of the lockfile as it is and adds what is missing.
 */
async function install(/** @type {string} */ node) {
  // All of them: building and testing need the others too, whatever this machine calls production.
  const options = ['--include=dev', '--include=optional', '--no-audit', '--no-fund', '--prefix', root];
  try {
    await runNpm({
      node,
      args: ['ci', ...options],
      cwd: root,
      failure: 'The dependencies could not be installed',
    });
  } catch (error) {
    // Whatever it failed of: its words cannot be relied on (an outer `npm --silent` takes them away).
    if (!(error instanceof LaunchError)) throw error;
    const args = ['install', '--no-save', ...options];
    await runNpm({ node, args, cwd: root, failure: 'The dependencies could not be installed' });
  }
}

/** For ./powernode, which then needs no second look until package-lock.json changes. */
export function noteReady(/** @type {string} */ node) {
  const note = `${state}/ready`;
  try {
    mkdirSync(state, { recursive: true });
    writeFileSync(note, `${node}\n`);
  } catch (error) {
    // Somebody else's checkout: their note says the same, or this user could not have got here.
    if (!existsSync(note)) throw error;
  }
}

export function isInstalled() {
  return (
    existsSync(stamp) && existsSync(installedLockfile) && readFileSync(stamp, 'utf8') === digestOf(lockfile)
  );
}

function digestOf(/** @type {string} */ file) {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

/** True when somebody has run `npm ci` or `npm install` on this very lockfile: it is not done again. */
export function matches(/** @type {string} */ wanted, /** @type {string} */ installed) {
  if (!existsSync(installed)) return false;
  const have = packagesOf(installed);
  return Object.entries(packagesOf(wanted)).every(([place, entry]) => {
    if (!place.includes('node_modules/') || entry.link === true) return true;
    const found = have[place];
    // What is optional may be for another system, and npm then leaves it out.
    return found === undefined
      ? entry.optional === true || entry.devOptional === true
      : found.version === entry.version;
  });
}

/**
 * @typedef {{ version?: string, link?: boolean, optional?: boolean, devOptional?: boolean }} LockedPackage
 * @returns {Record<string, LockedPackage>} by the folder that each is installed in
 */
function packagesOf(/** @type {string} */ file) {
  /** @type {{ packages: Record<string, LockedPackage> }} */
  const content = JSON.parse(readFileSync(file, 'utf8'));
  return content.packages;
}
