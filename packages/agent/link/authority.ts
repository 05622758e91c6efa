// Making sure that the other side is the platform, before anything is said to it: at joining by the fingerprint in
// the join token, afterwards by the authority's certificate that was stored then. Host names mean nothing here; who
// a certificate speaks for is its SPIFFE ID.
import { createHash, X509Certificate } from 'node:crypto';
import tls, { type ConnectionOptions, type DetailedPeerCertificate, type PeerCertificate } from 'node:tls';
import { ProductError } from '@powernode/core/errors';
import { agentRequestMs } from '@powernode/core/limits/agent';
import type { PrivateKey } from '@powernode/core/private-key';
import { spiffe } from '@powernode/core/wire/enrolment';
import type { Identity } from '../state/identity.ts';
import { unreachable } from './unreachable.ts';

export interface OwnCertificate {
  readonly certificatePem: string;
  readonly key: PrivateKey;
}

/** Options for connections to a platform whose authority and name are known. */
export function platformTls(
  own: OwnCertificate,
  platform: { authorityPem: string; platformId: string },
): ConnectionOptions {
  return {
    cert: own.certificatePem,
    key: own.key.reveal(),
    ca: platform.authorityPem,
    minVersion: 'TLSv1.3',
    rejectUnauthorized: true,
    checkServerIdentity: (_host, certificate) =>
      uriNames(certificate).includes(platform.platformId)
        ? undefined
        : new ProductError('untrusted_peer', `The other side is not ${platform.platformId}.`),
  };
}

/** The same for a machine that has joined. */
export function tlsOf({ certificate_pem, key_pem, authority_pem, platform_id }: Identity): ConnectionOptions {
  const own = { certificatePem: certificate_pem, key: key_pem };
  return platformTls(own, { authorityPem: authority_pem, platformId: platform_id });
}

/** What a first connection finds out: the authority with the fingerprint asked for, and the platform's name. */
export interface PinnedPlatform {
  readonly authorityPem: string;
  readonly platformId: string;
}

/**
 * Looks at the certificates that a listener shows, without saying anything to it. The certificate with the
 * fingerprint must be among them; that the rest hangs on it is checked by TLS itself on the next connection.
 */
export async function pinPlatform(
  nodeUrl: URL,
  at: { own: OwnCertificate; fingerprint: string },
): Promise<PinnedPlatform> {
  const chain = await shownChain(nodeUrl, at.own);
  const authority = chain.find((certificate) => sha256(certificate.raw) === at.fingerprint);
  if (authority === undefined) {
    throw new ProductError(
      'untrusted_peer',
      `${nodeUrl.origin} does not show the authority that the join token names (SHA-256 ${at.fingerprint}). ` +
        'The token belongs to another platform, or the connection is intercepted. Nothing was sent.',
    );
  }
  const leaf = chain[0];
  const platformId = (leaf === undefined ? [] : uriNames(leaf)).find(isPlatformId);
  if (platformId === undefined) {
    throw new ProductError(
      'untrusted_peer',
      `The certificate of ${nodeUrl.origin} is not one of a platform. Nothing was sent.`,
    );
  }
  return { authorityPem: new X509Certificate(authority.raw).toString(), platformId };
}

function shownChain(url: URL, own: OwnCertificate): Promise<DetailedPeerCertificate[]> {
  return new Promise((resolve, reject) => {
    const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
    const socket = tls.connect({
      host,
      port: Number(url.port || 443),
      cert: own.certificatePem,
      key: own.key.reveal(),
      minVersion: 'TLSv1.3',
      // Nothing is trusted yet and nothing is said: the connection ends when the certificates have been seen.
      rejectUnauthorized: false,
      ...(tlsName(host) === null ? {} : { servername: host }),
    });
    socket.setTimeout(agentRequestMs, () =>
      socket.destroy(new Error(`no answer within ${agentRequestMs} ms`)),
    );
    socket.once('error', (error: Error) => reject(unreachable(url, error)));
    socket.once('secureConnect', () => {
      const chain = certificatesIn(socket.getPeerCertificate(true));
      socket.destroy();
      resolve(chain);
    });
  });
}

/** A server name is only sent for names: RFC 6066 has none for addresses. */
function tlsName(host: string): string | null {
  return /^[\d.]+$/.test(host) || host.includes(':') ? null : host;
}

/** A chain is linked by `issuerCertificate`; the last one's is itself. */
function certificatesIn(leaf: DetailedPeerCertificate): DetailedPeerCertificate[] {
  const chain: DetailedPeerCertificate[] = [];
  let next: DetailedPeerCertificate | undefined = leaf;
  while (next?.raw !== undefined && !chain.includes(next)) {
    chain.push(next);
    next = next.issuerCertificate;
  }
  return chain;
}

function uriNames(certificate: PeerCertificate): string[] {
  return (certificate.subjectaltname ?? '')
    .split(', ')
    .flatMap((name) => (name.startsWith('URI:') ? [name.slice(4)] : []));
}

function isPlatformId(uri: string): boolean {
  const domain = /^spiffe:\/\/([^/]+)\/platform$/.exec(uri)?.[1];
  return domain !== undefined && uri === spiffe.platform(domain);
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
