// Whole documents, written down and read by a person: what the compiler gives to whom, and not only that its fast and
// its naive form agree. Lines at the top of a file that begin with # say what it shows; the rest is compared.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { EntryValue } from '../../wire/document.ts';
import { compileNaively } from '../naive.ts';
import { NetworkIndex } from '../network-index.ts';
import { type GoldenCase, goldenCases } from './cases.fixture.ts';
import { renderDocument, renderGiven } from './render.fixture.ts';

const update = 'POWERNODE_GOLDEN=write npx vitest run --project quick packages/core/compile/golden';
const isUpdate = process.env['POWERNODE_GOLDEN'] === 'write';
const pathOf = (name: string) => path.join(import.meta.dirname, `${name}.txt`);

type Compile = (one: GoldenCase, instanceId: string) => Iterable<EntryValue>;

const fast: Compile = ({ network, peers, items }, instanceId) =>
  new NetworkIndex(network, peers, items).compile(instanceId).map((entry) => entry.value);
const naive: Compile = (one, instanceId) => compileNaively([one], instanceId).values();

function rendered(one: GoldenCase, compile: Compile): string {
  const { network, peers, self } = one;
  const instanceId = peers.find((peer) => peer.id === self)?.instanceId;
  if (instanceId === undefined) throw new Error(`${one.name}: there is no peer ${self}`);
  const document = renderDocument(network, compile(one, instanceId));
  return `${renderGiven(one)}\n\ndocument of ${self}\n\n${document}\n`;
}

/** The comment at the top of a file, and the rest. */
function readGolden(name: string): { readonly head: string; readonly body: string } {
  const text = existsSync(pathOf(name)) ? readFileSync(pathOf(name), 'utf8') : '';
  const [, head = '', body = ''] = /^((?:#.*\n)*)\n?([^]*)$/.exec(text) ?? [];
  return { head, body };
}

test.each(goldenCases)('$name', (one) => {
  const text = rendered(one, fast);
  const { head, body } = readGolden(one.name);
  if (isUpdate) writeFileSync(pathOf(one.name), `${head}\n${text}`);
  else expect(text, `${one.name}.txt differs. Read the difference; when it is meant: ${update}`).toBe(body);
  expect(head, `${one.name}.txt says at its top what it shows`).toMatch(/^# \S/);
});

test('the naive compiler gives the same documents', () => {
  for (const one of goldenCases) expect(rendered(one, naive), one.name).toBe(rendered(one, fast));
});

test('every file is that of a case', () => {
  const files = readdirSync(import.meta.dirname).filter((file) => file.endsWith('.txt'));
  expect(files.sort()).toEqual(goldenCases.map(({ name }) => `${name}.txt`).sort());
});
