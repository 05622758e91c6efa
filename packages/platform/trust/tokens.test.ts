// Tokens have the shapes that were promised, and guessing them is limited.
import { createHash } from 'node:crypto';
import { authFailuresPerMinuteMax, guessSourcesMax } from '@powernode/core/limits/requests';
import { describe, expect, test } from 'vitest';
import { GuessLimit } from './guess-limit.ts';
import {
  apiTokenDigest,
  bootstrapTokenDigest,
  makeApiToken,
  makeBootstrapToken,
  makeJoinToken,
  parseJoinToken,
  sameDigest,
  withoutTokens,
} from './tokens.ts';

const fingerprint = 'ab'.repeat(32);
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

describe('tokens', () => {
  test('of the API are pnt_ and 43 characters, known by their SHA-256', () => {
    const { token, digest } = makeApiToken();
    expect(token).toMatch(/^pnt_[A-Za-z0-9_-]{43}$/);
    expect(digest).toBe(sha256(token));
    expect(apiTokenDigest(token)).toBe(digest);
    for (const text of ['', token.slice(1), `${token}x`, ` ${token}`])
      expect(apiTokenDigest(text)).toBeNull();
  });

  test('for joining carry the fingerprint, and are known by the SHA-256 of their secret part', () => {
    const { token, digest } = makeJoinToken(fingerprint);
    const [, secret] = /^pnj_([A-Za-z0-9_-]{43})_((?:ab){32})$/.exec(token) ?? [];
    expect(digest).toBe(sha256(secret ?? ''));
    expect(parseJoinToken(token)).toEqual({ digest, fingerprint });
    expect(parseJoinToken(token.slice(0, -1))).toBeNull();
  });

  test('of bootstrap URLs are pnb_ and 43 characters, known by their SHA-256', () => {
    const { token, digest } = makeBootstrapToken();
    expect(token).toMatch(/^pnb_[A-Za-z0-9_-]{43}$/);
    expect(digest).toBe(sha256(token));
    expect(bootstrapTokenDigest(token)).toBe(digest);
    for (const text of ['', token.slice(1), `${token}x`, makeApiToken().token])
      expect(bootstrapTokenDigest(text)).toBeNull();
  });

  test('of every kind are found in a text that must not keep them', () => {
    const [api, join, bootstrap] = [makeApiToken(), makeJoinToken(fingerprint), makeBootstrapToken()];
    const text = JSON.stringify({
      command: `join --token ${join.token}`,
      url: `x#${bootstrap.token}`,
      api: api.token,
    });
    expect(withoutTokens(text)).toBe(
      '{"command":"join --token (shown once)","url":"x#(shown once)","api":"(shown once)"}',
    );
  });

  test('are never made twice, and compare by their digests', () => {
    expect(makeApiToken().digest).not.toBe(makeApiToken().digest);
    expect(sameDigest(fingerprint, fingerprint)).toBe(true);
    expect(sameDigest(fingerprint, `${fingerprint.slice(1)}0`)).toBe(false);
    expect(sameDigest(fingerprint, '')).toBe(false);
  });
});

describe('the limit on guesses', () => {
  test('stops a source after so many failures, and lets it try again after a minute', () => {
    let now = 0;
    const limit = new GuessLimit(() => now);
    for (let i = 0; i < authFailuresPerMinuteMax; i++) {
      limit.failed('192.0.2.1');
      limit.check('192.0.2.1');
    }
    limit.failed('192.0.2.1');
    expect(() => limit.check('192.0.2.1')).toThrow(/Too many/);
    expect(() => limit.check('192.0.2.2')).not.toThrow();
    now = 60_000;
    expect(() => limit.check('192.0.2.1')).not.toThrow();
  });

  test('takes a whole /64 for one source', () => {
    const limit = new GuessLimit(() => 0);
    for (let i = 0; i <= authFailuresPerMinuteMax; i++) limit.failed(`2001:db8::${i.toString(16)}`);
    expect(() => limit.check('2001:db8::ffff')).toThrow(/Too many/);
    expect(() => limit.check('2001:db8:0:1::1')).not.toThrow();
  });

  test('remembers a bounded number of sources', () => {
    const limit = new GuessLimit(() => 0);
    for (let i = 0; i <= authFailuresPerMinuteMax; i++) limit.failed('first');
    for (let i = 0; i < guessSourcesMax; i++) limit.failed(`source ${i}`);
    expect(() => limit.check('first')).not.toThrow();
  });
});
