// Entry of the agent: `join`, `run`, `status`, `retry`, `upgrade`, `leave`. Reads which command is meant and turns failures
// into exit codes; each command is in commands/.
import { ProductError } from '@powernode/core/errors';
import { agentVersion } from './version.ts';

const help = `powernode agent ${agentVersion}: joins an instance to a platform and keeps it configured

  join    --platform URL --token TOKEN    join a platform (also --token-file FILE, POWERNODE_JOIN_TOKEN, --hostname NAME);
          [--anew]                        --anew: a copy of another instance becomes an instance of its own
  run                                     apply the configuration from the platform (root)
  status  [--json]                        show the applied configuration and the connection
  retry                                   retry a change that was rolled back (root)
  upgrade [--check]                       install the agent version that the platform serves (root)
  leave   [--local]                       remove all configuration, notify the platform and leave it (root);
                                          with --local the platform is told nothing

Each takes --state-dir DIR (default /var/lib/powernode).
`;

/** A command's function, imported only when it is the one: `run` has no use for what `join` needs. */
const commands: Readonly<Record<string, () => Promise<(args: readonly string[]) => Promise<number>>>> = {
  join: async () => (await import('./commands/join.ts')).join,
  run: async () => {
    const memory = await import('./process-memory.ts');
    memory.spareMemory();
    const { run } = await import('./commands/run.ts');
    memory.startAnewIfFat(process.argv[1] ?? '');
    return run;
  },
  status: async () => (await import('./commands/status.ts')).status,
  retry: async () => (await import('./commands/retry.ts')).retry,
  upgrade: async () => (await import('./commands/upgrade.ts')).upgrade,
  leave: async () => (await import('./commands/leave.ts')).leave,
};

async function main(args: readonly string[]): Promise<number> {
  // On a machine with the agent alone this program is `powernode`, and is called as in a checkout: `powernode agent …`.
  const [name = 'help', ...rest] = args[0] === 'agent' ? args.slice(1) : args;
  if (name === '--version' || name === 'version') {
    process.stdout.write(`${agentVersion}\n`);
    return 0;
  }
  const load = commands[name];
  if (load !== undefined) {
    if (rest.includes('--help') || rest.includes('-h')) return print(help);
    return (await load())(rest);
  }
  if (name === 'help' || name === '--help' || name === '-h') return print(help);
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
