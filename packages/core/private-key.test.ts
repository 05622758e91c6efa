// A private key is in nothing that is printed or serialised.
import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { PrivateKey } from './private-key.ts';

const text = 'cHJpdmF0ZQ==';

test('is in no text that is made of it', () => {
  const key = new PrivateKey(text);
  const within = { own: { key } };
  expect(`${String(key)} ${inspect(within, { depth: 9, showHidden: true })}`).not.toContain(text);
  expect(() => JSON.stringify(within)).toThrow(TypeError);
  expect(Object.entries(key)).toEqual([]);
  expect(key.reveal()).toBe(text);
});

test('equals another one of the same text, and no other', () => {
  const key = new PrivateKey(text);
  expect(key.equals(new PrivateKey(text))).toBe(true);
  for (const other of ['', `${text}=`, text.slice(1), text.toLowerCase(), `${text}${text}`]) {
    expect(key.equals(new PrivateKey(other)), other).toBe(false);
    expect(new PrivateKey(other).equals(key), other).toBe(false);
  }
});
