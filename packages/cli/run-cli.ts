// Runs one command line in a given world, and says how it ended.
import { proposeCompletions, run } from '@stricli/core';
import { createApp } from './app.ts';
import { completeWord } from './commands/completion.ts';
import { sysexitOf } from './commands/failure.ts';
import type { CliContext, World } from './world.ts';

export async function runCli(argv: readonly string[], world: World): Promise<number> {
  const app = createApp();
  const context: CliContext & { process: { exitCode?: number | string | null } } = {
    world,
    process: { stdout: world.stdout, stderr: world.stderr },
  };
  if (argv[0] === completeWord) {
    const proposals = await proposeCompletions(app, argv.slice(1), context);
    for (const { completion } of proposals) world.stdout.write(`${completion}\n`);
    return 0;
  }
  await run(app, argv, context);
  return sysexitOf(context.process.exitCode);
}
