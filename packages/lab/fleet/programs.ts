// Where the programs are that a lab starts: those of the same checkout.
import path from 'node:path';

/** The root of the checkout, where the launcher `powernode` is. */
export const checkout = path.resolve(import.meta.dirname, '../../..');

export const platformProgram = path.join(checkout, 'packages/platform/main.ts');
export const agentProgram = path.join(checkout, 'packages/agent/main.ts');

/** Whether a process is one of the programs, run with this first argument. */
export function isProgram(args: readonly string[], want: { program: string; verb: string }): boolean {
  const at = args.indexOf(want.program);
  return at > 0 && args[at + 1] === want.verb;
}
