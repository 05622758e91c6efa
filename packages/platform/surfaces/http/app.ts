// The operators' HTTP surface: everything on it in one place, in the order in which a request meets it.

import { ProductError } from '@powernode/core/errors';
import { strictTransportSeconds } from '@powernode/core/limits/requests';
import { discoveryPath } from '@powernode/core/wire/enrolment';
import { Hono } from 'hono';
import type { Logger } from 'pino';
import { endWithRight, type StreamRights } from '../../access/stream-rights.ts';
import type { Authenticate, Invoke } from '../../actions/invoke-types.ts';
import type { Bootstrap } from '../../actions/sdwan/devices/bootstrap.ts';
import type { Downloads } from '../../install/packages.ts';
import type { Metrics } from '../../observe/metrics.ts';
import { bootstrapSurface } from '../bootstrap/bootstrap.ts';
import { docsSurface } from '../openapi/docs.ts';
import { openApiDocument } from '../openapi/document.ts';
import { actionRoutes } from './action-routes.ts';
import { consoleSurface } from './console.ts';
import { downloadSurface } from './downloads.ts';
import { type HttpContext, type HttpEnv, sourceOf } from './environment.ts';
import type { EventStreams } from './event-stream.ts';
import { checkHost, type HostRules } from './hosts.ts';
import { answerProblem } from './problems.ts';
import { parametersOfQuery } from './query.ts';
import { checkTarget, type MethodsAt, methodsAt, notServed } from './request-target.ts';

export interface HttpParts extends HostRules {
  /** It is served over HTTPS. */
  readonly isSecure: boolean;
  readonly invoke: Invoke;
  readonly authenticate: Authenticate;
  readonly bootstrap: Bootstrap;
  readonly streams: EventStreams;
  readonly rights: Pick<StreamRights, 'watch'>;
  readonly mcp: Hono;
  readonly metrics: Metrics;
  /** Throws when the platform cannot serve. */
  readonly ready: () => Promise<void>;
  readonly newId: () => string;
  readonly log: Logger;
  readonly version: string;
  readonly nodeUrl: () => string;
  /** The install script and the packages that it names; null: none. */
  readonly downloads: Downloads | null;
  readonly consoleDirectory: string;
}

export function createHttpApp(parts: HttpParts): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>();
  app.onError((error, context) => answerProblem(context, error, parts.log));
  let methods: MethodsAt | null = null;
  app.notFound((context) => {
    methods ??= methodsAt(app);
    return answerProblem(context, notServed(context, methods), parts.log);
  });
  app.use(correlate(parts));
  app.use(protect(parts));
  app.use(async (context, next) => {
    checkHost(context, parts);
    checkTarget(context.req.url);
    await next();
  });
  app.use(endStreams(parts));
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
    await requirePlatformAdmin(context, parts);
    const { text, type } = await parts.metrics.print();
    return context.body(text, 200, { 'content-type': type });
  });
  app.get(discoveryPath, (context) =>
    context.json({ node_url: parts.nodeUrl(), platform_version: parts.version }),
  );
  if (parts.downloads !== null) app.route('/', downloadSurface(parts.downloads));
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
  throw new ProductError('permission_denied', 'Metrics require a platform administrator.');
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

function protect({ isSecure }: Pick<HttpParts, 'isSecure'>) {
  return async (context: HttpContext, next: () => Promise<void>) => {
    await next();
    const { headers } = context.res;
    headers.set('x-content-type-options', 'nosniff');
    headers.set('referrer-policy', 'no-referrer');
    if (isSecure) headers.set('strict-transport-security', `max-age=${strictTransportSeconds}`);
    if (!headers.has('content-security-policy')) headers.set('content-security-policy', contentPolicy);
    if (context.req.path.startsWith('/api/')) headers.set('cache-control', 'no-store');
  };
}

/** Whatever answer goes on, on whatever route, ends when its caller loses a right. */
function endStreams(parts: HttpParts) {
  return async (context: HttpContext, next: () => Promise<void>) => {
    await next();
    const caller = context.get('caller');
    if (caller === undefined) return;
    const guarded = endWithRight(context.res, (end) => parts.rights.watch(caller, end));
    if (guarded !== context.res) context.res = guarded;
  };
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
    throw new ProductError('permission_denied', 'This requires the permission system.events.read.', {
      members: { permission: 'system.events.read' },
    });
  }
  const query = parametersOfQuery('recentEvents', new URL(context.req.url).searchParams);
  const { kind_prefix: kindPrefix = '', ...others } = query;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) {
    throw new ProductError('validation_failed', `${unknown} is not a parameter of the stream.`, {
      fields: [{ path: unknown, code: 'unknown_parameter', message: 'the stream takes kind_prefix' }],
    });
  }
  return parts.streams.open({
    caller,
    kindPrefix: String(kindPrefix),
    lastEventId: context.req.header('last-event-id'),
  });
}
