// `powernode agent retry`: asks the running agent to apply once more what it took back because it had cut the machine
// off. It is on trial again, and taken back again when it does the same.
import { ProductError } from '@powernode/core/errors';
import { z } from 'zod';
import { askAgent } from '../state/control.ts';
import { StateFolder } from '../state/folder.ts';
import { readOptions, stateDirDefault } from './options.ts';

const answer = z.object({ retried: z.boolean() });

export async function retry(args: readonly string[]): Promise<number> {
  const options = readOptions(args, { 'state-dir': { type: 'string', default: stateDirDefault } });
  const said = answer.safeParse(await askAgent(new StateFolder(options['state-dir']), 'retry'));
  if (!said.success) {
    throw new ProductError('conflict', 'The agent is not running. See "powernode agent status".');
  }
  process.stdout.write(
    said.data.retried
      ? 'The change is applied again, and rolled back again if it disconnects the instance.\n'
      : 'No change was rolled back on this instance.\n',
  );
  return 0;
}
