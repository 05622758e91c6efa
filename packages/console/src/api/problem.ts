// Answers that are not a success, as one kind of error: RFC 9457 problems of the platform, and silence.
import { type ErrorCode, errorTable, type FieldProblem, type Problem } from '@powernode/core/errors';

/** A call that failed with words of the platform, or of the browser when the platform did not answer. */
export class CallError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem, options?: { readonly cause: unknown }) {
    super(problem.detail, options);
    this.name = 'CallError';
    this.problem = problem;
  }

  get code(): ErrorCode {
    return this.problem.code;
  }
  get fields(): readonly FieldProblem[] {
    return this.problem.errors ?? [];
  }
  /** The platform could not be asked at all; what is on the screen may be old. */
  get unreachable(): boolean {
    return this.code === 'platform_unreachable';
  }
}

export function unreachable(cause: unknown): CallError {
  return new CallError(
    madeHere(
      'platform_unreachable',
      'The platform does not answer. Whatever was asked may not have happened.',
    ),
    { cause },
  );
}

/** Reads the body of an answer whose status is not a success. A body that is no problem document gives one all the
 * same: a proxy in between has answered, or the platform is of another version. */
export function problemOfAnswer(status: number, text: string): Problem {
  const found = parseProblem(text);
  if (found !== null) return found;
  const code = codeOfStatus(status);
  const said = text.trim().slice(0, 200);
  const tail = said === '' ? '' : ` It said: “${said}”`;
  return {
    ...madeHere(code, `The answer has status ${status} and is not from the platform's API.${tail}`),
    status,
  };
}

function parseProblem(text: string): Problem | null {
  const value = parseJson(text);
  if (!isRecord(value)) return null;
  const { code, detail, status, title, errors, type } = value;
  if (typeof code !== 'string' || !Object.hasOwn(errorTable, code) || typeof detail !== 'string') return null;
  const meaning = errorTable[code as ErrorCode];
  return {
    ...value,
    type: typeof type === 'string' ? type : `urn:powernode:error:${code}`,
    title: typeof title === 'string' ? title : meaning.title,
    status: typeof status === 'number' ? status : meaning.httpStatus,
    code: code as ErrorCode,
    detail,
    errors: Array.isArray(errors) ? errors.flatMap(readField) : [],
  };
}

function readField(value: unknown): FieldProblem[] {
  if (!isRecord(value) || typeof value['path'] !== 'string' || typeof value['message'] !== 'string')
    return [];
  const code = typeof value['code'] === 'string' ? value['code'] : 'invalid';
  return [{ path: value['path'], code, message: value['message'] }];
}

function codeOfStatus(status: number): ErrorCode {
  if (status === 401) return 'unauthenticated';
  if (status === 403) return 'permission_denied';
  if (status === 404) return 'not_found';
  if (status === 413) return 'payload_too_large';
  if (status === 429) return 'rate_limited';
  if (status === 502 || status === 503 || status === 504) return 'platform_unreachable';
  return status < 500 ? 'malformed_request' : 'internal';
}

function madeHere(code: ErrorCode, detail: string): Problem {
  const meaning = errorTable[code];
  return {
    type: `urn:powernode:error:${code}`,
    title: meaning.title,
    status: meaning.httpStatus,
    code,
    detail,
    errors: [],
  };
}

/** What to show for anything thrown: the platform's words, or that the fault is the console's own. */
export function problemOfThrown(thrown: unknown): Problem {
  if (thrown instanceof CallError) return thrown.problem;
  const said = thrown instanceof Error ? thrown.message : String(thrown);
  return madeHere('internal', `The console itself failed: ${said}`);
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
