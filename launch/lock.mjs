// Lets one of several concurrent starts install while the others wait for it.
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf, LaunchError, say, state } from './places.mjs';

/** An installation takes seconds to a few minutes; somebody who waits longer should look. */
const patienceMs = 20 * 60 * 1000;
const pollMs = 200;

/**
 * @template T
 * @param {() => Promise<T>} work
 * @param {string} [folder] where the lock is kept
 * @returns {Promise<T>}
 */
export async function withLock(work, folder = state) {
  mkdirSync(folder, { recursive: true });
  const file = `${folder}/lock`;
  const mine = `${file}.${process.pid}`;
  writeFileSync(mine, String(process.pid));
  try {
    await acquire(file, mine);
    try {
      return await work();
    } finally {
      rmSync(file, { force: true });
    }
  } finally {
    rmSync(mine, { force: true });
  }
}

async function acquire(/** @type {string} */ file, /** @type {string} */ mine) {
  const deadline = Date.now() + patienceMs;
  for (let told = false; ; ) {
    try {
      linkSync(mine, file);
      return;
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
    }
    const holder = holderOf(file);
    if (holder !== null && !isAlive(holder)) removeStale({ file, mine, holder });
    else {
      if (Date.now() > deadline) {
        throw new LaunchError(
          `Process ${holder} has been installing for too long. End it, or remove ${file}.`,
        );
      }
      if (!told) say(`waiting for process ${holder ?? '?'}, which is installing`);
      told = true;
      await sleep(pollMs);
    }
  }
}

/** Moved away first: if another waiter replaced it in between, that living lock is put back. */
function removeStale(/** @type {{ file: string, mine: string, holder: number }} */ { file, mine, holder }) {
  const aside = `${mine}.stale`;
  try {
    renameSync(file, aside);
  } catch {
    return;
  }
  if (holderOf(aside) !== holder) {
    try {
      linkSync(aside, file);
    } catch {
      // A third one has it by now; whoever lost it installs beside it, and the atomic renames keep both whole.
    }
  }
  rmSync(aside, { force: true });
}

/** @returns {number | null} */
function holderOf(/** @type {string} */ file) {
  try {
    return Number(readFileSync(file, 'utf8')) || null;
  } catch {
    return null;
  }
}

function isAlive(/** @type {number} */ pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}
