// Reads the options of one command, strictly: what is not known is an error that names what is.
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { ProductError } from '@powernode/core/errors';
import { agentStateFolder } from '@powernode/core/machine/service';

export const stateDirDefault = process.env['POWERNODE_STATE_DIR'] ?? agentStateFolder;

type Specification = NonNullable<ParseArgsConfig['options']>;

/** Values by name; a flag that was given is `true`. */
export function readOptions<S extends Specification>(
  args: readonly string[],
  options: S,
): ReturnType<typeof parseArgs<{ options: S }>>['values'] {
  try {
    return parseArgs({ args: [...args], options, strict: true, allowPositionals: false }).values;
  } catch (error) {
    const known = Object.keys(options).map((name) => `--${name}`);
    const reason = error instanceof Error ? error.message.split('. ', 1)[0] : String(error);
    throw new ProductError('usage', `${reason}. Known here: ${known.join(', ')}.`, { cause: error });
  }
}
