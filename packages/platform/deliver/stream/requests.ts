// The two requests that a machine makes before and beside its stream: enrolment and renewal. Everything else is 404.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ProductError, problemOf } from '@powernode/core/errors';
import { nodeRequestBytesMax } from '@powernode/core/limits';
import { enrolPath, renewPath } from '@powernode/core/wire/enrolment';
import type { Logger } from 'pino';
import type { CheckCertificate } from '../../trust/certificate-check.ts';
import type { Enrol } from '../../trust/enrol.ts';
import type { Renew } from '../../trust/renew.ts';
import type { DeliveryCounters } from '../counters.ts';
import type { Client } from './client.ts';

export interface RequestParts {
  readonly enrol: Enrol;
  readonly renew: Renew;
  readonly check: CheckCertificate;
  readonly counters: DeliveryCounters;
  readonly log: Logger;
}

export async function answerRequest(
  parts: RequestParts,
  exchange: {
    readonly request: IncomingMessage;
    readonly response: ServerResponse;
    readonly client: Client;
  },
): Promise<void> {
  const { request, response, client } = exchange;
  try {
    send(response, { status: 200, body: await perform(parts, request, client) });
  } catch (error) {
    const expected = error instanceof ProductError;
    if (!expected) parts.log.error({ err: error, url: request.url }, 'a request of a node failed');
    parts.counters.refusals++;
    const problem = problemOf(error);
    send(response, { status: problem.status, body: problem });
  }
}

async function perform(parts: RequestParts, request: IncomingMessage, client: Client): Promise<object> {
  const isPost = request.method === 'POST';
  if (isPost && request.url === enrolPath) {
    const answer = await parts.enrol({
      body: await readJson(request),
      connectionKey: client.publicKey,
      source: client.address,
    });
    parts.counters.enrolments++;
    return answer;
  }
  if (client.identity === null) throw stranger();
  if ((await parts.check(client.identity)) !== 'good') throw notCounted();
  if (isPost && request.url === renewPath) {
    const answer = await parts.renew({ identity: client.identity, body: await readJson(request) });
    parts.counters.renewals++;
    return answer;
  }
  throw new ProductError('not_found', 'There is nothing here.');
}

export function stranger(): ProductError {
  return new ProductError(
    'untrusted_peer',
    'The certificate of this connection is none of this platform. Join with a join token first.',
  );
}

export function notCounted(): ProductError {
  return new ProductError(
    'untrusted_peer',
    'The certificate of this connection does not count any more. Join the machine again with a new join token.',
  );
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > nodeRequestBytesMax) {
      throw new ProductError(
        'payload_too_large',
        `The request is larger than ${nodeRequestBytesMax} bytes, which none of these has to be.`,
      );
    }
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch (cause) {
    throw new ProductError('malformed_request', 'The body is no JSON.', { cause });
  }
}

function send(response: ServerResponse, answer: { readonly status: number; readonly body: object }): void {
  if (response.destroyed || response.headersSent) return;
  const text = JSON.stringify(answer.body);
  response.writeHead(answer.status, {
    'content-type': answer.status === 200 ? 'application/json' : 'application/problem+json',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    // What was not read of a refused body would be taken for the next request.
    ...(answer.status === 200 ? {} : { connection: 'close' }),
  });
  response.end(text);
}
