// The program `powernode lab`: reads the command line, calls the library, prints. No logic of labs here.
import { parseArgs } from 'node:util';
import { ProductError } from '@powernode/core/errors';
import { checkout } from './fleet/programs.ts';
import { upInterruptible } from './interrupt.ts';
import { findLab, type Lab } from './lab.ts';
import { labsFound, takeDown, theLab } from './life/down.ts';
import { isLabName } from './plan/spec.ts';
import { requireMachine } from './stage/machine.ts';
import { passThrough, toolPath } from './stage/run.ts';
import { formatMatrix, formatStatus, type Severed } from './watch/matrix.ts';

const usage = `powernode lab: real hosts in network namespaces, from one file

  powernode lab up FILE [--name NAME]   make the lab, or what is missing of it
  powernode lab status [--json]         what runs, and at which addresses
  powernode lab exec HOST -- COMMAND    run a command inside a host
  powernode lab matrix                  ping every host from every other, over the overlay
  powernode lab cut A B                 drop everything between two nodes; B may be "public" or a LAN
  powernode lab heal A B                undo that
  powernode lab partition NAME...       part these hosts and platforms from all others at once
  powernode lab unite                   undo that
  powernode lab break HOST              let it live on, but forward nothing
  powernode lab repair HOST             undo that
  powernode lab kill NAME               cut the power of a host, a NAT or a platform
  powernode lab start NAME              switch it on again
  powernode lab down [NAME] [--all]     remove the lab and everything it made

With more than one lab up, say which: --lab NAME.
POWERNODE_LAB_DIR is where labs are kept (/var/lib/powernode-lab).`;

interface Arguments {
  readonly words: readonly string[];
  readonly lab: string | undefined;
  readonly name: string | undefined;
  readonly json: boolean;
  readonly all: boolean;
  /** What stands behind `--`. */
  readonly command: readonly string[];
}

function readArguments(argv: readonly string[]): Arguments {
  const end = argv.indexOf('--');
  const own = end < 0 ? argv : argv.slice(0, end);
  try {
    const { values, positionals } = parseArgs({
      args: [...own],
      allowPositionals: true,
      options: {
        lab: { type: 'string' },
        name: { type: 'string' },
        json: { type: 'boolean', default: false },
        all: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    const words = values.help ? ['help'] : positionals;
    const command = end < 0 ? [] : argv.slice(end + 1);
    return { words, lab: values.lab, name: values.name, json: values.json, all: values.all, command };
  } catch (error) {
    throw wrong(error instanceof Error ? error.message : String(error));
  }
}

function wrong(message: string): ProductError {
  return new ProductError('usage', `${message}\n\n${usage}`);
}

type Verb = (given: Arguments) => Promise<number>;

const verbs: Record<string, Verb> = {
  help: async () => {
    print(usage);
    return 0;
  },
  up: async (given) => {
    const [file] = words(given, ['FILE']);
    const lab = await upInterruptible(file, {
      name: given.name,
      report: (line) => process.stderr.write(`${line}\n`),
    });
    print(formatStatus(await lab.status(), await severed(lab)));
    return 0;
  },
  status: async (given) => {
    words(given, []);
    const lab = await chosen(given);
    const status = await lab.status();
    print(given.json ? JSON.stringify(status, null, 2) : formatStatus(status, await severed(lab)));
    return 0;
  },
  exec: async (given) => {
    // Without `--`, what follows the host is the command, as with ssh.
    const [host, ...rest] = given.words.slice(1);
    const [program, ...args] = given.command.length > 0 ? given.command : rest;
    if (host === undefined || program === undefined) throw wrong('exec needs HOST -- COMMAND');
    if (given.command.length > 0 && rest.length > 0) throw wrong(`"${rest[0]}" stands between HOST and --`);
    const lab = await chosen(given);
    const isHost = lab.plan.hosts.some((candidate) => candidate.name === host);
    const PATH = `${checkout}:${toolPath}`;
    return passThrough(lab.command(host, { program, args }), {
      ...(isHost ? lab.environment(host) : {}),
      PATH,
    });
  },
  matrix: async (given) => {
    words(given, []);
    const results = await (await chosen(given)).matrix();
    print(formatMatrix(results));
    return results.every((result) => result.roundTripMs !== null) ? 0 : 1;
  },
  cut: async (given) => {
    const [a, b] = words(given, ['A', 'B']);
    await (await chosen(given)).cut({ a, b });
    return 0;
  },
  heal: async (given) => {
    const [a, b] = words(given, ['A', 'B']);
    await (await chosen(given)).heal({ a, b });
    return 0;
  },
  partition: async (given) => {
    const [first, ...rest] = given.words.slice(1);
    if (first === undefined || given.command.length > 0) throw wrong('partition takes one NAME or more');
    await (await chosen(given)).partition([first, ...rest]);
    return 0;
  },
  unite: async (given) => {
    words(given, []);
    await (await chosen(given)).unite();
    return 0;
  },
  break: async (given) => {
    const [host] = words(given, ['HOST']);
    await (await chosen(given)).breakForwarding(host);
    return 0;
  },
  repair: async (given) => {
    const [host] = words(given, ['HOST']);
    await (await chosen(given)).repairForwarding(host);
    return 0;
  },
  kill: async (given) => {
    const [name] = words(given, ['NAME']);
    await (await chosen(given)).kill(name);
    return 0;
  },
  start: async (given) => {
    const [name] = words(given, ['NAME']);
    await (await chosen(given)).start(name);
    return 0;
  },
  down,
};

async function down(given: Arguments): Promise<number> {
  requireMachine();
  const named = given.words[1] ?? given.lab;
  if (given.words.length > 2) throw wrong('down takes one NAME at most');
  if (named !== undefined && !isLabName(named)) throw wrong(`"${named}" cannot be the name of a lab`);
  const found = await labsFound();
  const labs = given.all || (named === undefined && found.length === 0) ? found : [await theLab(named)];
  const gone = [];
  for (const lab of labs) if (await takeDown(lab)) gone.push(lab);
  print(gone.length === 0 ? 'there was nothing left of a lab' : `gone: ${gone.join(', ')}`);
  return 0;
}

/** Exactly the words that the verb takes, after the verb itself. */
function words<const N extends readonly string[]>(given: Arguments, names: N): { [K in keyof N]: string } {
  const [verb, ...rest] = given.words;
  if (given.command.length > 0) throw wrong(`${verb} takes no -- COMMAND`);
  if (rest.length !== names.length) {
    throw wrong(
      `${verb} takes ${names.length === 0 ? 'no arguments' : names.join(' ')}, not "${rest.join(' ')}"`,
    );
  }
  return rest as { [K in keyof N]: string };
}

async function chosen(given: Arguments): Promise<Lab> {
  requireMachine();
  return findLab(await theLab(given.lab));
}

async function severed(lab: Lab): Promise<Severed> {
  return { cuts: await lab.cuts(), parted: await lab.parted() };
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function main(argv: readonly string[]): Promise<number> {
  try {
    const given = readArguments(argv);
    const verb = verbs[given.words[0] ?? 'help'];
    if (verb === undefined) throw wrong(`there is no "${given.words[0]}"`);
    return await verb(given);
  } catch (error) {
    if (!(error instanceof ProductError)) throw error;
    process.stderr.write(`powernode lab: ${error.detail}\n`);
    return error.meaning.exitCode;
  }
}

process.exit(await main(process.argv.slice(2)));
