// What is said of a step that failed: one sentence with the cause and what to do. The command and all that it printed
// go to the log with the error itself.
import { ProductError } from '@powernode/core/errors';
import { CommandFailure } from '../ports/run.ts';
import { failedSteps } from './iproute/batch.ts';
import { LookFailure, type Problem } from './problem.ts';
import { describeStep, subsystemOf } from './registry.ts';
import type { Step } from './step.ts';

/** `batch`: the steps that were carried out together. One problem for each of them that is known to have failed. */
export function batchFailures(batch: readonly Step[], error: ProductError): Problem[] {
  const failed = failedSteps(batch, error);
  const missing = missingProgram(error);
  const problems = failed.map((step): Problem => {
    const { as, code } = subsystemOf(step).reported;
    const { failure, interface: name } = describeStep(step);
    const said = { code, detail: `${failure}: ${reasonOf(error)}`, interface: name };
    return { subsystem: as, ...(missing ?? said), cause: error };
  });
  return missing === null ? problems : problems.slice(0, 1);
}

/** Anything that ended a turn of the agent: looking at the machine failed, or the agent has an error of its own. */
export function turnFailure(error: unknown): Problem {
  if (!(error instanceof ProductError)) {
    const said = error instanceof Error ? error.message : String(error);
    return {
      subsystem: 'agent',
      code: 'agent_error',
      detail: `The agent hit an internal error (${said.slice(0, 200)}) and retries. Its log has the details; please report it.`,
      cause: error,
    };
  }
  if (!(error instanceof LookFailure)) {
    return { subsystem: 'agent', code: 'agent_error', detail: error.detail, cause: error };
  }
  const { cause } = error;
  const { as: subsystem, code } = error.reported;
  const missing = missingProgram(cause);
  if (missing !== null) return { subsystem, ...missing, cause };
  if (!(cause instanceof CommandFailure))
    return { subsystem, code: 'agent_error', detail: cause.detail, cause };
  const detail = `The system state could not be read: ${cause.detail}. It is retried.`;
  return { subsystem, code, detail, cause };
}

function missingProgram(error: ProductError): Pick<Problem, 'code' | 'detail'> | null {
  if (!(error instanceof CommandFailure) || !error.reason.startsWith('there is no such program')) return null;
  const [program = ''] = error.command.split(' ', 1);
  const detail = `The program ${program} is not installed and the agent needs it: install it.`;
  return { code: 'program_missing', detail };
}

function reasonOf(error: ProductError): string {
  if (!(error instanceof CommandFailure)) return error.detail;
  const advice = adviceFor(error.reason);
  return advice === null ? `${error.reason}. It is retried.` : `${error.reason}. ${advice}`;
}

function adviceFor(reason: string): string | null {
  if (/not permitted|permission denied/i.test(reason)) return 'Run the agent as root, with CAP_NET_ADMIN.';
  if (/no buffer space|cannot allocate memory/i.test(reason)) return 'The system is out of memory.';
  return null;
}
