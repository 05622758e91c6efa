// WireGuard in userspace, for kernels that have none: one `wireguard-go` an interface, in a session of its own, so
// that it goes on when the agent ends. It is found again by looking: its interface, its socket, its environment.
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { ProductError } from '@powernode/core/errors';
import { agentUserspacePollMs, agentUserspaceStartMs } from '@powernode/core/limits/agent';
import { type Clock, pause } from '../../ports/clock.ts';
import type { Run } from '../../ports/run.ts';
import { userspaceMark } from './names.ts';

/** Of processes, as `nice` counts: an administrator's own are at 0, and the least patient at -20. */
const userspacePriority = -10;

/**
 * Half of the processors. Threads of Go that have nothing to do wake and look for work on all of them: on a machine of
 * two that costs as much again for each packet that comes alone, and brings nothing to a stream.
 */
const userspaceProcessors = Math.max(1, Math.floor(availableParallelism() / 2));

interface Machine {
  readonly run: Run;
  readonly clock: Clock;
  /** Called when a WireGuard that this agent started has ended. */
  readonly ended: (name: string, why: string) => void;
}

/** Starts it and waits until it can be configured. */
export async function startUserspace(machine: Machine, name: string): Promise<void> {
  // Before ordinary programs, as WireGuard in the kernel would be: packets that wait for them are paths that look dead.
  // -f: it must not fork by itself, or a zombie is left with nobody to wait for it.
  const command = { program: 'nice', args: ['-n', String(userspacePriority), 'wireguard-go', '-f', name] };
  const started = await machine.run.detach(command, {
    [userspaceMark]: name,
    LOG_LEVEL: 'error',
    GOMAXPROCS: String(userspaceProcessors),
  });
  const life: { over: string | null } = { over: null };
  void started.ended.then((why) => {
    life.over = why;
    machine.ended(name, why);
  });
  const startedAtMs = machine.clock.monotonicMs();
  while (!(await answers(machine.run, name))) {
    if (life.over !== null) throw endedAtOnce(name, life.over);
    if (machine.clock.monotonicMs() - startedAtMs > agentUserspaceStartMs) {
      throw new ProductError(
        'command_failed',
        `wireguard-go ${name} did not answer in ${agentUserspaceStartMs} ms`,
      );
    }
    await pause(machine.clock, agentUserspacePollMs);
  }
}

function endedAtOnce(name: string, why: string): ProductError {
  // What `nice` says when there is no such program.
  if (why !== 'exit code 127')
    return new ProductError('command_failed', `wireguard-go ${name} ended at once: ${why}`);
  return new ProductError(
    'machine_unsupported',
    'The kernel of this instance has no WireGuard, and wireguard-go cannot be started either. ' +
      'On Debian: apt-get install wireguard-go',
  );
}

async function answers(run: Run, name: string): Promise<boolean> {
  if (!hasSocket(name)) return false;
  return (await run.attempt({ program: 'wg', args: ['show', name, 'public-key'] })).exitCode === 0;
}

function hasSocket(name: string): boolean {
  return statSync(`/run/wireguard/${name}.sock`, { throwIfNoEntry: false })?.isSocket() ?? false;
}

/**
 * Interfaces in this network namespace whose process carries the agent's mark. Needed only for what was started by
 * an agent that was killed before it could give the interface its alias; everything else is known by that.
 */
export function markedInterfaces(): Set<string> {
  const names = new Set<string>();
  const here = linkOf('/proc/self/ns/net');
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid) || !(linkOf(`/proc/${pid}/exe`) ?? '').includes('wireguard')) continue;
    if (linkOf(`/proc/${pid}/ns/net`) !== here) continue;
    const mark = environmentOf(pid).find((entry) => entry.startsWith(`${userspaceMark}=`));
    if (mark !== undefined) names.add(mark.slice(userspaceMark.length + 1));
  }
  return names;
}

function linkOf(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    // Ended meanwhile, or not ours to look at.
    return null;
  }
}

function environmentOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  } catch {
    return [];
  }
}
