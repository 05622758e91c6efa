// Long work in memory, with rests for everybody else: nodes that hold addresses ask for them several times a second.
import { setImmediate as rest } from 'node:timers/promises';
import { workSliceMs } from '@powernode/core/limits/overlay';

/** Everything that the work gives, but for its rests (null). */
export async function inSlices<T>(work: Iterable<T | null>): Promise<T[]> {
  const results: T[] = [];
  let begunMs = performance.now();
  for (const result of work) {
    if (result !== null) results.push(result);
    if (performance.now() - begunMs < workSliceMs) continue;
    await rest();
    begunMs = performance.now();
  }
  return results;
}
