// Entry of the agent: `join`, `run`, `status`, `leave`. Reads which command is meant and turns failures into exit
// codes; each command is in commands/.
import { ProductError } from '@powernode/core/errors';
import { agentVersion } from './version.ts';

const help = `powernode agent ${agentVersion}: keeps this machine in its overlays

  join    --platform URL --token TOKEN    join a platform (also --token-file FILE, POWERNODE_JOIN_TOKEN, --hostname NAME)
  run                                     keep the machine at what the platform wants (root)
  status  [--json]                        what it is and whether it is
  leave                                   take everything down again and forget the platform (root)

Each takes --state-dir DIR (default /var/lib/powernode).
`;

/** A command's function, imported only when it is the one: `run` has no use for what `join` needs. */
const commands: Readonly<Record<string, () => Promise<(args: readonly string[]) => Promise<number>>>> = {
  join: async () => (await import('./commands/join.ts')).join,
  run: async () => {
    const lean = await import('./commands/lean.ts');
    lean.spareMemory();
    const { run } = await import('./commands/run.ts');
    lean.startAnewIfFat(process.argv[1] ?? '');
    return run;
  },
  status: async () => (await import('./commands/status.ts')).status,
  leave: async () => (await import('./commands/leave.ts')).leave,
};

async function main(args: readonly string[]): Promise<number> {
  const [name = 'help', ...rest] = args;
  if (name === '--version' || name === 'version') {
    process.stdout.write(`${agentVersion}\n`);
    return 0;
  }
  const load = commands[name];
  if (load !== undefined) {
    if (rest.includes('--help')) return print(help);
    return (await load())(rest);
  }
  if (name === 'help' || name === '--help') return print(help);
  throw new ProductError(
    'usage',
    `There is no command "${name}". Known: ${Object.keys(commands).join(', ')}.`,
  );
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}

function fail(error: unknown): void {
  if (!(error instanceof ProductError)) throw error;
  process.stderr.write(`powernode agent: ${error.detail}\n`);
  process.exitCode = error.meaning.exitCode;
}

// No `await` at the top: as one file this is a CommonJS module, which knows none.
main(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
}, fail);
