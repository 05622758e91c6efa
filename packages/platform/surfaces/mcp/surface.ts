// MCP over streamable HTTP at /mcp, for clients of both eras: 2026-07-28 (no sessions, server/discover) and 2025
// (initialize). Every request is checked for Host, Origin and token here, because the SDK checks none of them.

import { hostHeaderValidation, originValidation } from '@modelcontextprotocol/hono';
import {
  createMcpHandler,
  localhostAllowedHostnames,
  type McpRequestContext,
  McpServer,
} from '@modelcontextprotocol/server';
import { listOnly, registerTools } from '@powernode/client/mcp/register-tools';
import { callableTools, parseToolSelection, toolInstructions, toolsOf } from '@powernode/core/actions/tools';
import { ProductError, problemOf } from '@powernode/core/errors';
import { mcpSubscriptionsMax, toolsListKeptMs } from '@powernode/core/limits/clients';
import { requestBytesMax, requestDepthMax } from '@powernode/core/limits/requests';
import { readJsonBytes } from '@powernode/core/wire/json-text';
import { type Context, Hono } from 'hono';
import type { Authenticate, Caller, Invoke } from '../../actions/invoke-types.ts';
import { boundedBytes } from '../http/body.ts';
import { type QuestionCodec, questionCodec } from './question-codec.ts';

export interface McpSurfaceOptions {
  readonly invoke: Invoke;
  readonly authenticate: Authenticate;
  readonly log: Record<'warn' | 'error', (fields: object, message: string) => void>;
  readonly version: string;
  /** Host names beside loopback that clients may use, without port; IPv6 in brackets. */
  readonly allowedHosts: readonly string[];
  /** 32 random bytes that every process of the platform shares: they seal questions that travel through clients. */
  readonly questionKey: Uint8Array;
  /** The client's address, for limiting guesses of tokens. */
  readonly sourceOf: (context: Context) => string;
  readonly newId: () => string;
  /** More capabilities for the server of the conformance suite; the platform itself has tools only. */
  readonly extend?: (server: McpServer, codec: QuestionCodec) => void;
}

interface McpEnv {
  /** `correlationId` is set by the application that this one is mounted in, which reads `caller`. */
  Variables: { correlationId?: string; caller?: Caller };
}

/** What one request knows of itself, carried through the SDK to the server of that request. */
interface RequestFacts {
  readonly caller: Caller;
  readonly correlationId: string;
}

/** A sub-application to be mounted at the root: it answers /mcp and nothing else. */
export function mcpSurface(options: McpSurfaceOptions): Hono & { close(): Promise<void> } {
  const hosts = [...localhostAllowedHostnames(), ...options.allowedHosts];
  const handler = createMcpHandler((context) => newServer(options, context), {
    maxRequestBodySize: requestBytesMax,
    maxSubscriptions: mcpSubscriptionsMax,
    onerror: (error) => options.log.warn({ err: error }, 'mcp: a request was refused'),
  });

  const app = new Hono<McpEnv>();
  app.use('/mcp', hostHeaderValidation(hosts), originValidation(hosts));
  app.all('/mcp', async (context) => {
    const correlationId = context.get('correlationId') ?? options.newId();
    try {
      const caller = await options.authenticate({
        authorization: context.req.header('authorization'),
        source: options.sourceOf(context),
      });
      context.set('caller', caller);
      parseToolSelection(selectionText(context.req.url));
      const authInfo = authInfoOf({ caller, correlationId });
      if (context.req.method !== 'POST') return await handler.fetch(context.req.raw, { authInfo });
      const read = await readMessage(context.req.raw);
      if (read instanceof Response) return read;
      return await handler.fetch(context.req.raw, { authInfo, parsedBody: read.message });
    } catch (error) {
      logFailure(options, { error, correlationId });
      return refusal(error);
    }
  });
  // Whoever mounts it has an environment of its own; what this one reads of it is optional.
  return Object.assign(app as unknown as Hono, { close: () => handler.close() });
}

function newServer(options: McpSurfaceOptions, context: McpRequestContext): McpServer {
  const { caller, correlationId } = (context.authInfo?.extra ?? {}) as unknown as RequestFacts;
  const codec = questionCodec({ key: options.questionKey, caller: `${caller.operatorId} ${caller.tokenId}` });
  const server = new McpServer(
    { name: 'platform', title: 'Powernode', version: options.version },
    {
      capabilities: { tools: { listChanged: false } },
      instructions: toolInstructions,
      cacheHints: { 'tools/list': { ttlMs: toolsListKeptMs, cacheScope: 'private' } },
      requestState: { verify: codec.verify },
    },
  );
  const selection = parseToolSelection(selectionText(context.requestInfo?.url));
  registerTools(server, {
    tools: callableTools(selection),
    seal: codec.seal,
    callerOf: (canAsk) => ({
      canAsk,
      mayDecide: async () => caller.permissions.has('system.approvals.decide'),
      invoke: async (call) => {
        try {
          return await options.invoke({ caller, ...call, correlationId });
        } catch (error) {
          logFailure(options, { error, correlationId });
          throw error;
        }
      },
    }),
  });
  if (options.extend === undefined) listOnly(server, toolsOf(selection));
  else options.extend(server, codec);
  return server;
}

/** The token itself stays behind: nothing needs it any more. */
function authInfoOf(request: RequestFacts) {
  const { operatorId, permissions } = request.caller;
  return { token: '', clientId: operatorId, scopes: [...permissions], extra: { ...request } };
}

/** What the platform is to blame for; the caller is told `internal` and no more. */
function logFailure(
  options: McpSurfaceOptions,
  of: { readonly error: unknown; readonly correlationId: string },
): void {
  if (problemOf(of.error).status < 500) return;
  const internal = of.error instanceof ProductError ? of.error.internal : undefined;
  options.log.error({ err: of.error, internal, correlation_id: of.correlationId }, 'mcp: a request failed');
}

function selectionText(url: string | undefined) {
  const query = url === undefined ? new URLSearchParams() : new URL(url).searchParams;
  return { toolsets: query.get('toolsets') ?? undefined, readOnly: query.get('read_only') ?? undefined };
}

/** A response when the message cannot be read (JSON-RPC 2.0 §5.1). */
async function readMessage(request: Request): Promise<{ readonly message: unknown } | Response> {
  const bytes = await boundedBytes(request);
  try {
    return { message: readJsonBytes(bytes, requestDepthMax) };
  } catch (error) {
    if (!(error instanceof ProductError)) throw error;
    const message = `Parse error: ${error.detail}`;
    return new Response(JSON.stringify({ jsonrpc: '2.0', id: null, error: { code: -32_700, message } }), {
      status: error.meaning.httpStatus,
      headers: { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' },
    });
  }
}

function refusal(error: unknown): Response {
  const problem = problemOf(error);
  const challenge = problem.status === 401 ? { 'WWW-Authenticate': 'Bearer realm="powernode"' } : {};
  const retry =
    problem.status === 429 ? { 'Retry-After': JSON.stringify(problem['retry_after_seconds'] ?? 1) } : {};
  return new Response(JSON.stringify(problem), {
    status: problem.status,
    headers: {
      'Content-Type': 'application/problem+json',
      'Cache-Control': 'no-store',
      ...challenge,
      ...retry,
    },
  });
}
