// The platform's program: `up` starts it, `config` prints its effective settings.
import { parseArgs } from 'node:util';
import { ProductError } from '@powernode/core/errors';
import { sameSignalMs } from '@powernode/core/limits';
import { readSettings, type Settings, settingSpecs } from './config/settings.ts';
import { createLog } from './observe/log.ts';
import { startPlatform } from './start/platform.ts';

const flagNames = Object.values(settingSpecs).flatMap((spec) => (spec.flag === null ? [] : [spec.flag]));

function readFlags(argv: readonly string[]): Record<string, string | undefined> {
  const options = Object.fromEntries(flagNames.map((name) => [name, { type: 'string' as const }]));
  try {
    return parseArgs({ args: [...argv], options, strict: true }).values;
  } catch (error) {
    throw new ProductError('usage', `${(error as Error).message}\n${usage()}`);
  }
}

function usage(): string {
  const lines = Object.values(settingSpecs).map((spec) => {
    const how = spec.flag === null ? spec.variable : `--${spec.flag}, ${spec.variable}`;
    return `  ${how.padEnd(46)} ${spec.help}`;
  });
  return `Usage: powernode up|config [options]\n${lines.join('\n')}`;
}

async function up(settings: Settings): Promise<void> {
  const log = createLog(settings.logLevel);
  const platform = await startPlatform(settings, log);
  process.stdout.write(
    `Powernode is up: ${platform.url}\nThe administrator's token is in ${platform.adminTokenPath}\n`,
  );
  if (platform.authorityPath !== null) {
    process.stdout.write(
      `Its certificate is signed by ${platform.authorityPath} (powernode login --ca FILE)\n`,
    );
  }
  const why = await Promise.race([stopSignal(), platform.lost]);
  if (why instanceof ProductError) log.error({ err: why }, 'the platform has to stop');
  await platform.close();
  if (why instanceof ProductError) throw why;
}

/**
 * Resolves at the first SIGINT or SIGTERM. A later one ends the process at once. One that follows on its heels is the
 * same, passed on by a shell, npm or the launcher.
 */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    let firstMs: number | null = null;
    const onSignal = () => {
      firstMs ??= performance.now();
      if (performance.now() - firstMs > sameSignalMs) process.exit(130);
      resolve();
    };
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, onSignal);
  });
}

function printConfig(settings: Settings): void {
  for (const { name, value, source } of settings.table) {
    process.stdout.write(`${name.padEnd(18)} ${value.padEnd(40)} ${source}\n`);
  }
}

async function main(argv: readonly string[]): Promise<void> {
  const [command, ...rest] = argv;
  if (command === '--help' || command === 'help' || rest.includes('--help')) {
    process.stdout.write(`${usage()}\n`);
    return;
  }
  if (command !== 'up' && command !== 'config') throw new ProductError('usage', usage());
  const settings = readSettings({ flags: readFlags(rest), environment: process.env });
  if (command === 'config') printConfig(settings);
  else await up(settings);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (error instanceof ProductError) {
    process.stderr.write(`powernode: ${error.detail}\n`);
    process.exitCode = error.meaning.exitCode;
  } else {
    process.stderr.write(
      `powernode: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
    process.exitCode = 70;
  }
}
