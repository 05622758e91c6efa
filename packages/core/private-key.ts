// A private key that does not get out by accident: it prints as a placeholder, does not serialise, and is compared in
// constant time. Its text is taken out where it goes into TLS or into the one file that keeps it, and nowhere else.

export class PrivateKey {
  readonly #text: string;

  /** `text`: as it is kept, in PEM or base64. */
  constructor(text: string) {
    this.#text = text;
  }

  /** The text itself: for TLS, and for a file that only its owner can read. */
  reveal(): string {
    return this.#text;
  }

  /** In a time that depends on the lengths alone. */
  equals(other: PrivateKey): boolean {
    const [a, b] = [this.#text, other.#text];
    let differs = a.length ^ b.length;
    for (let i = 0; i < a.length; i++) differs |= a.charCodeAt(i) ^ b.charCodeAt(i % Math.max(1, b.length));
    return differs === 0;
  }

  toString(): string {
    return placeholder;
  }

  toJSON(): never {
    throw new TypeError('a private key is not to be serialised');
  }

  /** What Node.js prints of it. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return placeholder;
  }
}

const placeholder = '[private key]';
