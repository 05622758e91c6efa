// The line that brings a machine into the fleet. Whoever pastes it trusts the place where it was shown, and from there on
// nothing else: the pin is of the key of the platform's listener, the script that comes from there has the digests of
// the packages, and the token has the fingerprint of the platform's authority.
import { createPrivateKey, createPublicKey, hash } from 'node:crypto';
import { PrivateKey } from '@powernode/core/private-key';
import { installScriptPath } from '@powernode/core/wire/packages';
import type { ServerKey } from '../trust/authority.ts';

/** RFC 8410 §7: what a private key of Ed25519 begins with in PKCS #8; its 32 bytes follow. */
const ed25519Private = Buffer.from('302e020100300506032b657004220420', 'hex');

/** A key of a listener. */
export interface ListenerKey extends ServerKey {
  /** As curl takes it: the SHA-256 of the public key (RFC 7469 §2.4). */
  readonly pin: string;
}

/** The same key for the same secret, so that a printed line holds over restarts and on all processes of a platform. */
export function listenerKey(secret: Uint8Array): ListenerKey {
  const key = createPrivateKey({
    key: Buffer.concat([ed25519Private, secret]),
    format: 'der',
    type: 'pkcs8',
  });
  const publicKey = createPublicKey(key).export({ type: 'spki', format: 'der' });
  return {
    privateKey: new PrivateKey(key.export({ type: 'pkcs8', format: 'pem' }).toString()),
    publicKey,
    pin: `sha256//${hash('sha256', publicKey, 'base64')}`,
  };
}

/** curl checks the pin also where it is told not to ask authorities, who know nothing of this certificate. */
export function installCommand(line: {
  readonly platform: string;
  readonly pin: string;
  readonly token: string;
}): string {
  const { platform, pin, token } = line;
  return `curl -fsSL ${platform}${installScriptPath} --insecure --pinnedpubkey ${pin} | sh -s -- --token ${token}`;
}
