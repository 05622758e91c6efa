// Failures as RFC 9457 problem documents. Whatever is unexpected is logged whole and shown as `internal`.
import { ProductError, problemOf } from '@powernode/core/errors';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { Logger } from 'pino';
import type { HttpContext } from './environment.ts';

export function answerProblem(context: HttpContext, thrown: unknown, log: Logger): Response {
  const problem = problemOf(thrown);
  if (problem.status >= 500) {
    const internal = thrown instanceof ProductError ? thrown.internal : undefined;
    log.error({ err: thrown, internal, correlation_id: context.get('correlationId') }, 'a request failed');
  }
  const headers: Record<string, string> = { 'content-type': 'application/problem+json' };
  if (problem.status === 401) headers['www-authenticate'] = 'Bearer realm="powernode"';
  if (problem.status === 429) headers['retry-after'] = String(Number(problem['retry_after_seconds'] ?? 1));
  return context.body(JSON.stringify(problem), problem.status as ContentfulStatusCode, headers);
}
