// `npm run demo`: the quickstart lab, who reaches whom in it, and where to look at it. Stays until Ctrl-C.
import path from 'node:path';
import { parseArgs } from 'node:util';
import { ProductError } from '@powernode/core/errors';
import { checkout } from './fleet/programs.ts';
import { upInterruptible } from './interrupt.ts';
import type { Lab } from './lab.ts';
import { formatMatrix } from './watch/matrix.ts';

const usage = `npm run demo -- [--once | --keep] [--file FILE]

  --once   end after the matrix, and leave nothing (also: --exit)
  --keep   end after the matrix, and leave the lab running
  --file   another lab than examples/labs/quickstart.yaml

Needs Linux and root. It names the programs that are missing, and installs them with apt-get.`;

const quickstart = path.join(checkout, 'examples/labs/quickstart.yaml');

type Ending = 'wait' | 'once' | 'keep';

const flag = { type: 'boolean', default: false } as const;
const options = {
  once: flag,
  exit: flag,
  keep: flag,
  help: { ...flag, short: 'h' },
  file: { type: 'string', default: quickstart },
} as const;

function readArguments(): { readonly file: string; readonly ending: Ending } | null {
  try {
    const { values } = parseArgs({ options });
    if (values.help) return null;
    return { file: values.file, ending: values.once || values.exit ? 'once' : values.keep ? 'keep' : 'wait' };
  } catch (error) {
    throw new ProductError('usage', `${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
  }
}

async function demo(): Promise<number> {
  const wanted = readArguments();
  if (wanted === null) {
    console.log(usage);
    return 0;
  }
  const report = (line: string) => console.log(line);
  const lab = await upInterruptible(wanted.file, { report }, { install: { report } });
  const stop = new Promise<void>((resolve) => {
    // The first counts; what follows must not end this process before the lab is down.
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => resolve());
  });
  try {
    const complete = await showMatrix(lab);
    if (wanted.ending !== 'once') await showAddresses(lab, wanted.ending);
    if (wanted.ending === 'wait') await held(stop);
    return complete ? 0 : 1;
  } finally {
    if (wanted.ending !== 'keep') {
      await lab.down();
      console.log('The lab is gone: no namespace, process, interface or file of it is left.');
    }
  }
}

/** Listening for signals alone does not keep a process. */
async function held(until: Promise<void>): Promise<void> {
  const hold = setInterval(() => undefined, holdMs);
  await until;
  clearInterval(hold);
}
const holdMs = 60_000;

/** Whether everyone reached everyone. */
async function showMatrix(lab: Lab): Promise<boolean> {
  const results = await lab.matrix();
  const lost = results.filter((result) => result.roundTripMs === null).length;
  console.log(`\nRound trips over the overlay, from each host (left) to each other, in milliseconds:\n`);
  console.log(formatMatrix(results));
  const expected = lab.plan.networks.reduce((sum, { hosts }) => sum + hosts.length * (hosts.length - 1), 0);
  console.log(`\n${results.length - lost} of ${expected} pairs answered.`);
  return lost === 0 && results.length === expected;
}

async function showAddresses(lab: Lab, ending: Ending): Promise<void> {
  const { platforms } = await lab.status();
  for (const platform of platforms) {
    console.log(`\nConsole:  ${platform.url}/\nToken in: ${platform.token_file}`);
  }
  console.log(`\nTry: ./powernode lab exec edge2 -- ping -c 3 hub1
     ./powernode lab cut edge1 hub1
     ./powernode lab status`);
  if (ending === 'wait') console.log('\nCtrl-C ends the lab.');
  if (ending === 'keep') console.log(`\nEnd it with: ./powernode lab down ${lab.plan.name}`);
}

async function main(): Promise<number> {
  try {
    return await demo();
  } catch (error) {
    if (!(error instanceof ProductError)) throw error;
    process.stderr.write(`demo: ${error.detail}\n`);
    return error.meaning.exitCode;
  }
}

process.exit(await main());
