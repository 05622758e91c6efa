// A key pair of WireGuard (X25519), made by the browser. The private half is returned to the page and goes nowhere else.

export interface KeyPair {
  readonly publicKey: string;
  readonly privateKey: string;
}

/** Why this browser cannot make one. */
export type Obstacle = 'insecure' | 'outdated';

export async function makeKeyPair(): Promise<KeyPair | Obstacle> {
  if (!window.isSecureContext || crypto.subtle === undefined) return 'insecure';
  try {
    const pair = await crypto.subtle.generateKey({ name: 'X25519' }, true, ['deriveBits']);
    const publicBytes = await crypto.subtle.exportKey('raw', pair.publicKey);
    // PKCS #8 of X25519 (RFC 8410) ends with the 32 bytes of the key.
    const privateBytes = (await crypto.subtle.exportKey('pkcs8', pair.privateKey)).slice(-32);
    return { publicKey: base64(publicBytes), privateKey: base64(privateBytes) };
  } catch {
    return 'outdated';
  }
}

function base64(bytes: ArrayBuffer): string {
  return btoa(String.fromCharCode(...new Uint8Array(bytes)));
}
