// One HTTP request with a JSON answer, bounded in time and size. Whom it trusts is the caller's decision.
// Imported only by whoever needs it: Node's HTTP module takes 8 MB.
import http from 'node:http';
import https from 'node:https';
import type { ConnectionOptions } from 'node:tls';
import { type ErrorCode, errorTable, ProductError } from '@powernode/core/errors';
import { parseJson } from '@powernode/core/json';
import { agentRequestMs, agentResponseBytesMax } from '@powernode/core/limits/agent';
import { problemCodeMax, problemDetailMax } from '@powernode/core/limits/texts';
import { z } from 'zod';
import { unreachable } from './unreachable.ts';

export interface JsonRequest {
  readonly url: URL;
  readonly method: 'GET' | 'POST';
  readonly body?: unknown;
  readonly tls?: ConnectionOptions;
}

export interface JsonAnswer {
  readonly status: number;
  /** undefined: the answer was not JSON. */
  readonly json: unknown;
}

export function requestJson(request: JsonRequest): Promise<JsonAnswer> {
  return new Promise((resolve, reject) => {
    const text = request.body === undefined ? '' : JSON.stringify(request.body);
    const headers = { accept: 'application/json', ...(text === '' ? {} : jsonHeaders(text)) };
    // A connection of its own (agent: false), closed afterwards: keys and trust differ from call to call.
    const options = {
      ...request.tls,
      method: request.method,
      headers,
      agent: false,
      timeout: agentRequestMs,
    };
    const client = request.url.protocol === 'https:' ? https : http;
    const outgoing = client.request(request.url, options, (answer) => {
      let size = 0;
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > agentResponseBytesMax)
          outgoing.destroy(new Error(`more than ${agentResponseBytesMax} bytes`));
        else chunks.push(chunk);
      });
      answer.on('error', (error) => reject(unreachable(request.url, error)));
      answer.on('end', () => {
        resolve({ status: answer.statusCode ?? 0, json: parseJson(Buffer.concat(chunks).toString('utf8')) });
      });
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer within ${agentRequestMs} ms`)));
    outgoing.on('error', (error) => reject(unreachable(request.url, error)));
    outgoing.end(text);
  });
}

function jsonHeaders(text: string): Record<string, string> {
  return { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)) };
}

export const problemAnswer = z.object({
  code: z.string().max(problemCodeMax),
  detail: z.string().max(problemDetailMax),
});

/** Others are first: it is to be asked again. */
export const busyAnswer = z.object({
  code: z.literal('busy'),
  retry_after_seconds: z.number().min(1).max(60),
});

/** What the platform said instead of what was asked for. */
export function problemFrom(answer: JsonAnswer, url: URL): ProductError {
  const parsed = problemAnswer.safeParse(answer.json);
  if (parsed.success && parsed.data.code in errorTable) {
    return new ProductError(parsed.data.code as ErrorCode, parsed.data.detail);
  }
  return new ProductError(
    'platform_unreachable',
    `${url.href} answered with HTTP status ${answer.status}; it does not seem to be a Powernode platform.`,
  );
}
