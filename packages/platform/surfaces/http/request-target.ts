// What an address of a request may be (RFC 9112 §3.2), checked once before any route sees it: percent-encoded UTF-8
// without control characters, and not longer than anybody needs. And which methods an address takes.
import { ProductError } from '@powernode/core/errors';
import { requestTargetLengthMax } from '@powernode/core/limits/requests';
import type { Hono } from 'hono';
import type { HttpContext, HttpEnv } from './environment.ts';

/** Throws `malformed_request` for an address that no route could mean. */
export function checkTarget(url: string): void {
  const { pathname, search } = new URL(url);
  if (pathname.length + search.length > requestTargetLengthMax) {
    throw new ProductError(
      'malformed_request',
      `A request URL may have ${requestTargetLengthMax} characters at most.`,
    );
  }
  for (const segment of pathname.split('/')) refuseUnreadable(segment, 'path');
  for (const part of search.slice(1).split(/[&=]/)) refuseUnreadable(part.replaceAll('+', ' '), 'query');
}

function refuseUnreadable(text: string, where: 'path' | 'query'): void {
  let decoded: string;
  try {
    decoded = decodeURIComponent(text);
  } catch {
    throw new ProductError(
      'malformed_request',
      `The ${where} is not percent-encoded UTF-8: write %25 for a percent sign.`,
    );
  }
  const control = where === 'path' ? /\p{Cc}/u : /\0/;
  if (control.test(decoded)) {
    throw new ProductError('malformed_request', `The ${where} has a control character in it.`);
  }
}

/** The methods that an address takes; empty: there is nothing at it. */
export type MethodsAt = (pathname: string) => readonly string[];

/** From the routes of an application; those that stand for every address are not counted. */
export function methodsAt(app: Hono<HttpEnv>): MethodsAt {
  const routes = new Map<string, { readonly pattern: RegExp; readonly methods: Set<string> }>();
  for (const { method, path } of app.routes) {
    if (method === 'ALL' || path.includes('*')) continue;
    const known = routes.get(path) ?? { pattern: patternOf(path), methods: new Set<string>() };
    known.methods.add(method);
    // HEAD is a GET without its content (RFC 9110 §9.3.2).
    if (method === 'GET') known.methods.add('HEAD');
    routes.set(path, known);
  }
  return (pathname) => {
    const found = [...routes.values()].filter(({ pattern }) => pattern.test(pathname));
    return [...new Set(found.flatMap(({ methods }) => [...methods]))].sort();
  };
}

function patternOf(path: string): RegExp {
  const segments = path.split('/').map((segment) => {
    if (segment.startsWith(':')) return '[^/]+';
    return segment.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  });
  return new RegExp(`^${segments.join('/')}$`);
}

/** What is answered where no route takes the request: 405 with Allow (RFC 9110 §15.5.6), or 404. */
export function notServed(context: HttpContext, methods: MethodsAt): ProductError {
  const allowed = methods(new URL(context.req.url).pathname);
  if (allowed.length === 0) return new ProductError('not_found', 'Nothing exists at this URL.');
  context.header('allow', allowed.join(', '));
  return new ProductError(
    'method_not_allowed',
    `This URL does not support ${context.req.method}. It supports ${allowed.join(', ')}.`,
    { members: { allow: allowed } },
  );
}
