// `powernode agent run`: keeps this machine at what the platform wants, until it is told to stop.

import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { accessSync, constants } from 'node:fs';
import { ProductError } from '@powernode/core/errors';
import { agentCollectMs } from '@powernode/core/limits/agent';
import { describeMissing, missingPrograms } from '@powernode/core/machine/needs';
import { pino } from 'pino';
import { Agent } from '../agent.ts';
import type { HostOptions } from '../host/host-watch.ts';
import { systemClock } from '../ports/clock.ts';
import { systemRun, toolEnvironment, toolFolders } from '../ports/run.ts';
import { systemSettings } from '../ports/settings.ts';
import { startProber } from '../probe/prober.ts';
import { collectGarbage } from '../process-memory.ts';
import { serveControl } from '../state/control.ts';
import { StateFolder } from '../state/folder.ts';
import { requireIdentity } from '../state/identity.ts';
import { takeInstanceLock } from '../state/instance-lock.ts';
import { agentVersion } from '../version.ts';
import { readOptions, stateDirDefault } from './options.ts';

/** How the run ended. */
type Ending = 'stopped' | 'revoked';

export async function run(args: readonly string[]): Promise<number> {
  const options = readOptions(args, {
    'state-dir': { type: 'string', default: stateDirDefault },
    'log-level': { type: 'string', default: 'info' },
    'host-firewall': { type: 'string', default: process.env['POWERNODE_HOST_FIREWALL'] ?? 'observe' },
    bridge: { type: 'string', multiple: true, default: listOf(process.env['POWERNODE_BRIDGES']) },
    'export-routes': { type: 'boolean', default: isSet('POWERNODE_EXPORT_ROUTES') },
  });
  const log = openLog(options['log-level']);
  const folder = new StateFolder(options['state-dir']);
  const identity = requireIdentity(folder);
  if (identity.revoked_at !== null) throw revokedError(identity.revoked_at);
  requireMachine();
  const lock = takeInstanceLock(folder);
  const agent = new Agent({
    folder,
    identity,
    log,
    run: systemRun,
    clock: systemClock,
    settings: systemSettings,
    random: Math.random,
    startProber,
    runId: randomUUID(),
    host: {
      hostFirewall: hostFirewallOf(options['host-firewall']),
      bridges: bridgesOf(options.bridge),
      exportRoutes: options['export-routes'],
    },
  });
  const ending = Promise.withResolvers<Ending>();
  const control = await serveControl(folder, (asked) => {
    if (asked === 'status') return agent.status();
    if (asked === 'retry') return { retried: agent.retry() };
    ending.resolve('stopped');
    return { stopping: true };
  });
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
    process.once(signal, () => ending.resolve('stopped'));
  log.info({ version: agentVersion, instance: identity.instance_id, stateDir: folder.path }, 'agent started');
  agent.start();
  const collecting = setInterval(collectGarbage, agentCollectMs);
  void agent.revoked().then(() => ending.resolve('revoked'));
  const how = await ending.promise;
  clearInterval(collecting);
  await agent.stop();
  control.close();
  lock.leave();
  log.info({ how }, 'agent ended; the machine stays as it is');
  if (how === 'revoked') throw revokedError('just now');
  return 0;
}

function listOf(text: string | undefined): string[] {
  return (text ?? '').split(',').filter((part) => part !== '');
}

function isSet(variable: string): boolean {
  const text = process.env[variable] ?? 'no';
  if (text === 'yes' || text === 'no') return text === 'yes';
  throw new ProductError('usage', `${variable} must be yes or no, not "${text}".`);
}

function hostFirewallOf(text: string): HostOptions['hostFirewall'] {
  if (text === 'observe' || text === 'accept') return text;
  throw new ProductError('usage', `--host-firewall must be observe or accept, not "${text}".`);
}

/** They stand in rules for nft, so nothing that means something there may be in a name. */
function bridgesOf(names: readonly string[]): string[] {
  for (const name of names) {
    if (!/^[A-Za-z0-9_.-]{1,15}$/.test(name) || name.startsWith('wg-')) {
      throw new ProductError(
        'usage',
        `--bridge must name an existing bridge, such as docker0, not "${name}".`,
      );
    }
  }
  return [...new Set(names)];
}

function openLog(level: string) {
  if (!Object.hasOwn(pino.levels.values, level)) {
    const known = Object.keys(pino.levels.values).join(', ');
    throw new ProductError('usage', `--log-level must be one of ${known}, not "${level}".`);
  }
  const destination = pino.destination({ dest: 2, sync: true });
  // Whoever read it may be gone; that is no reason for the machine to lose its agent.
  destination.on('error', () => undefined);
  return pino({ level, base: { pid: process.pid } }, destination);
}

function revokedError(when: string): ProductError {
  return new ProductError(
    'permission_denied',
    `The platform revoked this instance (${when}), and its overlays were removed. ` +
      'To use it again, run "powernode agent leave" and join with a new token.',
  );
}

/** Refuses early, and once for everything that is missing. */
function requireMachine(): void {
  if (process.platform !== 'linux') {
    throw new ProductError(
      'machine_unsupported',
      'The agent runs on Linux only. The command line and the console work here.',
    );
  }
  if (process.getuid?.() !== 0) {
    throw new ProductError(
      'machine_unsupported',
      'The agent configures network interfaces and needs root: use sudo.',
    );
  }
  const missing = missingPrograms('agent', { hasProgram, hasKernelWireguard });
  if (missing.length > 0) {
    throw new ProductError(
      'machine_unsupported',
      `The agent cannot run here. Programs are ${describeMissing(missing)}`,
    );
  }
}

function hasProgram(command: string): boolean {
  return toolFolders().some((folder) => isProgram(`${folder}/${command}`));
}

/** Tried in a network namespace of its own, which ends at once: module files say nothing of a container's kernel. */
function hasKernelWireguard(): boolean {
  const args = ['--net', 'ip', 'link', 'add', 'dev', 'wgtry', 'type', 'wireguard'];
  return spawnSync('unshare', args, { env: toolEnvironment, stdio: 'ignore' }).status === 0;
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
