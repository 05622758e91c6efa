// The generic route of every action and the resource route of each (contract §1, §6): both from its definition.
import { type ActionKey, actionKeyOf, actionKeys, definitionOf } from '@powernode/core/actions/catalogue';
import { type Route, routesOf } from '@powernode/core/actions/define';
import { overMcpHeader } from '@powernode/core/actions/tool-call';
import { ProductError } from '@powernode/core/errors';
import { Hono } from 'hono';
import type { Invoke, Outcome, OverMcp } from '../../actions/invoke-types.ts';
import { jsonBody, refuseBody } from './body.ts';
import type { HttpContext, HttpEnv } from './environment.ts';
import { parametersOfQuery } from './query.ts';

const resourceBase = '/api/v1/system';

export function actionRoutes(invoke: Invoke): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>();
  app.post('/api/v1/actions/:name', async (context) => {
    const name = context.req.param('name');
    const action = actionKeyOf(name);
    if (action === undefined) {
      throw new ProductError('not_found', `There is no action ${name}. GET /openapi.json lists them.`);
    }
    refuseQuery(context);
    return answer(context, await call(invoke, { context, action, input: await jsonBody(context) }));
  });
  for (const key of actionKeys) {
    for (const route of routesOf(definitionOf(key))) {
      const path = `${resourceBase}${route.path.replaceAll(/\{(\w+)\}/g, ':$1')}`;
      app.on(route.method, path, async (context) => {
        const input = await parametersOf(context, { key, route });
        const outcome = await call(invoke, { context, action: key, input });
        const response = answer(context, outcome);
        const created = outcome.status === 201 ? createdId(outcome) : undefined;
        if (created !== undefined)
          response.headers.set('location', `${resourceBase}${route.path}/${created}`);
        return response;
      });
    }
  }
  return app;
}

/** The generic route takes its parameters from the body alone: one in the query would go unheard. */
function refuseQuery(context: HttpContext): void {
  const [name] = new URL(context.req.url).searchParams.keys();
  if (name === undefined) return;
  throw new ProductError(
    'validation_failed',
    `${name} is in the query string. This route reads the JSON body.`,
    {
      fields: [{ path: name, code: 'unknown_parameter', message: 'must be in the body' }],
    },
  );
}

/** Path, query and body together. What is said twice must be said alike. */
async function parametersOf(
  context: HttpContext,
  { key, route }: { readonly key: ActionKey; readonly route: Route },
): Promise<Record<string, unknown>> {
  const query = parametersOfQuery(key, new URL(context.req.url).searchParams);
  if (route.method === 'GET') refuseBody(context);
  const body = route.method === 'GET' ? {} : await jsonBody(context);
  const path = context.req.param() as Record<string, string>;
  for (const [name, value] of Object.entries(path)) {
    for (const given of [query[name], body[name]]) {
      if (given !== undefined && given !== value) {
        throw new ProductError('validation_failed', `${name} differs between the path and the parameters.`, {
          fields: [{ path: name, code: 'contradiction', message: `is ${value} in the path` }],
        });
      }
    }
  }
  return { ...query, ...body, ...path };
}

async function call(
  invoke: Invoke,
  of: { readonly context: HttpContext; readonly action: ActionKey; readonly input: unknown },
): Promise<Outcome> {
  const { context } = of;
  return invoke({
    caller: context.get('caller'),
    action: of.action,
    input: of.input,
    idempotencyKey: context.req.header('idempotency-key'),
    overMcp: overMcpOf(context),
    correlationId: context.get('correlationId'),
  });
}

/** How `powernode mcp` says that a model calls; it narrows what the call may do, so that anybody may say so. */
function overMcpOf(context: HttpContext): OverMcp | undefined {
  const said = context.req.header(overMcpHeader);
  if (said === undefined || said === 'model' || said === 'person') return said;
  throw new ProductError(
    'malformed_request',
    `The header ${overMcpHeader} is model or person, not "${said.slice(0, 60)}".`,
  );
}

function answer(context: HttpContext, outcome: Outcome): Response {
  return context.json(outcome.body, outcome.status);
}

function createdId(outcome: Outcome): string | undefined {
  const [object] = Object.values(outcome.body);
  const id = typeof object === 'object' && object !== null ? (object as { id?: unknown }).id : undefined;
  return typeof id === 'string' ? id : undefined;
}
