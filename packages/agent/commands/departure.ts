// Taking this machine out of its overlays: what `leave` does, and `join --anew` before it joins again.
import { rmdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { ProductError } from '@powernode/core/errors';
import { agentStopMs } from '@powernode/core/limits/agent';
import { removeEverything } from '../apply/remove.ts';
import { systemFrr } from '../bgp/frr.ts';
import { HostAcceptance } from '../host/accept.ts';
import { systemClock } from '../ports/clock.ts';
import { systemRun } from '../ports/run.ts';
import { hasService, stopService } from '../ports/service.ts';
import { systemSettings } from '../ports/settings.ts';
import { askAgent } from '../state/control.ts';
import type { StateFolder } from '../state/folder.ts';
import { type InstanceLock, takeInstanceLock } from '../state/instance-lock.ts';

/** What the agent keeps in its folder. Anything else there is somebody else's, and stays. */
const ownFiles =
  /^(?:identity\.json|document\.(?:json|journal)|applied\.json|trial\.json|settings\.json|host-firewall\.json|bgp-resets\.json|frr|keys|agent\.(?:lock|sock))(?:\.draft)?$/;

/** Stops a running agent of this folder and holds its place until `leave`. null: where there are no overlays. */
export async function stopAgent(folder: StateFolder): Promise<InstanceLock | null> {
  if (process.platform !== 'linux') return null;
  if (process.getuid?.() !== 0) {
    throw new ProductError('machine_unsupported', 'Taking network interfaces away needs root: use sudo.');
  }
  return takeLockFromRunning(folder);
}

/** Takes away everything of the agent's that is found on the machine; answers how much that was. */
export async function takeDown(folder: StateFolder): Promise<number> {
  const parts = { run: systemRun, clock: systemClock, settings: systemSettings, folder };
  await systemFrr(parts).remove();
  const removed = await removeEverything(parts);
  await new HostAcceptance(parts).takeBack();
  return removed;
}

/** Asks the agent of this folder to stop, and waits until it has let go. */
async function takeLockFromRunning(folder: StateFolder): Promise<InstanceLock> {
  if (await hasService(systemRun, folder.path)) await stopService(systemRun);
  await askAgent(folder, 'stop');
  const startedAtMs = systemClock.monotonicMs();
  for (;;) {
    try {
      return takeInstanceLock(folder);
    } catch (error) {
      if (systemClock.monotonicMs() - startedAtMs > agentStopMs) throw error;
    }
    await delay(50);
  }
}

/** Forgets the platform, its document and the keys. */
export function forget(folder: StateFolder): void {
  for (const name of folder.list('')) if (ownFiles.test(name)) folder.remove(name);
  if (folder.list('').length > 0) return;
  try {
    rmdirSync(folder.path);
  } catch (error) {
    // Already gone, or a mount point: empty is as good.
    if (!(error instanceof Error && 'code' in error)) throw error;
  }
}
