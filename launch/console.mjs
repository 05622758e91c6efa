// Builds the web console when its sources changed since the last build.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { filesBelow } from './files.mjs';
import { withLock } from './lock.mjs';
import { runNpm } from './npm.mjs';
import { root, say, state } from './places.mjs';

const stamp = `${state}/console-built`;
const home = `${root}/packages/console`;

/** @returns {Promise<void>} */
export async function ensureConsole(/** @type {string} */ node) {
  if (!existsSync(`${home}/vite.config.ts`)) return;
  const digest = digestOfSources();
  if (isBuilt(digest)) return;
  await withLock(async () => {
    if (isBuilt(digest)) return;
    say('building the console');
    await runNpm({
      node,
      args: ['run', 'build', '--workspace', '@powernode/console'],
      cwd: root,
      failure: 'The console could not be built',
    });
    writeFileSync(stamp, digest);
  });
}

function isBuilt(/** @type {string} */ digest) {
  return existsSync(`${home}/dist/index.html`) && existsSync(stamp) && readFileSync(stamp, 'utf8') === digest;
}

/** Everything that the bundle is made of: the console, the packages that it imports, and the versions of the rest. */
function digestOfSources() {
  const hash = createHash('sha256');
  const imported = ['core', 'client'].flatMap((name) => filesBelow(`${root}/packages/${name}`));
  const files = [...filesBelow(home), ...imported, `${root}/package-lock.json`];
  for (const file of files) {
    if (/\.test\.tsx?$/.test(file)) continue;
    hash
      .update(`${path.relative(root, file)}\0`)
      .update(readFileSync(file))
      .update('\0');
  }
  return hash.digest('hex');
}
