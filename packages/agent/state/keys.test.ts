// Keys: that they are WireGuard's, stay private, and end when nobody uses them.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { documentOf, hashOf, hubDocument } from '../fixtures/documents.ts';
import { freshFolder } from '../fixtures/folder.ts';
import { FakeClock } from '../ports/clock.fixture.ts';
import type { Held } from './current-document.ts';
import { KeyKeeper } from './key-keeper.ts';
import { derivePublicKey, KeyStore } from './keys.ts';

function hasWg(): boolean {
  try {
    execFileSync('wg', ['--version']);
    return true;
  } catch {
    return false;
  }
}

describe('keys', () => {
  test('are made until enough are unused, and only the new ones are told', () => {
    const keys = new KeyStore(freshFolder());
    const made = keys.topUp(3);
    expect(new Set(made).size).toBe(3);
    expect(keys.topUp(3)).toEqual([]);
    keys.use(made[0] ?? '');
    expect(keys.topUp(3)).toHaveLength(1);
    expect(keys.unused()).not.toContain(made[0]);
  });

  test('have private halves that fit, in files that only their owner can read', () => {
    const keys = new KeyStore(freshFolder());
    for (const publicKey of keys.topUp(20)) {
      const file = keys.privateKeyFile(publicKey);
      const text = readFileSync(file, 'utf8');
      expect(text).toMatch(/^[A-Za-z0-9+/]{43}=\n$/);
      expect(derivePublicKey(Buffer.from(text, 'base64'))).toBe(publicKey);
      expect(statSync(file).mode & 0o777).toBe(0o600);
      expect(statSync(path.dirname(file)).mode & 0o777).toBe(0o700);
    }
  });

  test.skipIf(!hasWg())('are the ones that WireGuard’s own tool derives', () => {
    const keys = new KeyStore(freshFolder());
    for (const publicKey of keys.topUp(5)) {
      const input = readFileSync(keys.privateKeyFile(publicKey));
      expect(execFileSync('wg', ['pubkey'], { input, encoding: 'utf8' }).trim()).toBe(publicKey);
    }
  });

  test('are the same after a restart, used ones and unused ones', () => {
    const folder = freshFolder();
    const keys = new KeyStore(folder);
    const [first = '', ...rest] = keys.topUp(30);
    keys.use(first);
    // What a crash left half written.
    writeFileSync(folder.at('keys/unused/half.draft'), 'x');
    const again = new KeyStore(folder);
    expect(again.unused().sort()).toEqual(rest.sort());
    expect(again.used()).toEqual([first]);
    expect(again.privateKeyFile(first)).toBe(keys.privateKeyFile(first));
  });

  test('that are not here are named in the complaint', () => {
    const keys = new KeyStore(freshFolder());
    expect(() => keys.privateKeyFile('AAAA')).toThrow(/public key AAAA, whose private half is not in/);
  });
});

describe('a key that no document names any more', () => {
  function heldWith(publicKey: string): Held {
    const entries = documentOf(hubDocument(1, publicKey));
    return { revision: 1, hash: hashOf(entries), entries };
  }

  function situation() {
    const folder = freshFolder();
    const store = new KeyStore(folder);
    const clock = new FakeClock();
    const keeper = new KeyKeeper({ store, clock });
    const [first = '', second = ''] = keeper.tend(null, 4);
    keeper.tend(heldWith(first), 4);
    const files = () => readdirSync(folder.at('keys/used')).length;
    return { keeper, clock, first, second, files };
  }

  test('is deleted after a while', async () => {
    const { keeper, clock, first, second, files } = situation();
    const next = heldWith(second);
    expect(keeper.tend(next, 4)).toHaveLength(1);
    keeper.retireLater(() => next);
    await clock.advance(59_000);
    expect(files()).toBe(2);
    await clock.advance(1_000);
    expect(files()).toBe(1);
    expect(keeper.unused()).not.toContain(first);
  });

  test('is kept when it is named again in time, or when the machine does not equal the document', async () => {
    const { keeper, clock, first, second, files } = situation();
    keeper.tend(heldWith(second), 4);
    let inForce: Held | null = heldWith(second);
    keeper.retireLater(() => inForce);
    inForce = heldWith(first);
    await clock.advance(61_000);
    expect(files()).toBe(2);
    inForce = heldWith(second);
    keeper.retireLater(() => inForce);
    inForce = null;
    await clock.advance(61_000);
    expect(files()).toBe(2);
  });

  test('is kept a while since it was last named, not since it was first left out', async () => {
    const { keeper, clock, first, second, files } = situation();
    let inForce = heldWith(second);
    const apply = (held: Held) => {
      inForce = held;
      keeper.tend(held, 4);
      keeper.retireLater(() => inForce);
    };
    apply(heldWith(second));
    await clock.advance(30_000);
    apply(heldWith(first));
    await clock.advance(25_000);
    apply(heldWith(second));
    await clock.advance(59_000);
    expect(files()).toBe(2);
    await clock.advance(61_000);
    expect(files()).toBe(1);
  });

  test('is deleted without another document when it was left out while another key waited', async () => {
    const { keeper, clock, second, files } = situation();
    let inForce = heldWith(second);
    keeper.tend(inForce, 4);
    keeper.retireLater(() => inForce);
    await clock.advance(30_000);
    inForce = heldWith(keeper.unused()[0] ?? '');
    keeper.tend(inForce, 4);
    keeper.retireLater(() => inForce);
    expect(files()).toBe(3);
    await clock.advance(30_000);
    expect(files()).toBe(2);
    await clock.advance(60_000);
    expect(files()).toBe(1);
  });
});
