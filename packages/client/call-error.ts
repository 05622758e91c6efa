// Failed calls as one kind of error: RFC 9457 problems of the platform, responses of other servers, and no response.
import {
  type ErrorCode,
  errorTable,
  type FieldProblem,
  type Problem,
  ProductError,
} from '@powernode/core/errors';
import { isRecord, parseJson } from '@powernode/core/json';

/** A failed call. The text is the platform's, or made here when the platform did not respond. */
export class CallError extends ProductError {
  readonly problem: Problem;

  constructor(problem: Problem, options: { readonly cause?: unknown } = {}) {
    const { type: _type, title: _title, status: _status, code, detail, errors, ...members } = problem;
    super(code, detail, { ...options, fields: errors ?? [], members });
    this.name = 'CallError';
    this.problem = problem;
  }

  /** No platform responded, so the state that is known may be out of date. */
  get unreachable(): boolean {
    return this.code === 'platform_unreachable';
  }
}

/** A failure found by the client, in the form of the platform's problems. */
export function callError(code: ErrorCode, detail: string, cause?: unknown): CallError {
  return new CallError(localProblem(code, detail), { cause });
}

/** A problem document with the title and the status of its code. */
export function localProblem(code: ErrorCode, detail: string): Problem {
  const { title, httpStatus } = errorTable[code];
  return { type: `urn:powernode:error:${code}`, title, status: httpStatus, code, detail, errors: [] };
}

/** A response whose status or body is not a success. */
export interface FailedResponse {
  /** Origin of the request; empty in a page that the platform served. */
  readonly url: string;
  readonly status: number;
  readonly text: string;
}

/** Parses a problem document (RFC 9457). Any other body means that a proxy or another server responded. */
export function responseError(answer: FailedResponse): CallError {
  const problem = parseProblem(answer);
  if (problem !== null) return new CallError(problem);
  const { url, status } = answer;
  const said = answer.text.trim().slice(0, 200);
  const tail = said === '' ? '' : ` It responded: “${said}”`;
  const at = url === '' ? '' : ` at ${url}`;
  const detail = `The server${at} is not a Powernode platform (status ${status}).${tail}`;
  return new CallError({ ...localProblem(codeOfForeignStatus(status), detail), status });
}

/** A request that got no response. `error` is what `fetch` threw. */
export function noResponseError(url: string, error: unknown): CallError {
  if (url === '') {
    const detail = 'The platform does not respond. The request may not have been carried out.';
    return callError('platform_unreachable', detail, error);
  }
  const reason = reasonOf(error);
  if (/CERT|SIGNATURE|ISSUER|SELF_SIGNED/.test(reason)) {
    return callError(
      'untrusted_peer',
      `The certificate of ${url} is not trusted (${reason}). Set the platform's CA with --ca FILE or POWERNODE_CA.`,
      error,
    );
  }
  const detail = `No response from ${url} (${reason}). Check that the platform is running and that POWERNODE_URL is correct.`;
  return callError('platform_unreachable', detail, error);
}

/** The system's code of a failed connection, such as ECONNREFUSED. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  const { cause } = error;
  if (isRecord(cause) && typeof cause['code'] === 'string') return cause['code'];
  return cause instanceof Error ? cause.message : error.name;
}

function parseProblem({ status, text }: FailedResponse): Problem | null {
  const value = parseJson(text);
  if (!isRecord(value)) return null;
  const { code: given, detail, title, errors, type } = value;
  if (typeof given !== 'string' || typeof detail !== 'string') return null;
  const code = isErrorCode(given) ? given : codeOfStatus(status);
  return {
    ...value,
    type: typeof type === 'string' ? type : `urn:powernode:error:${code}`,
    title: typeof title === 'string' ? title : errorTable[code].title,
    status: typeof value['status'] === 'number' ? value['status'] : status,
    code,
    detail,
    errors: Array.isArray(errors) ? errors.flatMap(readField) : [],
  };
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorTable, code);
}

function readField(value: unknown): FieldProblem[] {
  if (!isRecord(value) || typeof value['path'] !== 'string' || typeof value['message'] !== 'string')
    return [];
  const code = typeof value['code'] === 'string' ? value['code'] : 'invalid';
  return [{ path: value['path'], code, message: value['message'] }];
}

/** For codes of a newer platform that this version does not know. */
function codeOfStatus(status: number): ErrorCode {
  const alike = Object.entries(errorTable).find(([, meaning]) => meaning.httpStatus === status);
  return (alike?.[0] as ErrorCode | undefined) ?? 'internal';
}

/** Statuses that a proxy in front of the platform sends on its own; others come from a server that is no platform. */
function codeOfForeignStatus(status: number): ErrorCode {
  if (status === 401) return 'unauthenticated';
  if (status === 403) return 'permission_denied';
  if (status === 413) return 'payload_too_large';
  if (status === 429) return 'rate_limited';
  return status === 500 ? 'internal' : 'platform_unreachable';
}
