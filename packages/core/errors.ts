// The one table of expected failures. HTTP statuses, MCP results and exit codes are read from it, so that
// a failure has the same meaning on every surface. Unexpected failures are `internal` and show nothing.

/** What a code means outside: `httpStatus` per RFC 9110, `exitCode` per sysexits(3), `title` per RFC 9457. */
export interface ErrorMeaning {
  readonly httpStatus: number;
  readonly exitCode: number;
  readonly title: string;
}

export const errorTable = {
  validation_failed: { httpStatus: 422, exitCode: 65, title: 'The request does not fit its schema' },
  malformed_request: { httpStatus: 400, exitCode: 65, title: 'The request cannot be read' },
  payload_too_large: { httpStatus: 413, exitCode: 65, title: 'The request is larger than allowed' },
  unauthenticated: { httpStatus: 401, exitCode: 77, title: 'A valid token is needed' },
  permission_denied: { httpStatus: 403, exitCode: 77, title: 'The token may not do this' },
  policy_blocked: { httpStatus: 403, exitCode: 77, title: 'A policy of the account blocks this action' },
  not_found: { httpStatus: 404, exitCode: 66, title: 'There is no such object' },
  method_not_allowed: { httpStatus: 405, exitCode: 64, title: 'This address does not take that method' },
  conflict: { httpStatus: 409, exitCode: 73, title: 'The object is in a state that does not allow this' },
  revision_conflict: { httpStatus: 409, exitCode: 73, title: 'Somebody changed the object meanwhile' },
  already_exists: { httpStatus: 409, exitCode: 73, title: 'There is already such an object' },
  idempotency_conflict: {
    httpStatus: 409,
    exitCode: 73,
    title: 'The Idempotency-Key was used with another request',
  },
  pool_exhausted: { httpStatus: 409, exitCode: 73, title: 'No address is left to give' },
  no_unused_key: { httpStatus: 409, exitCode: 75, title: 'The node has not published an unused key' },
  limit_reached: { httpStatus: 409, exitCode: 73, title: 'A limit of the platform is reached' },
  rate_limited: { httpStatus: 429, exitCode: 75, title: 'Too many requests' },
  invalid_configuration: { httpStatus: 500, exitCode: 78, title: 'The configuration is not usable' },
  database_unavailable: { httpStatus: 503, exitCode: 69, title: 'The database does not answer' },
  platform_unreachable: { httpStatus: 503, exitCode: 69, title: 'The platform does not answer' },
  protocol_mismatch: { httpStatus: 409, exitCode: 76, title: 'The two sides speak different versions' },
  untrusted_peer: { httpStatus: 403, exitCode: 77, title: 'The other side could not prove who it is' },
  machine_unsupported: {
    httpStatus: 500,
    exitCode: 69,
    title: 'This machine lacks something that is needed',
  },
  command_failed: { httpStatus: 500, exitCode: 71, title: 'A tool of the machine failed' },
  usage: { httpStatus: 400, exitCode: 64, title: 'The command line cannot be read' },
  internal: { httpStatus: 500, exitCode: 70, title: 'Something went wrong inside' },
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
