// Builds the packages of the agent that a platform serves, when its sources changed since the last build.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { filesBelow } from './files.mjs';
import { withLock } from './lock.mjs';
import { LaunchError, root, say, state } from './places.mjs';
import { bringRuntime, hostSystem } from './runtime.mjs';

const stamp = `${state}/agents-built`;
const target = `${root}/packages/agent/dist`;

/**
 * Where they cannot be built the platform runs all the same, and says so to machines that ask for them.
 *
 * @param {{ must?: boolean }} [options] `must`: failing to build is an error
 * @returns {Promise<void>}
 */
export async function ensureAgents({ must = false } = {}) {
  const digest = digestOfSources();
  if (isBuilt(digest)) return;
  await withLock(async () => {
    if (isBuilt(digest)) return;
    say('building the packages of the agent (linux, x64 and arm64)');
    try {
      await build();
      writeFileSync(stamp, digest);
    } catch (error) {
      if (must || !(error instanceof LaunchError)) throw error;
      say(
        `${error.message} The agent cannot be installed from this platform; "powernode agent build" tries again.`,
      );
    }
  }, `${state}/agents`);
}

async function build() {
  if (!hostSystem.startsWith('linux-')) {
    throw new LaunchError('The packages of the agent are built on Linux only.');
  }
  // The Node of both processors is of one version, and makes the part that both have in common.
  const nodes = [];
  for (const arch of ['x64', 'arm64']) nodes.push({ arch, file: await bringRuntime(`linux-${arch}`) });
  const own = await bringRuntime(hostSystem);
  const given = nodes.flatMap(({ arch, file }) => ['--node', `${arch}=${file}`]);
  try {
    await promisify(execFile)(own, [`${root}/packages/agent/build.ts`, '--packages', ...given, target]);
  } catch (error) {
    throw new LaunchError(`The packages of the agent could not be built: ${String(error)}`);
  }
}

function isBuilt(/** @type {string} */ digest) {
  return existsSync(`${target}/manifest.json`) && existsSync(stamp) && readFileSync(stamp, 'utf8') === digest;
}

/** Everything that they are made of: the agent, the core that it imports, and the versions of the rest. */
function digestOfSources() {
  const hash = createHash('sha256');
  const folders = ['packages/agent', 'packages/core'].flatMap((folder) => filesBelow(`${root}/${folder}`));
  const files = [...folders, `${root}/package-lock.json`, `${root}/launch/runtime.mjs`];
  for (const file of files) {
    if (/\.(test|fixture)\.ts$/.test(file)) continue;
    hash
      .update(`${path.relative(root, file)}\0`)
      .update(readFileSync(file))
      .update('\0');
  }
  return hash.digest('hex');
}
