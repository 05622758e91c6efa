// Speaks to a platform over HTTP: runs actions, and turns its problem documents back into errors.
import { setDefaultCACertificates } from 'node:tls';
import type { ActionDefinition } from '@powernode/core/actions/define';
import { type ErrorCode, errorTable, type FieldProblem, ProductError } from '@powernode/core/errors';
import { cliAnswerBytesMax, cliAnswerMs } from '@powernode/core/limits';
import { z } from 'zod';
import type { Target } from '../login/target.ts';

export interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

export class Platform {
  readonly url: string;
  readonly #token: string;

  constructor(target: Target) {
    this.url = target.url;
    this.#token = target.token;
    // For this process, which speaks to no one else.
    if (target.authorityPem !== null) setDefaultCACertificates([target.authorityPem]);
  }

  async call(action: ActionDefinition, input: unknown): Promise<Answer> {
    const response = await this.#fetch(`/api/v1/actions/${action.name}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(input),
      signal: AbortSignal.timeout(cliAnswerMs),
    });
    const body = await jsonOf(response, this.url);
    if (!response.ok) throw errorOf(response.status, body, this.url);
    return { status: response.status, body: object.parse(body) };
  }

  /** A stream of server-sent events, once it is open. */
  async openStream(path: string, headers: Record<string, string>): Promise<ReadableStream<Uint8Array>> {
    const response = await this.#fetch(path, { headers: { accept: 'text/event-stream', ...headers } });
    if (!response.ok) throw errorOf(response.status, await jsonOf(response, this.url), this.url);
    if (response.body === null) throw new ProductError('platform_unreachable', 'The stream is empty.');
    return response.body;
  }

  async #fetch(path: string, init: RequestInit): Promise<Response> {
    const headers = new Headers(init.headers);
    headers.set('authorization', `Bearer ${this.#token}`);
    try {
      // A redirect could lead the token elsewhere.
      return await fetch(`${this.url}${path}`, { ...init, headers, redirect: 'error' });
    } catch (error) {
      throw unreachable(this.url, error);
    }
  }
}

const object = z.record(z.string(), z.unknown());

async function jsonOf(response: Response, url: string): Promise<unknown> {
  const text = await boundedText(response);
  try {
    return JSON.parse(text);
  } catch {
    throw new ProductError(
      'platform_unreachable',
      `What answers at ${url} is not a Powernode platform (status ${response.status}, no JSON).`,
    );
  }
}

async function boundedText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const body: AsyncIterable<Uint8Array> | null = response.body;
  for await (const chunk of body ?? []) {
    size += chunk.byteLength;
    if (size > cliAnswerBytesMax) {
      throw new ProductError(
        'payload_too_large',
        'The answer is too large; ask for fewer rows with --limit.',
      );
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

const problem = z.looseObject({
  type: z.string().optional(),
  title: z.string().optional(),
  status: z.number().optional(),
  code: z.string(),
  detail: z.string(),
  errors: z.array(z.object({ path: z.string(), code: z.string(), message: z.string() })).optional(),
});

function errorOf(status: number, body: unknown, url: string): ProductError {
  const read = problem.safeParse(body);
  if (!read.success) {
    return new ProductError('platform_unreachable', `${url} answered status ${status} without a reason.`);
  }
  const { type: _type, title: _title, status: _status, code, detail, errors, ...members } = read.data;
  const fields: readonly FieldProblem[] = errors ?? [];
  return new ProductError(codeFor(code, status), detail, { fields, members });
}

/** A newer platform may have codes that this command line does not know; their status says nearly as much. */
function codeFor(code: string, status: number): ErrorCode {
  if (Object.hasOwn(errorTable, code)) return code as ErrorCode;
  const alike = Object.entries(errorTable).find(([, meaning]) => meaning.httpStatus === status);
  return (alike?.[0] as ErrorCode | undefined) ?? 'internal';
}

function unreachable(url: string, error: unknown): ProductError {
  const { cause, name } = error as { cause?: { code?: string; message?: string }; name?: string };
  const code = cause?.code ?? cause?.message ?? name ?? 'unknown';
  if (/CERT|SIGNATURE|ISSUER|SELF_SIGNED/.test(code)) {
    return new ProductError(
      'untrusted_peer',
      `The certificate of ${url} is not trusted (${code}). Name the platform's authority with --ca FILE or POWERNODE_CA.`,
      { cause: error },
    );
  }
  return new ProductError(
    'platform_unreachable',
    `Nothing answers at ${url} (${code}). Is the platform up, and is POWERNODE_URL right?`,
    { cause: error },
  );
}
