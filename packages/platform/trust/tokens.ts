// Making, reading and digesting of the platform's tokens. Only digests are stored; who a token speaks for is
// decided where it is used.
import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { joinTokenShape } from '@powernode/core/wire/enrolment';

/** 256 bits: nobody guesses it, so a plain digest is enough and no slow one is needed. */
const secretBytes = 32;
const apiTokenShape = /^pnt_[A-Za-z0-9_-]{43}$/;
const bootstrapTokenShape = /^pnb_[A-Za-z0-9_-]{43}$/;

/** A new token with the digest to store. The token is shown once. */
export interface MadeToken {
  readonly token: string;
  readonly digest: string;
}

export function makeApiToken(): MadeToken {
  const token = `pnt_${randomBytes(secretBytes).toString('base64url')}`;
  return { token, digest: digestOfToken(token) };
}

/** The digest to look an API token up by; null when the text is none. */
export function apiTokenDigest(text: string): string | null {
  return apiTokenShape.test(text) ? digestOfToken(text) : null;
}

/** The secret part of a bootstrap URL. */
export function makeBootstrapToken(): MadeToken {
  const token = `pnb_${randomBytes(secretBytes).toString('base64url')}`;
  return { token, digest: digestOfToken(token) };
}

/** The digest to look an access grant up by; null when the text is no secret of one. */
export function bootstrapTokenDigest(text: string): string | null {
  return bootstrapTokenShape.test(text) ? digestOfToken(text) : null;
}

/** `fingerprint`: of the authority's certificate, by which the machine knows the platform. */
export function makeJoinToken(fingerprint: string): MadeToken {
  const secret = randomBytes(secretBytes).toString('base64url');
  return { token: `pnj_${secret}_${fingerprint}`, digest: digestOfToken(secret) };
}

export interface JoinToken {
  /** Of the secret part: what join_tokens.digest holds. */
  readonly digest: string;
  readonly fingerprint: string;
}

export function parseJoinToken(text: string): JoinToken | null {
  const match = joinTokenShape.exec(text);
  const [, secret, fingerprint] = match ?? [];
  if (secret === undefined || fingerprint === undefined) return null;
  return { digest: digestOfToken(secret), fingerprint };
}

/** A text that is kept or shown again, with `instead` for each of the tokens of any kind that are in it. */
export function withoutTokens(text: string, instead = '(shown once)'): string {
  return text.replaceAll(/pn[tjb]_[A-Za-z0-9_-]{43}(?:_[0-9a-f]{64})?/g, instead);
}

/** SHA-256 in hex. */
export function digestOfToken(token: string): string {
  return hash('sha256', token);
}

/** Equality that takes the same time wherever two digests first differ. */
export function sameDigest(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}
