// Tells the platform that this machine leaves for good, in the name of its certificate.
import { ProductError } from '@powernode/core/errors';
import { leavePath, leaveResponse } from '@powernode/core/wire/enrolment';
import type { Identity } from '../state/identity.ts';
import { platformTls } from './authority.ts';
import { problemFrom, requestJson } from './request.ts';

/** ended: its instance is gone. kept: another machine has its identity. unknown: it was gone before. */
export type LeavingOutcome =
  | { readonly kind: 'ended' | 'kept' | 'unknown' }
  | { readonly kind: 'not_reported'; readonly why: string };

export async function reportLeaving(identity: Identity): Promise<LeavingOutcome> {
  const { certificate_pem, key_pem, authority_pem, platform_id, node_url } = identity;
  const tls = platformTls(
    { certificatePem: certificate_pem, key: key_pem },
    { authorityPem: authority_pem, platformId: platform_id },
  );
  const url = new URL(leavePath, node_url);
  try {
    const answer = await requestJson({ url, method: 'POST', body: {}, tls });
    if (answer.status === 200 && leaveResponse.safeParse(answer.json).success) return { kind: 'ended' };
    return reportedBy(problemFrom(answer, url));
  } catch (error) {
    if (error instanceof ProductError) return reportedBy(error);
    throw error;
  }
}

function reportedBy(error: ProductError): LeavingOutcome {
  if (error.code === 'conflict') return { kind: 'kept' };
  if (error.code === 'untrusted_peer') return { kind: 'unknown' };
  return { kind: 'not_reported', why: error.detail };
}
