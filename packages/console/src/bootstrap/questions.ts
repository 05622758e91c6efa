// The two questions that the page asks its platform. The secret goes in the body, and the private key not at all.
import {
  type BootstrapDevice,
  type BootstrapGrant,
  bootstrapInspectPath,
  bootstrapIssuePath,
} from '@powernode/core/wire/bootstrap';

/** What became of the grant where the platform says so; otherwise what kind of failure it is. */
export type Cause =
  | 'used'
  | 'expired'
  | 'revoked'
  | 'unknown'
  | 'blocked'
  | 'refused'
  | 'limited'
  | 'failed'
  | 'unreachable';

/** What the platform refused, or that it could not be reached. */
export interface Refusal {
  readonly refused: string;
  readonly cause: Cause;
}

export function isRefusal(answer: object): answer is Refusal {
  return 'refused' in answer;
}

export function inspect(token: string): Promise<BootstrapGrant | Refusal> {
  return ask<BootstrapGrant>(bootstrapInspectPath, { token });
}

export function issue(wanted: {
  readonly token: string;
  readonly publicKey: string;
  readonly name: string | null;
  /** The same for each try. */
  readonly idempotencyKey: string;
}): Promise<BootstrapDevice | Refusal> {
  const { token, publicKey: public_key, name, idempotencyKey } = wanted;
  const body = { token, public_key, ...(name === null ? {} : { name }) };
  return ask<BootstrapDevice>(bootstrapIssuePath, body, { 'idempotency-key': idempotencyKey });
}

async function ask<Answer>(
  path: string,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer | Refusal> {
  let response: Response;
  try {
    response = await fetch(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json', ...headers },
      body: JSON.stringify(body),
      credentials: 'omit',
      cache: 'no-store',
    });
  } catch {
    return {
      refused: 'Check your connection and try again. The request may have succeeded anyway.',
      cause: 'unreachable',
    };
  }
  const answer: unknown = await response.json().catch(() => null);
  if (response.ok && answer !== null) return answer as Answer;
  const problem = (answer ?? {}) as { detail?: unknown; access_grant_status?: unknown };
  return {
    refused:
      typeof problem.detail === 'string' ? problem.detail : `The platform responded with ${response.status}.`,
    cause: endings.find((one) => one === problem.access_grant_status) ?? causeOf(response.status),
  };
}

const endings = ['used', 'expired', 'revoked'] as const;

function causeOf(status: number): Cause {
  if (status === 403) return 'blocked';
  if (status === 404) return 'unknown';
  if (status === 429) return 'limited';
  // A proxy answers so for a platform that is away.
  if (status === 502 || status === 503 || status === 504) return 'unreachable';
  return status >= 400 && status < 500 ? 'refused' : 'failed';
}
