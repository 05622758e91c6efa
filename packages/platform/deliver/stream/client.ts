// Who is at the other end of a TLS connection: the key that it proved to hold, and the instance if the platform's
// authority says so.

import type { TLSSocket } from 'node:tls';
import { canonicalAddress } from '@powernode/core/net/address';
import type { Authority, InstanceIdentity } from '../../trust/authority.ts';

export interface Client {
  /** SubjectPublicKeyInfo in DER. */
  readonly publicKey: Buffer;
  /** null: the certificate is not of this authority, or not valid now. */
  readonly identity: InstanceIdentity | null;
  readonly address: string;
}

/** null: it showed no certificate. */
export function clientOf(socket: TLSSocket, authority: Authority): Client | null {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return null;
  return {
    publicKey: certificate.publicKey.export({ type: 'spki', format: 'der' }),
    // The TLS library has checked purpose and chain; the authority checks that it is for an instance of its own.
    identity: socket.authorized ? authority.identify(certificate) : null,
    address: addressOf(socket),
  };
}

/** An IPv4 client of a listener on both families shows as ::ffff:a.b.c.d. */
function addressOf(socket: TLSSocket): string {
  const text = socket.remoteAddress ?? '';
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(text)?.[1];
  return canonicalAddress(mapped ?? text) ?? '';
}
