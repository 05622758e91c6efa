// `powernode agent upgrade`: brings the agent that the platform serves, when it is another than this one. The tunnels go
// on meanwhile; what the machine has joined stays.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  createReadStream,
  createWriteStream,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
} from 'node:fs';
import path from 'node:path';
import { isSea } from 'node:sea';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { ProductError } from '@powernode/core/errors';
import { agentServiceName } from '@powernode/core/machine/service';
import {
  manifestName,
  type PackageEntry,
  type PackageManifest,
  packageManifest,
  packagesPath,
} from '@powernode/core/wire/packages';
import { platformTls } from '../link/authority.ts';
import { download } from '../link/download.ts';
import { problemFrom, requestJson } from '../link/request.ts';
import { systemRun, toolEnvironment } from '../ports/run.ts';
import { hasService, restartService } from '../ports/service.ts';
import { StateFolder } from '../state/folder.ts';
import { type Identity, requireIdentity } from '../state/identity.ts';
import { agentVersion } from '../version.ts';
import { readOptions, stateDirDefault } from './options.ts';

export async function upgrade(args: readonly string[]): Promise<number> {
  const options = readOptions(args, {
    'state-dir': { type: 'string', default: stateDirDefault },
    check: { type: 'boolean', default: false },
  });
  const folder = new StateFolder(options['state-dir']);
  const identity = requireIdentity(folder);
  if (!isSea()) {
    throw new ProductError(
      'usage',
      'This agent runs from a checkout: bring that up to date, and restart the agent.',
    );
  }
  const program = realpathSync(process.execPath);
  const manifest = await fetchManifest(identity);
  const entry = entryFor(manifest, (await isOfDebian(program)) ? 'deb' : 'gz');
  if ((await digestOf(program)) === entry.program_sha256) {
    return said(`This is the agent version that ${identity.node_url} serves (${agentVersion}).`);
  }
  if (options.check) return said(`${identity.node_url} serves another agent: ${manifest.version}.`);
  if (process.getuid?.() !== 0) {
    throw new ProductError('machine_unsupported', 'Upgrading the agent needs root: use sudo.');
  }
  await install(identity, entry, program);
  const running = await hasService(systemRun, folder.path);
  if (running && !(await restartService(systemRun))) {
    throw new ProductError(
      'command_failed',
      `The agent was upgraded to ${manifest.version}, but the service does not start: systemctl status ${agentServiceName}`,
    );
  }
  return said(
    `The agent is ${manifest.version} now.${running ? '' : ' Restart it where one runs: "powernode agent run".'}`,
  );
}

/** Over mutual TLS with the authority that this machine has joined: what is announced here may be run. */
async function fetchManifest(identity: Identity): Promise<PackageManifest> {
  const url = new URL(`${packagesPath}${manifestName}`, identity.node_url);
  const answer = await requestJson({ url, method: 'GET', tls: trustOf(identity) });
  const parsed = packageManifest.safeParse(answer.json);
  if (answer.status === 200 && parsed.success) return parsed.data;
  if (answer.status !== 404) throw problemFrom(answer, url);
  throw new ProductError(
    'not_found',
    `${url.origin} has no packages of the agent. Build them where the platform runs: ./powernode agent build`,
  );
}

function trustOf(identity: Identity) {
  const own = { certificatePem: identity.certificate_pem, key: identity.key_pem };
  return platformTls(own, { authorityPem: identity.authority_pem, platformId: identity.platform_id });
}

function entryFor(manifest: PackageManifest, format: PackageEntry['format']): PackageEntry {
  const found = manifest.packages.find((entry) => entry.arch === process.arch && entry.format === format);
  if (found !== undefined) return found;
  throw new ProductError(
    'not_found',
    `The platform has no package of the agent for linux on ${process.arch}.`,
  );
}

async function install(identity: Identity, entry: PackageEntry, program: string): Promise<void> {
  // Beside the program: it is moved to its place whole, and nobody but root may write here.
  const work = mkdtempSync(path.join(path.dirname(program), '.powernode-upgrade-'));
  try {
    const file = path.join(work, entry.name);
    const url = new URL(`${packagesPath}${entry.name}`, identity.node_url);
    await download({ url, tls: trustOf(identity), file, bytes: entry.bytes, sha256: entry.sha256 });
    if (entry.format === 'deb') installPackage(file, work);
    else await replaceProgram(file, { entry, program, draft: path.join(work, 'program') });
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function installPackage(file: string, work: string): void {
  // Those who unpack packages as a user of their own have to read it.
  chmodSync(work, 0o755);
  chmodSync(file, 0o644);
  const options = ['-q', '--yes', '--no-install-recommends', '--reinstall', '--allow-downgrades'];
  const env = { ...toolEnvironment, DEBIAN_FRONTEND: 'noninteractive' };
  // It takes as long as it takes: cutting a package manager off would leave half a package.
  const { status, stderr } = spawnSync('apt-get', ['install', ...options, file], { env, encoding: 'utf8' });
  if (status === 0) return;
  throw new ProductError('command_failed', `apt-get could not install ${file}: ${stderr.trim().slice(-500)}`);
}

async function replaceProgram(
  file: string,
  to: { readonly entry: PackageEntry; readonly program: string; readonly draft: string },
): Promise<void> {
  await pipeline(createReadStream(file), createGunzip(), createWriteStream(to.draft, { mode: 0o755 }));
  if ((await digestOf(to.draft)) !== to.entry.program_sha256) {
    throw new ProductError(
      'untrusted_peer',
      `${to.entry.name} does not hold the program that was announced.`,
    );
  }
  chmodSync(to.draft, 0o755);
  renameSync(to.draft, to.program);
}

/** Whether the program came with a package, and is that one's to replace. */
async function isOfDebian(program: string): Promise<boolean> {
  const outcome = await systemRun
    .attempt({ program: 'dpkg', args: ['--search', program] })
    .catch(() => ({ exitCode: 1 }));
  return outcome.exitCode === 0;
}

async function digestOf(file: string): Promise<string> {
  const digest = createHash('sha256');
  await pipeline(createReadStream(file), digest);
  return digest.digest('hex');
}

function said(text: string): number {
  process.stdout.write(`${text}\n`);
  return 0;
}
