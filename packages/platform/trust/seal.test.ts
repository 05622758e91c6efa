// Sealed secrets open with their key and purpose, and with nothing else; the key never shows itself.
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SealKey } from './seal.ts';
import { openSealKey } from './seal-key.ts';

const secret = Buffer.from('a private key');

describe('a seal', () => {
  test('opens for the purpose it was made for', () => {
    const { key } = SealKey.make();
    const sealed = key.seal({ purpose: 'p', secret });
    expect(key.open({ purpose: 'p', sealed })).toEqual(secret);
    expect(sealed).not.toContain(secret.toString('base64url'));
  });

  test('is another text each time', () => {
    const { key } = SealKey.make();
    expect(key.seal({ purpose: 'p', secret })).not.toBe(key.seal({ purpose: 'p', secret }));
  });

  test('does not open for another purpose, by another key, or changed in any byte', () => {
    const { key } = SealKey.make();
    const sealed = key.seal({ purpose: 'p', secret });
    expect(() => key.open({ purpose: 'q', sealed })).toThrow(/cannot be opened/);
    expect(() => SealKey.make().key.open({ purpose: 'p', sealed })).toThrow(/cannot be opened/);
    const body = Buffer.from(sealed.slice(3), 'base64url');
    for (let i = 0; i < body.length; i++) {
      const changed = Buffer.from(body);
      changed[i] = (changed[i] ?? 0) ^ 1;
      const forged = `v1.${changed.toString('base64url')}`;
      expect(() => key.open({ purpose: 'p', sealed: forged })).toThrow(/cannot be opened/);
    }
    expect(() => key.open({ purpose: 'p', sealed: 'v1.AAAA' })).toThrow(/cannot be opened/);
  });

  test('of a later version is refused by name', () => {
    expect(() => SealKey.make().key.open({ purpose: 'p', sealed: 'v2.AAAA' })).toThrow(/does not know/);
  });
});

describe('a seal key', () => {
  test('shows nothing of itself when printed, serialised or listed', () => {
    const { key, text } = SealKey.make();
    const shown = [String(key), JSON.stringify({ key }), inspect(key, { depth: 9, showHidden: true })];
    shown.push(Object.keys(key).join());
    for (const one of shown) expect(one).not.toContain(text.slice(0, 10));
    expect(JSON.stringify({ key })).toBe('{"key":"[seal key]"}');
  });

  test('of a wrong length or form is refused without being quoted', () => {
    for (const text of ['', 'short', 'A'.repeat(44), Buffer.alloc(33, 7).toString('base64')]) {
      expect(() => SealKey.parse(text, 'POWERNODE_SEAL_KEY')).toThrow(/POWERNODE_SEAL_KEY must be 32 bytes/);
      if (text.length > 5) expect(() => SealKey.parse(text, 'X')).not.toThrow(text);
    }
  });
});

describe('the key file', () => {
  let dataDir: string;
  beforeEach(async () => {
    dataDir = await mkdtemp(path.join(tmpdir(), 'powernode-seal-'));
  });
  afterEach(() => rm(dataDir, { recursive: true, force: true }));

  test('is made at the first start with mode 0600, and read by the next', async () => {
    const first = await openSealKey({ dataDir, sealKey: null });
    const { mode } = await stat(path.join(dataDir, 'seal-key'));
    expect(mode & 0o777).toBe(0o600);
    const sealed = first.seal({ purpose: 'p', secret });
    const second = await openSealKey({ dataDir, sealKey: null });
    expect(second.open({ purpose: 'p', sealed })).toEqual(secret);
  });

  test('is one and the same for processes that start at once', async () => {
    const keys = await Promise.all(Array.from({ length: 8 }, () => openSealKey({ dataDir, sealKey: null })));
    const sealed = keys[0]?.seal({ purpose: 'p', secret }) ?? '';
    for (const key of keys) expect(key.open({ purpose: 'p', sealed })).toEqual(secret);
  });

  test('is refused when others can read it', async () => {
    const file = path.join(dataDir, 'seal-key');
    await writeFile(file, SealKey.make().text, { mode: 0o640 });
    await expect(openSealKey({ dataDir, sealKey: null })).rejects.toThrow(/mode 0640.*chmod 600/);
  });

  test('gives way to the key of the configuration', async () => {
    const { key, text } = SealKey.make();
    const opened = await openSealKey({ dataDir, sealKey: text });
    expect(opened.open({ purpose: 'p', sealed: key.seal({ purpose: 'p', secret }) })).toEqual(secret);
    await expect(stat(path.join(dataDir, 'seal-key'))).rejects.toThrow(/ENOENT/);
  });
});
