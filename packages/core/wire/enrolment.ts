// How a machine gets its certificate: enrolment with a join token, and renewal. HTTPS with JSON bodies on the
// node listener, under mutual TLS: a machine that has no certificate yet presents one it signed itself with the
// key of its request, so that the connection proves possession of that key.
import { z } from 'zod';
import {
  certificateTextMax,
  hostnameLengthMax,
  joinTokenLengthMax,
  urlLengthMax,
  versionLengthMax,
} from '../limits/texts.ts';
import { unusedKeysMax } from '../limits/trust.ts';
import { hostnameRule, isHostname } from '../net/hostname.ts';
import { id, publicKey } from './texts.ts';

export const enrolPath = '/node/v1/enrol';
export const renewPath = '/node/v1/renew';
export const leavePath = '/node/v1/leave';
/** On the operators' listener, without a token: where nodes have to go. Untrusted; the join token pins the authority. */
export const discoveryPath = '/.well-known/powernode';

export const discovery = z.object({
  node_url: z.string().max(urlLengthMax),
  platform_version: z.string().max(versionLengthMax),
});

/**
 * A join token: `pnj_<secret>_<fingerprint>`. The secret is 32 random bytes in base64url; the fingerprint is the
 * SHA-256 of the authority's certificate (DER) in hex, which is how the machine knows that it talks to the
 * platform that made the token before it says anything.
 */
export const joinTokenShape = /^pnj_([A-Za-z0-9_-]{43})_([0-9a-f]{64})$/;

export const enrolRequest = z.object({
  token: z.string().max(joinTokenLengthMax),
  /** PKCS #10 (RFC 2986) in PEM, Ed25519, self-signed. */
  csr_pem: z.string().max(certificateTextMax),
  hostname: z.string().max(hostnameLengthMax).refine(isHostname, hostnameRule),
  agent_version: z.string().max(versionLengthMax),
  /** Public keys for WireGuard that the machine has made, so that it can be attached from now on. */
  unused_keys: z.array(publicKey).max(unusedKeysMax).default([]),
});
export type EnrolRequest = z.infer<typeof enrolRequest>;

export const enrolResponse = z.object({
  instance_id: id,
  account_id: id,
  certificate_pem: z.string().max(certificateTextMax),
  /** The authority's certificates to trust from now on. */
  authority_pem: z.string().max(certificateTextMax),
  /** SPIFFE ID that the platform's own certificate carries. */
  platform_id: z.string().max(urlLengthMax),
});
export type EnrolResponse = z.infer<typeof enrolResponse>;

export const renewRequest = z.object({ csr_pem: z.string().max(certificateTextMax) });
export const renewResponse = z.object({
  certificate_pem: z.string().max(certificateTextMax),
  authority_pem: z.string().max(certificateTextMax),
});
export type RenewResponse = z.infer<typeof renewResponse>;

/** The machine leaves for good: its instance is ended. The connection's certificate says which. */
export const leaveRequest = z.object({});
export const leaveResponse = z.object({ instance_id: id });

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
