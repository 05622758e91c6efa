// What people read uses the field's words, one for each thing: the console, the command line, errors, and the docs.
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { metricNames } from '../../packages/platform/observe/metric-table.ts';
import {
  bannedInNames,
  bannedWords,
  faultsIn,
  namesOfSource,
  type Text,
  textsOfMarkdown,
  textsOfSource,
} from './words.ts';

const root = path.join(import.meta.dirname, '..', '..');
const tracked = execFileSync('git', ['ls-files'], { cwd: root, encoding: 'utf8' }).split('\n');

/** What an operator reads of the code. */
const surfaces = /^(launch|packages\/(agent|console\/src|cli|client|core|lab|platform))\//;
const notShown = /\.(test|fixture)\.(tsx?|mjs)$|\/(testing|fixtures|conformance|migrations)\/|fake-platform/;
const isProgram = (file: string) => /\.(tsx?|mjs)$/.test(file) && !notShown.test(file);
const pages = tracked.filter((file) => /^(README\.md|docs\/(README\.md|how-to\/|reference\/))/.test(file));
const sources = tracked.filter((file) => surfaces.test(file) && isProgram(file));

/** Texts about labs, whose hosts are hosts, and whose nodes are hosts, NATs and platforms. */
const aboutLabs = /^docs\/how-to\/lab\.md$|^docs\/README\.md$|^packages\/lab\/|^launch\/help\.mjs$/;

function faultsOf(file: string, texts: readonly Text[]): string[] {
  const words = aboutLabs.test(file)
    ? bannedWords.filter(({ instead }) => !/host|instance, or peer/.test(instead))
    : bannedWords;
  return texts.flatMap((text) => faultsIn(text, words)).map((fault) => `${file}:${fault}`);
}

test('pages of the docs', () => {
  expect(pages.length).toBeGreaterThan(15);
  expect(pages.flatMap((page) => faultsOf(page, textsOfMarkdown(path.join(root, page))))).toEqual([]);
});

test('texts of the console, the command line and the platform', () => {
  expect(sources.length).toBeGreaterThan(900);
  expect(sources.flatMap((file) => faultsOf(file, textsOfSource(path.join(root, file))))).toEqual([]);
});

describe('names that programs outside read', () => {
  const faults = ({ line, text }: Text) => faultsIn({ line, text }, bannedInNames);

  test('kinds of events, and the codes of fields and problems', () => {
    const named = sources.map((file) => ({ file, names: namesOfSource(path.join(root, file)) }));
    const all = new Set(named.flatMap(({ names }) => names.map(({ text }) => text)));
    for (const name of ['sdwan.drift.repaired', 'system.instance.problem_ended', 'no_ipv4_prefix']) {
      expect(all).toContain(name);
    }
    const found = named.flatMap(({ file, names }) =>
      names.flatMap(faults).map((fault) => `${file}:${fault}`),
    );
    expect(found).toEqual([]);
  });

  test('metrics', () => {
    expect(metricNames.flatMap((text) => faults({ line: 1, text }))).toEqual([]);
  });

  test('are searched for whole words between separators', () => {
    const refused = ['sdwan.drift.mended', 'powernode_drift_mended_total', 'not_told', 'no_ipv4_leg'];
    for (const text of refused) expect(faults({ line: 1, text }), text).toHaveLength(1);
    const others = ['recommended', 'sdwan.outdoors', 'legacy_filter', 'teller', 'system.picturesque'];
    for (const text of others) expect(faults({ line: 1, text }), text).toEqual([]);
  });
});

describe('the search', () => {
  const faults = (text: string) => faultsIn({ line: 1, text });

  test('finds a word and names another one', () => {
    expect(faults('Open a door')).toEqual([
      '1: "door" (write port mapping, port forwarding) in: Open a door',
    ]);
    expect(faults('Join a machine, then a node')).toHaveLength(2);
  });

  test('lets a word pass where it is the right one', () => {
    expect(faults('You need Node 20. Containers and virtual machines; the hostname.')).toEqual([]);
  });

  test('tells a word from its ordinary use', () => {
    expect(faults('is behind NAT, and two parts of it end in a LAN')).toEqual([]);
    for (const text of [
      'behind',
      'It is behind.',
      'Parts',
      'Ends',
      'The link ends in 2 h',
      'the hub is away',
    ]) {
      expect(faults(text), text).toHaveLength(1);
    }
  });

  test('reads a text of one word beside a value', () => {
    const status = path.join(root, 'packages/agent/commands/status.ts');
    expect(textsOfSource(status).map(({ text }) => text)).toContainEqual(
      expect.stringMatching(/^repaired +…/),
    );
  });

  test('sees every text of the console', () => {
    const form = path.join(root, 'packages/console/src/pages/networks/networks-page.tsx');
    const texts = textsOfSource(form).map(({ text }) => text.trim().replaceAll(/\s+/g, ' '));
    expect(texts).toContain('No networks yet');
    expect(texts).toContain(
      'A network connects instances anywhere over one encrypted prefix. Create one, then attach instances to it.',
    );
    expect(texts).not.toContain('../../parts/page.tsx');
  });
});
