// How a failing command ends: its text on standard error and its exit code, both from the table of errors.
import { ProductError } from '@powernode/core/errors';
import { problemJson, problemText } from '../show/problem.ts';

/** A failure whose command was asked for JSON. */
class JsonFailure extends Error {
  constructor(cause: unknown) {
    super('failed', { cause });
  }
}

/** Runs a command; what it throws is told as the person or the program that called it wants to read it. */
export async function reporting(json: boolean | undefined, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    throw json === true ? new JsonFailure(error) : error;
  }
}

/** Without its last line break, which stricli writes. */
export function failureText(thrown: unknown): string {
  const text = thrown instanceof JsonFailure ? problemJson(thrown.cause) : problemText(thrown);
  return text.trimEnd();
}

export function exitCodeOf(thrown: unknown): number {
  const error = thrown instanceof JsonFailure ? thrown.cause : thrown;
  return error instanceof ProductError ? error.meaning.exitCode : internalExitCode;
}

const usageExitCode = 64;
const internalExitCode = 70;

/** stricli tells misuse of the command line, and its own failures, by negative numbers. */
export function sysexitOf(code: number | string | null | undefined): number {
  const number = Number(code ?? 0);
  if (number >= 0) return number;
  return number === -4 || number === -5 ? usageExitCode : internalExitCode;
}
