// Changes of a host's IPv6 routes into overlays, as the kernel tells them: who watches them sees each move of a path.
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { ProductError } from '@powernode/core/errors';
import { z } from 'zod';
import type { LabPlan } from '../plan/plan.ts';
import { requireNode } from '../stage/fabric.ts';
import { signal } from '../stage/process.ts';
import { inNetwork, run, toolPath } from '../stage/run.ts';

interface HostOfLab {
  readonly plan: LabPlan;
  readonly name: string;
}

/** A watch of one host that goes on until it is stopped. */
export interface RouteWatch {
  /** What changed until now, a line of `ip monitor` each. */
  readonly changes: readonly string[];
  readonly stop: () => Promise<void>;
}

/** Starts watching; what changes from its return on is seen. */
export async function watchRoutes({ plan, name }: HostOfLab): Promise<RouteWatch> {
  const holder = requireNode(plan, name);
  const command = inNetwork(holder.pid, { program: 'ip', args: ['-o', '-6', 'monitor', 'route'] });
  const child = spawn(command.program, [...command.args], {
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, PATH: toolPath },
  });
  const changes: string[] = [];
  let marked: (() => void) | null = null;
  if (child.stdout !== null) {
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.includes(mark)) marked?.();
      else if (line.includes(' dev wg-')) changes.push(line.trim());
    });
  }
  await listens(child, { mark: () => markRoute(holder.pid), seen: (resolve) => (marked = resolve) });
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()));
  const stop = async () => {
    if (child.pid !== undefined) signal(-child.pid, 'SIGKILL');
    await ended;
  };
  return { changes, stop };
}

/** A route of no use to anyone (RFC 6666, discard only), by which the watch is known to have begun. */
const mark = '100::1ab';

async function markRoute(pid: number): Promise<void> {
  for (const verb of ['add', 'delete']) {
    await run(inNetwork(pid, { program: 'ip', args: ['-6', 'route', verb, 'blackhole', `${mark}/128`] }));
  }
}

const markAgainMs = 50;

/** Marks until a mark is seen. */
async function listens(
  child: ChildProcess,
  how: { readonly mark: () => Promise<void>; readonly seen: (resolve: () => void) => void },
): Promise<void> {
  let over = false;
  const seen = new Promise<void>((resolve, reject) => {
    how.seen(resolve);
    child.on('error', reject);
    child.on('close', () => reject(new ProductError('command_failed', 'ip monitor ended')));
  }).finally(() => {
    over = true;
  });
  const marking = (async () => {
    while (!over) {
      await how.mark();
      await Promise.race([seen, new Promise((resolve) => setTimeout(resolve, markAgainMs))]);
    }
  })();
  await Promise.all([seen, marking]);
}

const routes = z.array(z.looseObject({ dev: z.string().optional() }));

/** The interface by which the host would send to the address now; null: no way. */
export async function wayTo({ plan, name }: HostOfLab, address: string): Promise<string | null> {
  const family = address.includes(':') ? '-6' : '-4';
  const get = {
    program: 'sh',
    args: ['-c', `ip -j ${family} route get ${address} 2>/dev/null || echo '[]'`],
  };
  const text = await run(inNetwork(requireNode(plan, name).pid, get));
  return routes.parse(JSON.parse(text))[0]?.dev ?? null;
}
