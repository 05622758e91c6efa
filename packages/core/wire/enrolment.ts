// How a machine gets its certificate: enrolment with a join token, and renewal. HTTPS with JSON bodies on the
// node listener, under mutual TLS: a machine that has no certificate yet presents one it signed itself with the
// key of its request, so that the connection proves possession of that key.
import { z } from 'zod';

export const enrolPath = '/node/v1/enrol';
export const renewPath = '/node/v1/renew';
/** On the operators' listener, without a token: where nodes have to go. Untrusted; the join token pins the authority. */
export const discoveryPath = '/.well-known/powernode';

export const discovery = z.object({
  node_url: z.string(),
  platform_version: z.string(),
});

/**
 * A join token: `pnj_<secret>_<fingerprint>`. The secret is 32 random bytes in base64url; the fingerprint is the
 * SHA-256 of the authority's certificate (DER) in hex, which is how the machine knows that it talks to the
 * platform that made the token before it says anything.
 */
export const joinTokenShape = /^pnj_([A-Za-z0-9_-]{43})_([0-9a-f]{64})$/;

export const enrolRequest = z.strictObject({
  token: z.string().max(200),
  /** PKCS #10 (RFC 2986) in PEM, Ed25519, self-signed. */
  csr_pem: z.string().max(4000),
  hostname: z.string().min(1).max(253),
  agent_version: z.string().max(50),
});
export type EnrolRequest = z.infer<typeof enrolRequest>;

export const enrolResponse = z.strictObject({
  instance_id: z.string(),
  account_id: z.string(),
  certificate_pem: z.string(),
  /** The authority's certificates to trust from now on. */
  authority_pem: z.string(),
  /** SPIFFE ID that the platform's own certificate carries. */
  platform_id: z.string(),
});
export type EnrolResponse = z.infer<typeof enrolResponse>;

export const renewRequest = z.strictObject({ csr_pem: z.string().max(4000) });
export const renewResponse = z.strictObject({ certificate_pem: z.string(), authority_pem: z.string() });
export type RenewResponse = z.infer<typeof renewResponse>;

/** Names inside certificates (SPIFFE ID, without its network): who a certificate speaks for. */
export const spiffe = {
  platform: (trustDomain: string) => `spiffe://${trustDomain}/platform`,
  instance: (trustDomain: string, accountId: string, instanceId: string) =>
    `spiffe://${trustDomain}/account/${accountId}/instance/${instanceId}`,
};

const instanceShape = /^spiffe:\/\/([^/]+)\/account\/([0-9a-f-]{36})\/instance\/([0-9a-f-]{36})$/;

export function parseInstanceId(
  uri: string,
): { trustDomain: string; accountId: string; instanceId: string } | null {
  const match = instanceShape.exec(uri);
  if (match === null) return null;
  return { trustDomain: match[1] ?? '', accountId: match[2] ?? '', instanceId: match[3] ?? '' };
}
