// `powernode agent leave`: stops a running agent, takes away everything of its that is found on the machine, puts
// settings back, and forgets the platform. May be repeated; it does what is left to do.
import { rmdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { ProductError } from '@powernode/core/errors';
import { agentStopMs } from '@powernode/core/limits';
import { removeEverything } from '../apply/remove.ts';
import { systemClock } from '../ports/clock.ts';
import { systemRun } from '../ports/run.ts';
import { systemSettings } from '../ports/settings.ts';
import { askAgent } from '../state/control.ts';
import { StateFolder } from '../state/folder.ts';
import { type Seat, takeSeat } from '../state/seat.ts';
import { readOptions, stateDirDefault } from './options.ts';

/** What the agent keeps in its folder. Anything else there is somebody else's, and stays. */
const ownFiles =
  /^(?:identity\.json|document\.(?:json|journal)|applied\.json|settings\.json|keys|agent\.(?:lock|sock))(?:\.draft)?$/;

export async function leave(args: readonly string[]): Promise<number> {
  const options = readOptions(args, { 'state-dir': { type: 'string', default: stateDirDefault } });
  const folder = new StateFolder(options['state-dir']);
  const known = folder.list('').length > 0;
  if (!known && process.getuid?.() !== 0)
    return said('Nothing to leave: this machine has not joined a platform.');
  if (process.getuid?.() !== 0 && process.platform === 'linux') {
    throw new ProductError('machine_unsupported', 'Taking network interfaces away needs root: use sudo.');
  }
  const seat = process.platform === 'linux' ? await takeSeatFromRunning(folder) : null;
  const parts = { run: systemRun, clock: systemClock, settings: systemSettings, folder };
  const removed = seat === null ? 0 : await removeEverything(parts);
  forget(folder);
  seat?.leave();
  if (!known && removed === 0) return said('Nothing to leave: this machine has not joined a platform.');
  return said('Left. The machine is as it was before it joined.');
}

function said(text: string): number {
  process.stdout.write(`${text}\n`);
  return 0;
}

/** Asks the agent of this folder to stop, and waits until it has let go. */
async function takeSeatFromRunning(folder: StateFolder): Promise<Seat> {
  await askAgent(folder, 'stop');
  const startedAtMs = systemClock.monotonicMs();
  for (;;) {
    try {
      return takeSeat(folder);
    } catch (error) {
      if (systemClock.monotonicMs() - startedAtMs > agentStopMs) throw error;
    }
    await delay(50);
  }
}

function forget(folder: StateFolder): void {
  for (const name of folder.list('')) if (ownFiles.test(name)) folder.remove(name);
  if (folder.list('').length > 0) return;
  try {
    rmdirSync(folder.path);
  } catch (error) {
    // Already gone, or a mount point: empty is as good.
    if (!(error instanceof Error && 'code' in error)) throw error;
  }
}
