// Running the machine's own tools, in this network namespace or in a node's. Arguments are public: they are
// quoted in errors and stand in the process list, so no secret may be among them. Core is named by its path for machine.ts.
import { execFile, spawn } from 'node:child_process';
import { ProductError } from '../../core/errors.ts';
import { labOutputBytesMax } from '../../core/limits/lab.ts';

/** Where administrators' tools are, also for a root shell whose PATH lacks them. */
export const toolPath = `${process.env['PATH'] ?? ''}:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin`;

export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly input?: string;
}

export interface Outcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end. A non-zero exit code is an answer here, not a failure. */
export function attempt(command: Command): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const options = { env: { ...process.env, PATH: toolPath }, maxBuffer: labOutputBytesMax };
    const child = execFile(command.program, [...command.args], options, (error, stdout, stderr) => {
      if (error === null) return resolve({ exitCode: 0, stdout, stderr });
      if (typeof error.code === 'number') return resolve({ exitCode: error.code, stdout, stderr });
      reject(failure(command, error.message));
    });
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(command.input ?? '');
  });
}

/** Runs a command that has to succeed, and returns what it printed. */
export async function run(command: Command): Promise<string> {
  const outcome = await attempt(command);
  if (outcome.exitCode === 0) return outcome.stdout;
  const said = (outcome.stderr.trim() || outcome.stdout.trim()).slice(-2000);
  throw failure(command, `exit code ${outcome.exitCode}${said === '' ? '' : `: ${said}`}`);
}

function failure(command: Command, why: string): ProductError {
  const input = command.input === undefined ? '' : ` with input\n${command.input.trimEnd()}\n`;
  return new ProductError('command_failed', `${command.program} ${command.args.join(' ')}${input}: ${why}`);
}

/** The same command in the network namespace of a process. */
export function inNetwork(pid: number, command: Command): Command {
  return {
    ...command,
    program: 'nsenter',
    args: ['--target', String(pid), '--net', '--', command.program, ...command.args],
  };
}

/** Several lines for `ip` at once; each as it would stand behind `ip`. */
export function ipBatch(lines: readonly string[]): Command {
  return { program: 'ip', args: ['-batch', '-'], input: `${lines.join('\n')}\n` };
}

/** Replaces or adds to the ruleset in one transaction. */
export function nftFile(text: string): Command {
  return { program: 'nft', args: ['-f', '-'], input: text };
}

/** Passes this process's stdio through; answers with the exit code as a shell would give it. */
export function passThrough(
  command: Command,
  environment: Readonly<Record<string, string>>,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, PATH: toolPath, ...environment };
    const child = spawn(command.program, [...command.args], { stdio: 'inherit', env });
    child.on('error', (error) => reject(failure(command, error.message)));
    child.on('exit', (code, signal) => resolve(code ?? 128 + signalNumber(signal)));
  });
}

function signalNumber(signal: NodeJS.Signals | null): number {
  const numbers: Partial<Record<NodeJS.Signals, number>> = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 };
  return (signal === null ? undefined : numbers[signal]) ?? 0;
}
