// The three requests of a machine beside its stream: enrolment, renewal and leaving. Everything else is 404.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ProductError, problemOf } from '@powernode/core/errors';
import { nodeRequestBytesMax } from '@powernode/core/limits/node-stream';
import { requestDepthMax } from '@powernode/core/limits/requests';
import { enrolPath, leavePath, leaveRequest, renewPath } from '@powernode/core/wire/enrolment';
import { readJsonBytes } from '@powernode/core/wire/json-text';
import type { Logger } from 'pino';
import type { Downloads } from '../../install/packages.ts';
import type { InstanceIdentity } from '../../trust/authority.ts';
import type { CheckCertificate } from '../../trust/certificate-check.ts';
import { type Enrol, parseRequest } from '../../trust/enrol.ts';
import type { Renew } from '../../trust/renew.ts';
import type { DeliveryCounters } from '../counters.ts';
import type { CertificateUses } from './certificate-uses.ts';
import type { Client } from './client.ts';

export interface RequestParts {
  readonly enrol: Enrol;
  readonly renew: Renew;
  /** Ends the instance of a machine that leaves, unless another machine is there with its identity. */
  readonly leave: (identity: InstanceIdentity) => Promise<void>;
  readonly check: CheckCertificate;
  readonly uses: CertificateUses;
  readonly counters: DeliveryCounters;
  readonly log: Logger;
  /** What machines without an agent may fetch; null: nothing. */
  readonly downloads: Downloads | null;
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

/** All of them are asked by POST. */
const paths: ReadonlySet<string> = new Set([enrolPath, renewPath, leavePath]);

async function perform(parts: RequestParts, request: IncomingMessage, client: Client): Promise<object> {
  const isPost = request.method === 'POST';
  if (!isPost && paths.has(request.url ?? '')) {
    throw new ProductError('method_not_allowed', `This URL supports POST, not ${request.method ?? ''}.`);
  }
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
  parts.uses.count(client.identity);
  if ((await parts.check(client.identity)) !== 'good') throw notCounted();
  if (isPost && request.url === renewPath) {
    const answer = await parts.renew({ identity: client.identity, body: await readJson(request) });
    parts.counters.renewals++;
    return answer;
  }
  if (isPost && request.url === leavePath) {
    parseRequest(leaveRequest, await readJson(request));
    await parts.leave(client.identity);
    return { instance_id: client.identity.instanceId };
  }
  throw new ProductError('not_found', 'Not found.');
}

export function stranger(): ProductError {
  return new ProductError(
    'untrusted_peer',
    'The client certificate was not issued by this platform. Join with a join token first.',
  );
}

export function notCounted(): ProductError {
  return new ProductError(
    'untrusted_peer',
    'The client certificate is no longer valid. Join again with a new join token.',
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
        `The request is larger than ${nodeRequestBytesMax} bytes, which is the limit for these requests.`,
      );
    }
    chunks.push(chunk);
  }
  return readJsonBytes(Buffer.concat(chunks), requestDepthMax);
}

function send(response: ServerResponse, answer: { readonly status: number; readonly body: object }): void {
  if (response.destroyed || response.headersSent) return;
  const text = JSON.stringify(answer.body);
  response.writeHead(answer.status, {
    'content-type': answer.status === 200 ? 'application/json' : 'application/problem+json',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    ...retryAfter(answer.body),
    // RFC 9110 §15.5.6.
    ...(answer.status === 405 ? { Allow: 'POST' } : {}),
    // What was not read of a refused body would be taken for the next request.
    ...(answer.status === 200 ? {} : { connection: 'close' }),
  });
  response.end(text);
}

/** RFC 9110 §10.2.3. */
export function retryAfter(answer: object): { readonly 'Retry-After'?: string } {
  const seconds = 'retry_after_seconds' in answer ? answer.retry_after_seconds : undefined;
  return typeof seconds === 'number' ? { 'Retry-After': String(seconds) } : {};
}
