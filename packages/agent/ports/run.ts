// The port through which the agent uses the machine's tools. Arguments are public (they stand in the process
// list), so no secret may be among them; secrets go by file or by `input`.
import { execFile, spawn } from 'node:child_process';
import { ProductError } from '@powernode/core/errors';
import { agentCommandMs, agentOutputBytesMax } from '@powernode/core/limits/agent';

export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  /** What the program reads from its standard input. */
  readonly input?: string;
}

export interface Outcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program that was started and is not waited for. */
export interface Started {
  readonly pid: number;
  /** Resolves when it has ended, with what is known of why. */
  readonly ended: Promise<string>;
}

export interface Followed {
  /** Ends the program. */
  stop(): void;
}

export interface Run {
  /** Runs a command to its end. A non-zero exit code is an answer; no program or no end in time is a failure. */
  attempt(command: Command): Promise<Outcome>;
  /** Starts a program in a session of its own that outlives the agent, whatever happens to the agent. */
  detach(command: Command, environment: Readonly<Record<string, string>>): Promise<Started>;
  /** Starts a program that prints lines as long as it runs. `ended` is called once, also after `stop`. */
  follow(command: Command, on: { line(text: string): void; ended(why: string): void }): Followed;
}

/** Where tools are looked for: the agent's own PATH, and where administrators' tools are when that lacks them. */
export function toolFolders(): string[] {
  const usual = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];
  return [...(process.env['PATH'] ?? '').split(':'), ...usual].filter((folder) => folder.startsWith('/'));
}

/** What every tool is started with. */
export const toolEnvironment = { PATH: toolFolders().join(':'), LC_ALL: 'C' };

export const systemRun: Run = { attempt, detach, follow };

function attempt(command: Command): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const options = {
      env: toolEnvironment,
      maxBuffer: agentOutputBytesMax,
      timeout: agentCommandMs,
      killSignal: 'SIGKILL' as const,
      encoding: 'utf8' as const,
    };
    const child = execFile(command.program, [...command.args], options, (error, stdout, stderr) => {
      if (error === null) return resolve({ exitCode: 0, stdout, stderr });
      if (typeof error.code === 'number') return resolve({ exitCode: error.code, stdout, stderr });
      reject(failure(command, error.killed ? `no end within ${agentCommandMs} ms` : reasonOf(error)));
    });
    // A program that does not read its input closes it early; that is no failure of the program.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(command.input ?? '');
  });
}

/** Why a program that prints too much is ended. */
export const tooLongReason = `more than ${agentOutputBytesMax} bytes printed`;

/** The program printed more than is read of it; nothing of what it printed is known. */
export function isTooLong(error: unknown): boolean {
  return error instanceof CommandFailure && error.reason === tooLongReason;
}

function reasonOf(error: { readonly code?: unknown; readonly message: string }): string {
  if (error.code === 'ENOENT') return 'there is no such program on this instance';
  if (error.code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER') return tooLongReason;
  return error.message.split('\n', 1)[0] ?? error.message;
}

function detach(command: Command, environment: Readonly<Record<string, string>>): Promise<Started> {
  return new Promise((resolve, reject) => {
    const child = spawn(command.program, [...command.args], {
      detached: true,
      stdio: 'ignore',
      cwd: '/',
      env: { ...toolEnvironment, ...environment },
    });
    const ended = new Promise<string>((over) => {
      child.on('exit', (code, signal) => over(signal ?? `exit code ${code}`));
    });
    child.on('error', (error) => reject(failure(command, reasonOf(error))));
    child.on('spawn', () => {
      child.unref();
      resolve({ pid: child.pid ?? 0, ended });
    });
  });
}

function follow(command: Command, on: { line(text: string): void; ended(why: string): void }): Followed {
  const child = spawn(command.program, [...command.args], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: toolEnvironment,
  });
  let rest = '';
  child.stdout.setEncoding('utf8');
  child.stdout.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = (lines.pop() ?? '').slice(-4096);
    for (const line of lines) on.line(line);
  });
  let over = false;
  const end = (why: string) => {
    if (!over) on.ended(why);
    over = true;
  };
  child.on('error', (error) => end(reasonOf(error)));
  child.on('exit', (code, signal) => end(signal ?? `exit code ${code}`));
  return { stop: () => void child.kill('SIGTERM') };
}

export function describeCommand(command: Command): string {
  return `${command.program} ${command.args.join(' ')}`;
}

/**
 * A program that failed. `detail` names the program and its reason, which people may read; the arguments and all that
 * it printed on stderr are for the log.
 */
export class CommandFailure extends ProductError {
  /** With the arguments, at most 300 characters. */
  readonly command: string;
  /** What it printed on stderr, at most 2,000 characters; empty when it did not run to its end. */
  readonly said: string;
  readonly reason: string;

  constructor(command: Command, reason: string, said = '') {
    super('command_failed', `${command.program}: ${reason}`);
    this.command = describeCommand(command).slice(0, 300);
    this.said = said.trim().slice(0, 2000);
    this.reason = reason;
  }
}

function failure(command: Command, why: string): CommandFailure {
  return new CommandFailure(command, why);
}

/** What a failed command said, without what it printed on stdout: that may hold keys. */
export function complaint(command: Command, outcome: Outcome): CommandFailure {
  const { stderr, exitCode } = outcome;
  return new CommandFailure(command, firstReason(stderr) ?? `exit code ${exitCode}`, stderr);
}

/** The first line that says something, without what only says where. null: there is none. */
function firstReason(stderr: string): string | null {
  for (const line of stderr.split('\n')) {
    const text = line
      // nft names a place in its input, ip the line of its batch and how it asked the kernel.
      .replace(/^\/dev\/stdin:[\d:-]+\s*/, '')
      .replace(/^(?:Error|RTNETLINK answers):\s*/i, '')
      .trim();
    if (text === '' || /^Command failed -:\d+$/.test(text)) continue;
    return text.slice(0, 200);
  }
  return null;
}

/** Runs a command that has to succeed, and returns what it printed. */
export async function mustRun(run: Run, command: Command): Promise<string> {
  const outcome = await run.attempt(command);
  if (outcome.exitCode !== 0) throw complaint(command, outcome);
  return outcome.stdout;
}
