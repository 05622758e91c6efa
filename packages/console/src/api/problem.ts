// What to show for anything that was thrown.
import { CallError, localProblem } from '@powernode/client/call-error';
import type { Problem } from '@powernode/core/errors';

/** The platform's words, or that the fault is the console's own. */
export function problemOfThrown(thrown: unknown): Problem {
  if (thrown instanceof CallError) return thrown.problem;
  const said = thrown instanceof Error ? thrown.message : String(thrown);
  return localProblem('internal', `The console itself failed: ${said}`);
}
