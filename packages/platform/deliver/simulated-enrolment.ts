// Enrolment and renewal as a machine does them, for simulated nodes (simulated-node.ts).
import { createHash } from 'node:crypto';
import { request } from 'node:https';
import { type DetailedPeerCertificate, type SecureContextOptions, TLSSocket } from 'node:tls';
import {
  type EnrolResponse,
  enrolPath,
  enrolResponse,
  leavePath,
  renewPath,
  renewResponse,
} from '@powernode/core/wire/enrolment';
import type { NodeCredentials } from './simulated-node.ts';

export interface Joining {
  readonly nodeUrl: string;
  readonly token: string;
  /** SHA-256 of the authority's certificate, as the join token has it. */
  readonly fingerprint: string;
  readonly keyPem: string;
  readonly selfSignedPem: string;
  readonly csrPem: string;
  readonly hostname: string;
  readonly unusedKeys?: readonly string[];
}

/** Enrols as a machine does: trusts the platform by the fingerprint of its authority before it says anything. */
export async function enrolSimulated(joining: Joining): Promise<EnrolResponse> {
  const body = {
    token: joining.token,
    csr_pem: joining.csrPem,
    hostname: joining.hostname,
    agent_version: 'simulated',
    unused_keys: joining.unusedKeys ?? [],
  };
  const answer = await post(`${joining.nodeUrl}${enrolPath}`, body, {
    key: joining.keyPem,
    cert: joining.selfSignedPem,
    // Nothing is trusted yet but the fingerprint.
    rejectUnauthorized: false,
    fingerprint: joining.fingerprint,
  });
  return enrolResponse.parse(answer);
}

export async function renewSimulated(renewal: {
  readonly nodeUrl: string;
  readonly credentials: NodeCredentials;
  readonly csrPem: string;
}): Promise<string> {
  const { credentials } = renewal;
  const answer = await post(
    `${renewal.nodeUrl}${renewPath}`,
    { csr_pem: renewal.csrPem },
    { key: credentials.keyPem, cert: credentials.certificatePem, ca: credentials.authorityPem },
  );
  return renewResponse.parse(answer).certificate_pem;
}

/** What the platform refused, by its code. */
export class Refused extends Error {
  readonly code: string;
  constructor(status: number, problem: { readonly code?: string; readonly detail?: string }) {
    super(`${status} ${problem.code}: ${problem.detail}`);
    this.code = problem.code ?? '';
  }
}

/** As `powernode agent leave` does. */
export async function leaveSimulated(of: {
  readonly nodeUrl: string;
  readonly credentials: NodeCredentials;
}): Promise<void> {
  const { keyPem: key, certificatePem: cert, authorityPem: ca } = of.credentials;
  await post(`${of.nodeUrl}${leavePath}`, {}, { key, cert, ca });
}

export function post(
  url: string,
  body: unknown,
  tls: SecureContextOptions & { readonly rejectUnauthorized?: boolean; readonly fingerprint?: string },
): Promise<unknown> {
  const { fingerprint, ...options } = tls;
  return new Promise((resolve, reject) => {
    const sent = request(url, {
      ...options,
      method: 'POST',
      agent: false,
      headers: { 'content-type': 'application/json' },
      checkServerIdentity: () => undefined,
    });
    sent.on('error', reject);
    sent.on('socket', (socket) => {
      socket.once('secureConnect', () => {
        const chain = socket instanceof TLSSocket ? socket.getPeerCertificate(true) : null;
        if (fingerprint === undefined || chainHas(chain, fingerprint)) sent.end(JSON.stringify(body));
        else sent.destroy(new Error('the platform has another authority than the join token names'));
      });
    });
    sent.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const answer: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));
        if (response.statusCode === 200) resolve(answer);
        else reject(new Refused(response.statusCode ?? 0, answer as { code?: string; detail?: string }));
      });
    });
  });
}

/** That the leaf is signed by what has the fingerprint is for the agent to check, and for its tests. */
function chainHas(chain: DetailedPeerCertificate | null, fingerprint: string): boolean {
  const seen = new Set<DetailedPeerCertificate>();
  for (let one = chain; one !== null && !seen.has(one); one = one.issuerCertificate ?? null) {
    seen.add(one);
    if (createHash('sha256').update(one.raw).digest('hex') === fingerprint) return true;
  }
  return false;
}
