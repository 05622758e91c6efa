// Programs that only a comparison needs: installed where that can be done, else a reason to leave it out.
import { installPackages, machineFacts } from '../../packages/lab/stage/machine.ts';

/** Each is in a Debian package of its own name. Why they are not there, in words; null: they are. */
export function provided(programs: readonly string[]): string | null {
  const missing = programs.filter((program) => !machineFacts.hasProgram(program));
  if (missing.length === 0) return null;
  const why = installPackages(missing, (line) => process.stdout.write(`  ${line}\n`));
  const still = missing.filter((program) => !machineFacts.hasProgram(program));
  return still.length === 0
    ? null
    : `${still.join(', ')} is missing: ${why ?? 'the package does not have it'}`;
}
