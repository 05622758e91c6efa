// Reads the JSON body of a request within its limit. An empty body is an empty object.
import { ProductError } from '@powernode/core/errors';
import { requestBytesMax } from '@powernode/core/limits';
import type { HttpContext } from './environment.ts';

export async function jsonBody(context: HttpContext): Promise<Record<string, unknown>> {
  const text = await boundedText(context.req.raw);
  if (text.trim() === '') return {};
  const type = context.req.header('content-type') ?? '';
  if (type !== '' && !/^application\/(?:[\w.-]+\+)?json(?:;|$)/i.test(type.trim())) {
    throw new ProductError('malformed_request', `Send application/json, not ${type}.`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ProductError('malformed_request', 'The body is not JSON.');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ProductError('malformed_request', 'The body must be a JSON object, such as {"name": "edge"}.');
  }
  return value as Record<string, unknown>;
}

async function boundedText(request: Request): Promise<string> {
  const declared = Number(request.headers.get('content-length') ?? 0);
  if (declared > requestBytesMax) throw tooLarge();
  const reader: ReadableStreamDefaultReader<Uint8Array> | undefined = request.body?.getReader();
  if (reader === undefined) return '';
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.byteLength;
    if (size > requestBytesMax) {
      await reader.cancel();
      throw tooLarge();
    }
    chunks.push(value);
  }
  return new TextDecoder().decode(Buffer.concat(chunks));
}

function tooLarge(): ProductError {
  return new ProductError('payload_too_large', `The body may have ${requestBytesMax} bytes at most.`);
}
