// Whether this machine can be a stage for agents: namespaces, tools and the right to use them.
import { ProductError } from '@powernode/core/errors';
import { requireMachine } from '../../packages/lab/stage/run.ts';

/** Why not, in words; null: it can. */
export async function lacking(): Promise<string | null> {
  try {
    await requireMachine();
    return null;
  } catch (error) {
    if (error instanceof ProductError) return error.detail;
    throw error;
  }
}
