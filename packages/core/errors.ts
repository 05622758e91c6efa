// The one table of expected failures. HTTP statuses, MCP results and exit codes are read from it, so that
// a failure has the same meaning on every surface. Unexpected failures are `internal` and show nothing.

/** What a code means outside: `httpStatus` per RFC 9110, `exitCode` per sysexits(3), `title` per RFC 9457. */
export interface ErrorMeaning {
  readonly httpStatus: number;
  readonly exitCode: number;
  readonly title: string;
}

export const errorTable = {
  validation_failed: { httpStatus: 422, exitCode: 65, title: 'The request does not match its schema' },
  malformed_request: { httpStatus: 400, exitCode: 65, title: 'The request cannot be read' },
  payload_too_large: { httpStatus: 413, exitCode: 65, title: 'The request is too large' },
  unauthenticated: { httpStatus: 401, exitCode: 77, title: 'A valid token is required' },
  permission_denied: { httpStatus: 403, exitCode: 77, title: 'The token lacks the permission' },
  policy_blocked: { httpStatus: 403, exitCode: 77, title: 'A policy of the account blocks this action' },
  not_found: { httpStatus: 404, exitCode: 66, title: 'The object does not exist' },
  method_not_allowed: { httpStatus: 405, exitCode: 64, title: 'The URL does not support this method' },
  conflict: { httpStatus: 409, exitCode: 73, title: 'The state of the object does not allow this' },
  revision_conflict: { httpStatus: 409, exitCode: 73, title: 'The object has changed in the meantime' },
  already_exists: { httpStatus: 409, exitCode: 73, title: 'The object already exists' },
  idempotency_conflict: {
    httpStatus: 409,
    exitCode: 73,
    title: 'The Idempotency-Key was used with another request',
  },
  pool_exhausted: { httpStatus: 409, exitCode: 73, title: 'No free address is left' },
  no_unused_key: { httpStatus: 409, exitCode: 75, title: 'The instance has not published an unused key' },
  limit_reached: { httpStatus: 409, exitCode: 73, title: 'A platform limit is reached' },
  rate_limited: { httpStatus: 429, exitCode: 75, title: 'Too many requests' },
  busy: { httpStatus: 503, exitCode: 75, title: 'The platform is overloaded' },
  invalid_configuration: { httpStatus: 500, exitCode: 78, title: 'The configuration is invalid' },
  database_unavailable: { httpStatus: 503, exitCode: 69, title: 'The database does not respond' },
  platform_unreachable: { httpStatus: 503, exitCode: 69, title: 'The platform does not respond' },
  protocol_mismatch: {
    httpStatus: 409,
    exitCode: 76,
    title: 'The two sides use incompatible protocol versions',
  },
  untrusted_peer: { httpStatus: 403, exitCode: 77, title: 'The other side could not prove its identity' },
  machine_unsupported: {
    httpStatus: 500,
    exitCode: 69,
    title: 'A required program or feature is missing',
  },
  command_failed: { httpStatus: 500, exitCode: 71, title: 'A system tool failed' },
  usage: { httpStatus: 400, exitCode: 64, title: 'Invalid command line' },
  internal: { httpStatus: 500, exitCode: 70, title: 'Internal error' },
} as const satisfies Record<string, ErrorMeaning>;

export type ErrorCode = keyof typeof errorTable;

/** One wrong place in an input: `path` is dotted (`subnets.0.prefix`), `code` is stable. */
export interface FieldProblem {
  readonly path: string;
  readonly code: string;
  readonly message: string;
}

export interface ProductErrorExtra {
  readonly fields?: readonly FieldProblem[];
  /** For logs only; it never reaches a formatter of a surface. */
  readonly internal?: string;
  readonly cause?: unknown;
  /** Extension members of the problem document (RFC 9457 §3.2), snake_case. */
  readonly members?: Readonly<Record<string, unknown>>;
}

/** An expected failure. `detail` is public: it says what is wrong, where, and what to do. */
export class ProductError extends Error {
  readonly code: ErrorCode;
  readonly detail: string;
  readonly fields: readonly FieldProblem[];
  readonly internal: string | undefined;
  readonly members: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, detail: string, extra: ProductErrorExtra = {}) {
    super(detail, extra.cause === undefined ? undefined : { cause: extra.cause });
    this.name = 'ProductError';
    this.code = code;
    this.detail = detail;
    this.fields = extra.fields ?? [];
    this.internal = extra.internal;
    this.members = extra.members ?? {};
  }

  get meaning(): ErrorMeaning {
    return errorTable[this.code];
  }
}

/** RFC 9457 problem document. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ErrorCode;
  readonly detail: string;
  readonly errors?: readonly FieldProblem[];
  readonly [member: string]: unknown;
}

/** Turns any thrown value into what may be shown. Whatever is not a `ProductError` says nothing of itself. */
export function problemOf(thrown: unknown): Problem {
  const error =
    thrown instanceof ProductError
      ? thrown
      : new ProductError('internal', 'The platform failed to answer. Its log names the cause; try again.');
  return {
    ...error.members,
    type: `urn:powernode:error:${error.code}`,
    title: error.meaning.title,
    status: error.meaning.httpStatus,
    code: error.code,
    detail: error.detail,
    ...(error.fields.length > 0 ? { errors: error.fields } : {}),
  };
}
