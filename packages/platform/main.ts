// The platform's program: `up` starts it, `config` prints its effective settings, `recover` makes an owner's token.
import { parseArgs } from 'node:util';
import { ProductError } from '@powernode/core/errors';
import { sameSignalMs } from '@powernode/core/limits/database';
import { readSettings, type Settings, settingSpecs } from './config/settings.ts';
import { createLog } from './observe/log.ts';
import { startPlatform } from './start/platform.ts';
import { recover } from './start/recover.ts';

const flagNames = Object.values(settingSpecs).flatMap((spec) => (spec.flag === null ? [] : [spec.flag]));

/** Of `recover` alone. */
const accountFlag = 'account';

function readFlags(argv: readonly string[], more: readonly string[]): Record<string, string | undefined> {
  const options = Object.fromEntries(
    [...flagNames, ...more].map((name) => [name, { type: 'string' as const }]),
  );
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
  return `Usage: powernode up|config|recover [options]\n  up starts the platform, config prints its settings. recover creates an owner's token, for the owner of the data\n  directory or the database login; --account NAME: of that account, instead of the first.\n${lines.join('\n')}`;
}

async function up(settings: Settings): Promise<void> {
  const log = createLog(settings.logLevel);
  const platform = await startPlatform(settings, log);
  // Before anybody is told: whoever ends it at that word would else end it before its database has stopped.
  const stopped = stopSignal();
  process.stdout.write(`Powernode is up: ${platform.url}\n${aboutToken(platform.adminTokenPath)}\n`);
  if (platform.authorityPath !== null) {
    process.stdout.write(
      `Its certificate is signed by ${platform.authorityPath} (powernode login --ca FILE)\n`,
    );
  }
  const why = await Promise.race([stopped, platform.lost]);
  if (why instanceof ProductError) log.error({ err: why }, 'the platform has to stop');
  await platform.close();
  if (why instanceof ProductError) throw why;
}

function aboutToken(file: string | null): string {
  if (file !== null) return `The administrator's token is in ${file}`;
  return `The first administrator's token is not in this data directory: it is in the one where this database was set up (admin-token), or it is no longer valid. Sign in with any operator's token; "powernode recover" creates one for an owner.`;
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
    process.stdout.write(`${name.padEnd(22)} ${value.padEnd(40)} ${source}\n`);
  }
}

async function recoverAccount(settings: Settings, account: string | null): Promise<void> {
  const log = createLog('warn');
  const recovered = await recover({ settings, account, log });
  process.stdout.write(
    [
      `A token of ${recovered.operator}, an owner of the account "${recovered.account}", is in ${recovered.tokenFile}`,
      'Sign in with it, create a token of your own, and revoke this one:',
      '',
      `  powernode login --url URL --token-file ${recovered.tokenFile}`,
      '',
    ].join('\n'),
  );
}

async function main(argv: readonly string[]): Promise<void> {
  const [command, ...rest] = argv;
  if (argv.some((word) => word === '--help' || word === '-h') || command === 'help') {
    process.stdout.write(`${usage()}\n`);
    return;
  }
  if (command !== 'up' && command !== 'config' && command !== 'recover') {
    throw new ProductError('usage', usage());
  }
  const { [accountFlag]: account, ...flags } = readFlags(rest, command === 'recover' ? [accountFlag] : []);
  const settings = readSettings({ flags, environment: process.env });
  if (command === 'recover') await recoverAccount(settings, account ?? null);
  else if (command === 'config') printConfig(settings);
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
