// Sealing of secrets at rest: AES-256-GCM under the platform's one sealing key. Tokens are not sealed, they are
// digested (tokens.ts).
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { ProductError } from '@powernode/core/errors';

const version = 'v1';
const keyBytes = 32;
/** NIST SP 800-38D: 96 bits, random. Far fewer than 2^32 seals are ever made under one key. */
const nonceBytes = 12;
const tagBytes = 16;

/** A secret and what it is for. A sealed text opens for the purpose that it was sealed for and for no other. */
export interface Sealing {
  readonly purpose: string;
  readonly secret: Uint8Array;
}

/** The sealing key. It cannot be printed, compared or serialised; it only seals and opens. */
export class SealKey {
  readonly #key: Buffer;

  /** Base64 of 32 bytes. `source` names where it came from in errors, which never show the key. */
  static parse(text: string, source: string): SealKey {
    const trimmed = text.trim();
    const key = Buffer.from(trimmed, 'base64');
    if (!/^[A-Za-z0-9+/]{43}=$/.test(trimmed) || key.length !== keyBytes) {
      throw new ProductError(
        'invalid_configuration',
        `${source} must be 32 bytes in base64 (44 characters), as "openssl rand -base64 32" prints them.`,
      );
    }
    return new SealKey(key);
  }

  /** A new key and its text, for the one file that keeps it. */
  static make(): { readonly key: SealKey; readonly text: string } {
    const bytes = randomBytes(keyBytes);
    return { key: new SealKey(bytes), text: bytes.toString('base64') };
  }

  private constructor(key: Buffer) {
    this.#key = key;
  }

  seal({ purpose, secret }: Sealing): string {
    const nonce = randomBytes(nonceBytes);
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce, { authTagLength: tagBytes });
    cipher.setAAD(boundTo(purpose));
    const sealed = Buffer.concat([nonce, cipher.update(secret), cipher.final(), cipher.getAuthTag()]);
    return `${version}.${sealed.toString('base64url')}`;
  }

  open({ purpose, sealed }: { readonly purpose: string; readonly sealed: string }): Buffer {
    const [found, body = ''] = sealed.split('.', 2);
    if (found !== version) {
      throw new ProductError(
        'invalid_configuration',
        `The stored secret "${purpose}" is sealed in a form that this version does not know. Start the version of the platform that wrote it, or a later one.`,
      );
    }
    const bytes = Buffer.from(body, 'base64url');
    if (bytes.length < nonceBytes + tagBytes) throw cannotOpen(purpose);
    const decipher = createDecipheriv('aes-256-gcm', this.#key, bytes.subarray(0, nonceBytes), {
      authTagLength: tagBytes,
    });
    decipher.setAAD(boundTo(purpose));
    decipher.setAuthTag(bytes.subarray(bytes.length - tagBytes));
    try {
      return Buffer.concat([
        decipher.update(bytes.subarray(nonceBytes, bytes.length - tagBytes)),
        decipher.final(),
      ]);
    } catch (cause) {
      throw cannotOpen(purpose, cause);
    }
  }

  toString(): string {
    return '[seal key]';
  }
  toJSON(): string {
    return '[seal key]';
  }
  [inspect.custom](): string {
    return '[seal key]';
  }
}

function boundTo(purpose: string): Buffer {
  return Buffer.from(`powernode/seal/${version}/${purpose}`);
}

function cannotOpen(purpose: string, cause?: unknown): ProductError {
  return new ProductError(
    'invalid_configuration',
    `The stored secret "${purpose}" cannot be opened: the sealing key is not the one that sealed it, or the stored text was changed. Start with the key that this database was set up with: POWERNODE_SEAL_KEY, or the file seal-key in the data directory of the platform that was first on it. All platforms of one DATABASE_URL need the same.`,
    { cause },
  );
}
