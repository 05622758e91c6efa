// `powernode agent run`: keeps this machine at what the platform wants, until it is told to stop.
import { accessSync, constants } from 'node:fs';
import { ProductError } from '@powernode/core/errors';
import { agentCollectMs } from '@powernode/core/limits';
import { pino } from 'pino';
import { Agent } from '../agent.ts';
import { systemClock } from '../ports/clock.ts';
import { systemRun, toolFolders } from '../ports/run.ts';
import { systemSettings } from '../ports/settings.ts';
import { startProber } from '../probe/prober.ts';
import { serveControl } from '../state/control.ts';
import { StateFolder } from '../state/folder.ts';
import { requireIdentity } from '../state/identity.ts';
import { takeSeat } from '../state/seat.ts';
import { agentVersion } from '../version.ts';
import { collectGarbage } from './lean.ts';
import { readOptions, stateDirDefault } from './options.ts';

/** How the run ended. */
type Ending = 'stopped' | 'revoked';

export async function run(args: readonly string[]): Promise<number> {
  const options = readOptions(args, {
    'state-dir': { type: 'string', default: stateDirDefault },
    'log-level': { type: 'string', default: 'info' },
  });
  const log = openLog(options['log-level']);
  const folder = new StateFolder(options['state-dir']);
  const identity = requireIdentity(folder);
  if (identity.revoked_at !== null) throw revokedError(identity.revoked_at);
  requireMachine();
  const seat = takeSeat(folder);
  const agent = new Agent({
    folder,
    identity,
    log,
    run: systemRun,
    clock: systemClock,
    settings: systemSettings,
    random: Math.random,
    startProber,
  });
  const ending = Promise.withResolvers<Ending>();
  const control = await serveControl(folder, (asked) => {
    if (asked === 'status') return agent.status();
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
  seat.leave();
  log.info({ how }, 'agent ended; the machine stays as it is');
  if (how === 'revoked') throw revokedError('just now');
  return 0;
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
    `The platform revoked this machine (${when}), and its overlays were taken down. ` +
      'To use it again, run "powernode agent leave" and join with a new token.',
  );
}

const tools = [
  { program: 'ip', from: 'iproute2' },
  { program: 'wg', from: 'wireguard-tools' },
  { program: 'nft', from: 'nftables' },
  { program: 'flock', from: 'util-linux' },
] as const;

/** Refuses early, and once for everything that is missing. */
function requireMachine(): void {
  if (process.platform !== 'linux') {
    throw new ProductError(
      'machine_unsupported',
      'The agent runs on Linux only; this machine can use the platform and the console.',
    );
  }
  if (process.getuid?.() !== 0) {
    throw new ProductError(
      'machine_unsupported',
      'The agent configures network interfaces and needs root: use sudo.',
    );
  }
  const missing = tools.filter(
    (tool) => !toolFolders().some((folder) => isProgram(`${folder}/${tool.program}`)),
  );
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map((tool) => tool.from))].join(' ');
  throw new ProductError(
    'machine_unsupported',
    `The agent needs ${missing.map((tool) => tool.program).join(', ')}. On Debian: apt-get install ${packages}`,
  );
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
