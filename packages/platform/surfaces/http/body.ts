// Reads the JSON body of a request within its limit. An empty body is an empty object.
import { ProductError } from '@powernode/core/errors';
import { requestBytesMax, requestDepthMax } from '@powernode/core/limits/requests';
import { readJsonBytes } from '@powernode/core/wire/json-text';
import type { HttpContext } from './environment.ts';

export async function jsonBody(context: HttpContext): Promise<Record<string, unknown>> {
  const bytes = await boundedBytes(context.req.raw);
  if (bytes.length === 0) return {};
  refuseOtherTypes(context.req.header('content-type') ?? '');
  const value = readJsonBytes(bytes, requestDepthMax) ?? {};
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ProductError('malformed_request', 'The body must be a JSON object, such as {"name": "edge"}.');
  }
  return value as Record<string, unknown>;
}

/** A GET has no body (RFC 9110 §9.3.1): one that is sent would go unheard. */
export function refuseBody(context: HttpContext): void {
  // The request that a route sees has none, whatever was sent: its headers say so.
  const hasLength = Number(context.req.header('content-length') ?? 0) > 0;
  if (!hasLength && context.req.header('transfer-encoding') === undefined) return;
  throw new ProductError(
    'malformed_request',
    'A GET request takes its parameters from the query string, not from a body.',
  );
}

function refuseOtherTypes(type: string): void {
  if (type === '' || /^application\/(?:[\w.-]+\+)?json(?:;|$)/i.test(type.trim())) return;
  throw new ProductError('malformed_request', `Send application/json, not ${type.slice(0, 100)}.`);
}

export async function boundedBytes(request: Request): Promise<Uint8Array> {
  const declared = Number(request.headers.get('content-length') ?? 0);
  if (declared > requestBytesMax) throw tooLarge();
  const reader: ReadableStreamDefaultReader<Uint8Array> | undefined = request.body?.getReader();
  if (reader === undefined) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read().catch(brokenOff);
    if (done) break;
    size += value.byteLength;
    if (size > requestBytesMax) {
      await reader.cancel();
      throw tooLarge();
    }
    chunks.push(value);
  }
  return Buffer.concat(chunks);
}

/** The client has left, or its line has: nothing of the platform failed. */
function brokenOff(cause: unknown): never {
  throw new ProductError('malformed_request', 'The body was incomplete. Send the request again.', {
    cause,
  });
}

function tooLarge(): ProductError {
  return new ProductError('payload_too_large', `The body may have ${requestBytesMax} bytes at most.`);
}
