// The WireGuard keys of this machine: made here, kept here, one file each, so that `wg` can read the private half
// by its path and it never stands in an argument. Only public halves leave this file.
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { ProductError } from '@powernode/core/errors';
import { PrivateKey } from '@powernode/core/private-key';
import type { StateFolder } from './folder.ts';

const unusedFolder = 'keys/unused';
const usedFolder = 'keys/used';
/** PKCS #8 of an X25519 private key (RFC 8410 §7) up to the 32 bytes of the key itself. */
const pkcs8Head = Buffer.from('302e020100300506032b656e04220420', 'hex');

export class KeyStore {
  readonly #folder: StateFolder;
  readonly #unused = new Set<string>();
  readonly #used = new Set<string>();

  constructor(folder: StateFolder) {
    this.#folder = folder;
    folder.prepare(unusedFolder);
    folder.prepare(usedFolder);
    for (const file of folder.list(unusedFolder)) if (isKeyFile(file)) this.#unused.add(publicKeyOf(file));
    for (const file of folder.list(usedFolder)) if (isKeyFile(file)) this.#used.add(publicKeyOf(file));
  }

  /** Public halves that no document has named yet. */
  unused(): string[] {
    return [...this.#unused];
  }

  /** Public halves that a document has named. */
  used(): string[] {
    return [...this.#used];
  }

  /** Makes keys until so many are unused; returns the new public halves. They are on disk when this returns. */
  topUp(target: number): string[] {
    const made: string[] = [];
    while (this.#unused.size < target) {
      const pair = makeKeyPair();
      this.#keep(pair);
      made.push(pair.publicKey);
    }
    return made;
  }

  /** Keeps keys that were made before there was a folder for them. */
  keep(pairs: readonly KeyPair[]): void {
    for (const pair of pairs) this.#keep(pair);
  }

  #keep({ publicKey, privateKey }: KeyPair): void {
    this.#folder.write(`${unusedFolder}/${fileOf(publicKey)}`, `${privateKey.reveal()}\n`);
    this.#unused.add(publicKey);
  }

  /** A document names this key: it is no longer published. */
  use(publicKey: string): void {
    if (!this.#unused.has(publicKey)) return;
    this.#folder.move(`${unusedFolder}/${fileOf(publicKey)}`, `${usedFolder}/${fileOf(publicKey)}`);
    this.#unused.delete(publicKey);
    this.#used.add(publicKey);
  }

  /** Deletes the private half of a key that was used and is not any more: forward secrecy begins here. */
  retire(publicKey: string): void {
    if (this.#used.delete(publicKey)) this.#folder.remove(`${usedFolder}/${fileOf(publicKey)}`);
  }

  /** Where the private half is, for `wg` to read. */
  privateKeyFile(publicKey: string): string {
    const folder = this.#used.has(publicKey) ? usedFolder : this.#unused.has(publicKey) ? unusedFolder : null;
    if (folder !== null) return this.#folder.at(`${folder}/${fileOf(publicKey)}`);
    throw new ProductError(
      'not_found',
      `The document names public key ${publicKey}, whose private half is not in ${this.#folder.at('keys')}. ` +
        'Rotate the key of this peer, or join again.',
    );
  }
}

/** Base64 with `/` and `+` replaced, so that a key can name a file. */
function fileOf(publicKey: string): string {
  return publicKey.replaceAll('/', '_').replaceAll('+', '-');
}

function publicKeyOf(file: string): string {
  return file.replaceAll('_', '/').replaceAll('-', '+');
}

/** What a crash left half written has another ending. */
function isKeyFile(file: string): boolean {
  return /^[A-Za-z0-9_-]{43}=$/.test(file);
}

/** Both halves, in base64. */
export interface KeyPair {
  readonly publicKey: string;
  readonly privateKey: PrivateKey;
}

export function makeKeyPair(): KeyPair {
  const { privateKey } = generateKeyPairSync('x25519');
  const bytes = privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(pkcs8Head.length);
  return { publicKey: derivePublicKey(bytes), privateKey: new PrivateKey(bytes.toString('base64')) };
}

/** The public half of 32 private bytes, as `wg pubkey` prints it. */
export function derivePublicKey(privateBytes: Buffer): string {
  const key = createPrivateKey({
    key: Buffer.concat([pkcs8Head, privateBytes]),
    format: 'der',
    type: 'pkcs8',
  });
  return createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32).toString('base64');
}
