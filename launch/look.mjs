// Whether this machine can hold a lab, before anything but Node is brought for one. For the demo what is missing is
// installed. Runs on the Node that the project brings, while none of its dependencies may be there.
import { ProductError } from '../packages/core/errors.ts';
import { requireMachine } from '../packages/lab/stage/machine.ts';

const word = process.argv[2] ?? '';
const report = (/** @type {string} */ line) => process.stdout.write(`${line}\n`);
try {
  requireMachine(word === 'demo' ? { install: { report } } : {});
} catch (error) {
  if (!(error instanceof ProductError)) throw error;
  process.stderr.write(`${word === 'demo' ? 'demo' : `powernode ${word}`}: ${error.detail}\n`);
  process.exitCode = error.meaning.exitCode;
}
