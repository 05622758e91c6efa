// Test support: a machine's key, its certificate request, and the certificate it signs itself for enrolment.
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';

export interface Machine {
  readonly keyPem: string;
  /** SubjectPublicKeyInfo in DER. */
  readonly publicKey: Buffer;
  readonly csrPem: string;
  readonly selfSignedPem: string;
}

const algorithm = { name: 'Ed25519' } as const;

export async function makeMachine(): Promise<Machine> {
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const csr = await x509.Pkcs10CertificateRequestGenerator.create({
    name: 'CN=whatever the machine likes',
    keys,
    signingAlgorithm: algorithm,
  });
  const selfSigned = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=joining',
    notBefore: new Date(Date.now() - 3600_000),
    notAfter: new Date(Date.now() + 3600_000),
    keys,
    signingAlgorithm: algorithm,
  });
  const pkcs8 = await crypto.subtle.exportKey('pkcs8', keys.privateKey);
  return {
    keyPem: x509.PemConverter.encode(pkcs8, 'PRIVATE KEY'),
    publicKey: Buffer.from(await crypto.subtle.exportKey('spki', keys.publicKey)),
    csrPem: csr.toString('pem'),
    selfSignedPem: selfSigned.toString('pem'),
  };
}
