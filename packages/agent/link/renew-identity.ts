// One renewal: a new key, a request, and the certificate that the platform answers with.
import { type RenewResponse, renewPath, renewResponse } from '@powernode/core/wire/enrolment';
import type { Identity } from '../state/identity.ts';
import { tlsOf } from './authority.ts';
import { makeKeyRequest } from './certificates.ts';
import { checkIssued } from './issued.ts';
import { problemFrom, requestJson } from './request.ts';

export async function renewIdentity(identity: Identity, nowMs: number): Promise<Identity> {
  const request = await makeKeyRequest(nowMs);
  const url = new URL(renewPath, identity.node_url);
  const tls = tlsOf(identity);
  const answer = await requestJson({ url, method: 'POST', body: { csr_pem: request.csrPem }, tls });
  const parsed = answer.status === 200 ? renewResponse.safeParse(answer.json) : null;
  if (parsed === null || !parsed.success) throw problemFrom(answer, url);
  const issued: RenewResponse = parsed.data;
  checkIssued({
    certificatePem: issued.certificate_pem,
    authorityPem: issued.authority_pem,
    key: request.key,
  });
  return {
    ...identity,
    certificate_pem: issued.certificate_pem,
    authority_pem: issued.authority_pem,
    key_pem: request.key,
  };
}
