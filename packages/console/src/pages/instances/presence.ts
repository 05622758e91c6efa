// What the status of a machine says of it.
import type { Instance } from '@powernode/core/intent/fleet';

type Known = Pick<Instance, 'status'>;

/** It has joined and is not terminated: only then it has a stream, and a state to be in. */
export function isThere({ status }: Known): boolean {
  return status !== 'pending' && status !== 'terminated';
}

export function isDraining({ status }: Known): boolean {
  return status === 'draining';
}
