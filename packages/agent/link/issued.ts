// Whether a certificate that the platform handed out is one for this machine's key, from the authority beside it.
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { ProductError } from '@powernode/core/errors';
import type { PrivateKey } from '@powernode/core/private-key';

export interface Issued {
  readonly certificatePem: string;
  /** One or more certificates. */
  readonly authorityPem: string;
  readonly key: PrivateKey;
}

export function checkIssued(issued: Issued): void {
  if (!fits(issued)) {
    throw new ProductError('untrusted_peer', 'The platform issued a certificate for a different key.');
  }
}

function fits(issued: Issued): boolean {
  try {
    const certificate = new X509Certificate(issued.certificatePem);
    const signed = certificatesIn(issued.authorityPem).some((authority) =>
      certificate.verify(authority.publicKey),
    );
    return signed && certificate.checkPrivateKey(createPrivateKey(issued.key.reveal()));
  } catch {
    return false;
  }
}

export function certificatesIn(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => new X509Certificate(block));
}
