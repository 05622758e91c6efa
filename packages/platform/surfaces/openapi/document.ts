// The OpenAPI 3.1 document: every resource route and the generic route of every action, read from the definitions.
import { actionKeys, definitionOf } from '@powernode/core/actions/catalogue';
import { callSchemaOf } from '@powernode/core/actions/json-schema';
import { bootstrapPaths } from '../bootstrap/openapi.ts';
import { nounSchemas, problemSchema } from './components.ts';
import {
  genericOperation,
  idempotencyKeyParameter,
  inputName,
  json,
  refTo,
  resourceOperations,
} from './operations.ts';

export interface DocumentFacts {
  readonly version: string;
  /** Where the platform is reached; without it, addresses are relative to the document. */
  readonly baseUrl?: string;
}

export type OpenApiDocument = Readonly<Record<string, unknown>>;

export function openApiDocument(facts: DocumentFacts): OpenApiDocument {
  return {
    openapi: '3.1.1',
    jsonSchemaDialect: 'https://spec.openapis.org/oas/3.1/dialect/base',
    info: { title: 'Powernode', version: facts.version, description: introduction, license },
    servers: [{ url: facts.baseUrl ?? '/' }],
    security: [{ token: [] }],
    tags,
    paths: { ...actionPaths(), ...bootstrapPaths, ...otherPaths },
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer', description: 'A token of an operator' } },
      parameters: { IdempotencyKey: idempotencyKeyParameter },
      schemas: { Problem: problemSchema, Pending: pendingSchema, ...nounSchemas(), ...inputSchemas() },
      responses,
    },
  };
}

const introduction = [
  'Encrypted IPv6 overlay networks. Every action has a resource route and a generic route,',
  '`POST /api/v1/actions/<action>`, which takes and answers the same.',
  'Every change takes `dry_run` and may answer 202 when a policy wants a decision first.',
].join(' ');

const license = { name: 'Apache-2.0', identifier: 'Apache-2.0' };

const tags = [
  { name: 'sdwan', description: 'Networks, peers and their topology' },
  { name: 'services', description: 'Virtual IPs and port mappings' },
  { name: 'firewall', description: 'Firewall rules, their audit, and reachability' },
  { name: 'routing', description: 'Route policies, BGP sessions and routes' },
  { name: 'devices', description: 'User devices and access grants' },
  { name: 'fleet', description: 'Instances, join tokens and events' },
  { name: 'autonomy', description: 'Policies, approvals, operations, skills and findings' },
  { name: 'accounts', description: 'Accounts, operators and API tokens' },
  { name: 'platform', description: 'The platform itself' },
];

const pendingSchema = {
  type: 'object',
  description: 'Nothing has changed yet: a person has to decide',
  properties: { pending: { const: true }, deferred_operation: refTo('DeferredOperation') },
  required: ['pending', 'deferred_operation'],
};

const problem = { 'application/problem+json': { schema: refTo('Problem') } };

const responses = {
  Pending: { description: 'Waits for a decision', content: json(refTo('Pending')) },
  Problem: { description: 'It failed', content: problem },
  Unauthenticated: {
    description: 'A valid token is required',
    headers: { 'WWW-Authenticate': { schema: { type: 'string' } } },
    content: problem,
  },
  PermissionDenied: {
    description: 'The token lacks the permission, or a policy blocks it',
    content: problem,
  },
  NotFound: { description: 'The object does not exist in this account', content: problem },
  Conflict: { description: 'The state of the object does not allow this', content: problem },
  ValidationFailed: { description: 'Invalid parameters; errors lists each', content: problem },
  RateLimited: {
    description: 'Too many requests',
    headers: { 'Retry-After': { schema: { type: 'integer' } } },
    content: problem,
  },
};

const plain = (description: string, type: string) => ({
  200: { description, content: { [type]: { schema: { type: 'string' } } } },
});

const status = {
  200: {
    description: 'It is',
    content: json({
      type: 'object',
      properties: { status: { type: 'string' }, version: { type: 'string' } },
      required: ['status', 'version'],
    }),
  },
};

const otherPaths = {
  '/api/v1/events/stream': {
    get: {
      operationId: 'stream_events',
      summary: 'Follow events',
      description:
        'Events as they happen, as server-sent events; the data of each is an Event. Last-Event-ID resumes.',
      tags: ['fleet'],
      parameters: [
        { name: 'kind_prefix', in: 'query', schema: { type: 'string' } },
        { name: 'Last-Event-ID', in: 'header', schema: { type: 'string', format: 'uuid' } },
      ],
      responses: {
        ...plain('The stream', 'text/event-stream'),
        401: { $ref: '#/components/responses/Unauthenticated' },
        403: { $ref: '#/components/responses/PermissionDenied' },
        429: { $ref: '#/components/responses/RateLimited' },
      },
    },
  },
  '/healthz': open('health', 'Whether the process runs', status),
  '/readyz': open('ready', 'Whether it can serve', {
    ...status,
    503: { $ref: '#/components/responses/Problem' },
  }),
  '/metrics': open('metrics', 'Metrics for Prometheus, for administrators of the platform', {
    ...plain('The metrics', 'text/plain'),
    401: { $ref: '#/components/responses/Unauthenticated' },
    403: { $ref: '#/components/responses/PermissionDenied' },
  }),
};

/** Those that answer with a 401 ask for a token; the others need none. */
function open(operationId: string, summary: string, answers: object) {
  const security = '401' in answers ? [{ token: [] }] : [{}];
  return { get: { operationId, summary, tags: ['platform'], security, responses: answers } };
}

function actionPaths(): Record<string, Record<string, unknown>> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const { path, method, operation } of [
    ...actionKeys.flatMap(resourceOperations),
    ...actionKeys.map(genericOperation),
  ]) {
    paths[path] ??= {};
    paths[path][method] = operation;
  }
  return paths;
}

function inputSchemas() {
  return Object.fromEntries(actionKeys.map((key) => [inputName(key), callSchemaOf(definitionOf(key))]));
}
