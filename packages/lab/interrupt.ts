// Bringing a lab up from a command line, where Ctrl-C may come at any moment.

import { type Lab, type LabOptions, upFile } from './lab.ts';
import { labsFound, takeDown } from './life/down.ts';
import { type MachineOptions, requireMachine } from './stage/machine.ts';

/** What a shell shows for a program that Ctrl-C has ended. */
const exitInterrupted = 130;

/**
 * An interrupted `up` leaves nothing of its lab, as any other failure does: what is there is taken away under
 * its hands, whereupon it fails and removes the rest. A lab that stood before stays.
 */
export async function upInterruptible(
  file: string,
  options: LabOptions,
  machine: MachineOptions = {},
): Promise<Lab> {
  requireMachine(machine);
  const before = await labsFound();
  let interrupted = false;
  const clear = async () => {
    const made = (await labsFound()).filter((lab) => !before.includes(lab));
    if (made.length === 0) process.exit(exitInterrupted);
    for (const lab of made) await takeDown(lab);
  };
  const onSignal = () => {
    if (interrupted) return;
    interrupted = true;
    void clear();
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const name of signals) process.on(name, onSignal);
  try {
    return await upFile(file, options);
  } catch (error) {
    if (interrupted) process.exit(exitInterrupted);
    throw error;
  } finally {
    for (const name of signals) process.removeListener(name, onSignal);
  }
}
