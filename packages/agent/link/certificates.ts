// Keys and certificate requests of this machine. The only file that needs the X.509 library, which is large: it is
// imported by whoever joins or renews, and never while a machine just runs.
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { PrivateKey } from '@powernode/core/private-key';

const algorithm = { name: 'Ed25519' } as const;
const hourMs = 3600_000;

export interface KeyRequest {
  /** PKCS #8. */
  readonly key: PrivateKey;
  /** PKCS #10, signed by that key. What the platform certifies is its key; the name in it means nothing. */
  readonly csrPem: string;
  /** A certificate that proves nothing but possession of the key: for a machine that has no other yet. */
  readonly selfSignedPem: string;
}

export async function makeKeyRequest(nowMs: number): Promise<KeyRequest> {
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: 'CN=powernode agent',
    keys,
    signingAlgorithm: algorithm,
  });
  const selfSigned = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=powernode agent',
    // Clocks of machines that join are wrong by minutes often, and by an hour sometimes.
    notBefore: new Date(nowMs - 24 * hourMs),
    notAfter: new Date(nowMs + 24 * hourMs),
    keys,
    signingAlgorithm: algorithm,
  });
  const pkcs8 = await crypto.subtle.exportKey('pkcs8', keys.privateKey);
  return {
    key: new PrivateKey(`${x509.PemConverter.encode(pkcs8, 'PRIVATE KEY')}\n`),
    csrPem: request.toString('pem'),
    selfSignedPem: selfSigned.toString('pem'),
  };
}
