// Whether this machine can be a stage for agents: namespaces, tools and the right to use them.
import { ProductError } from '@powernode/core/errors';
import { requireMachine } from '../../packages/lab/stage/machine.ts';

/** Why not, in words; null: it can. */
export function lacking(): string | null {
  try {
    requireMachine();
    return null;
  } catch (error) {
    if (error instanceof ProductError) return error.detail;
    throw error;
  }
}
