// The operators' HTTP surface: everything on it in one place, in the order in which a request meets it.

import { ProductError } from '@powernode/core/errors';
import { discoveryPath } from '@powernode/core/wire/enrolment';
import { Hono } from 'hono';
import type { Logger } from 'pino';
import type { Authenticate, Invoke } from '../../actions/invoke-types.ts';
import type { Bootstrap } from '../../actions/sdwan/devices/bootstrap.ts';
import { bootstrapSurface } from '../bootstrap/bootstrap.ts';
import { docsSurface } from '../openapi/docs.ts';
import { openApiDocument } from '../openapi/document.ts';
import { actionRoutes } from './action-routes.ts';
import { consoleSurface } from './console.ts';
import { type HttpContext, type HttpEnv, isLoopback, sourceOf } from './environment.ts';
import type { EventStreams } from './event-stream.ts';
import { answerProblem } from './problems.ts';

export interface HttpParts {
  readonly invoke: Invoke;
  readonly authenticate: Authenticate;
  readonly bootstrap: Bootstrap;
  readonly streams: EventStreams;
  readonly mcp: Hono;
  readonly metrics: Metrics;
  /** Throws when the platform cannot serve. */
  readonly ready: () => Promise<void>;
  readonly newId: () => string;
  readonly log: Logger;
  readonly version: string;
  readonly nodeUrl: () => string;
  readonly consoleDirectory: string;
}

/** Counting what the surface does, and printing all that was counted. */
export interface Metrics {
  readonly observeRequest: (facts: { route: string; status: number; seconds: number }) => void;
  readonly print: () => Promise<{ text: string; type: string }>;
}

export function createHttpApp(parts: HttpParts): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>();
  app.onError((error, context) => answerProblem(context, error, parts.log));
  app.notFound((context) =>
    answerProblem(context, new ProductError('not_found', 'There is nothing at this address.'), parts.log),
  );
  app.use(correlate(parts));
  app.use(protect);
  addOpenRoutes(app, parts);
  app.route('/', bootstrapSurface(parts));
  app.use('/api/*', signIn(parts));
  app.get('/api/v1/events/stream', (context) => openStream(context, parts));
  app.route('/', actionRoutes(parts.invoke));
  app.all('/api/*', (context) => context.notFound());
  app.route('/', parts.mcp as unknown as Hono<HttpEnv>);
  app.route('/', consoleSurface(parts.consoleDirectory));
  return app;
}

function addOpenRoutes(app: Hono<HttpEnv>, parts: HttpParts): void {
  app.get('/healthz', (context) => context.json({ status: 'ok', version: parts.version }));
  app.get('/readyz', async (context) => {
    await parts.ready();
    return context.json({ status: 'ready', version: parts.version });
  });
  app.get('/metrics', async (context) => {
    if (!isLoopback(sourceOf(context))) await requirePlatformAdmin(context, parts);
    const { text, type } = await parts.metrics.print();
    return context.body(text, 200, { 'content-type': type });
  });
  app.get(discoveryPath, (context) =>
    context.json({ node_url: parts.nodeUrl(), platform_version: parts.version }),
  );
  const document = openApiDocument({ version: parts.version });
  app.get('/openapi.json', (context) => context.json(document));
  app.route('/', docsSurface({ version: parts.version }) as unknown as Hono<HttpEnv>);
}

async function requirePlatformAdmin(context: HttpContext, parts: HttpParts): Promise<void> {
  const caller = await parts.authenticate({
    authorization: context.req.header('authorization'),
    source: sourceOf(context),
  });
  if (caller.platformAdmin) return;
  throw new ProductError(
    'permission_denied',
    'From elsewhere, metrics are for administrators of the platform.',
  );
}

function correlate(parts: HttpParts) {
  return async (context: HttpContext, next: () => Promise<void>) => {
    const given = context.req.header('x-correlation-id');
    const id = given !== undefined && /^[\w.-]{1,100}$/.test(given) ? given : parts.newId();
    context.set('correlationId', id);
    const began = performance.now();
    await next();
    context.res.headers.set('x-correlation-id', id);
    const seconds = (performance.now() - began) / 1000;
    parts.metrics.observeRequest({ route: context.req.routePath, status: context.res.status, seconds });
  };
}

const contentPolicy =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

async function protect(context: HttpContext, next: () => Promise<void>): Promise<void> {
  await next();
  const { headers } = context.res;
  headers.set('x-content-type-options', 'nosniff');
  headers.set('referrer-policy', 'no-referrer');
  if (!headers.has('content-security-policy')) headers.set('content-security-policy', contentPolicy);
  if (new URL(context.req.url).pathname.startsWith('/api/')) headers.set('cache-control', 'no-store');
}

function signIn(parts: HttpParts) {
  return async (context: HttpContext, next: () => Promise<void>) => {
    const caller = await parts.authenticate({
      authorization: context.req.header('authorization'),
      source: sourceOf(context),
    });
    context.set('caller', caller);
    await next();
  };
}

async function openStream(context: HttpContext, parts: HttpParts): Promise<Response> {
  const caller = context.get('caller');
  if (!caller.permissions.has('system.events.read')) {
    throw new ProductError('permission_denied', 'This needs the permission system.events.read.', {
      members: { permission: 'system.events.read' },
    });
  }
  const { kind_prefix: kindPrefix = '', ...others } = context.req.query();
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) {
    throw new ProductError('validation_failed', `${unknown} is not a parameter of the stream.`, {
      fields: [{ path: unknown, code: 'unknown_parameter', message: 'the stream takes kind_prefix' }],
    });
  }
  return parts.streams.open({
    caller,
    kindPrefix,
    lastEventId: context.req.header('last-event-id'),
  });
}
