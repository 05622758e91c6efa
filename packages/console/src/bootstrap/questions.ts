// The two questions that the page asks its platform. The secret goes in the body, and the private key not at all.
import {
  type BootstrapDevice,
  type BootstrapGrant,
  bootstrapInspectPath,
  bootstrapIssuePath,
} from '@powernode/core/wire/bootstrap';

/** What the platform refused, or that it could not be reached. */
export interface Refusal {
  readonly refused: string;
  /** What became of the grant, where the platform says so. */
  readonly status: string | null;
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
}): Promise<BootstrapDevice | Refusal> {
  const { token, publicKey: public_key, name } = wanted;
  return ask<BootstrapDevice>(bootstrapIssuePath, { token, public_key, ...(name === null ? {} : { name }) });
}

async function ask<Answer>(path: string, body: object): Promise<Answer | Refusal> {
  let response: Response;
  try {
    response = await fetch(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify(body),
      credentials: 'omit',
      cache: 'no-store',
    });
  } catch {
    return { refused: 'The platform does not answer. Check your connection and try again.', status: null };
  }
  const answer: unknown = await response.json().catch(() => null);
  if (response.ok && answer !== null) return answer as Answer;
  const problem = (answer ?? {}) as { detail?: unknown; access_grant_status?: unknown };
  return {
    refused:
      typeof problem.detail === 'string' ? problem.detail : `The platform answered ${response.status}.`,
    status: typeof problem.access_grant_status === 'string' ? problem.access_grant_status : null,
  };
}
