// Which tables of iptables-legacy the kernel lists.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { legacyTablesOf } from './legacy-tables.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'powernode-legacy-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('a table of filters may drop packets, others do not [9.27]', () => {
  expect(legacyTablesOf(folder)).toEqual([]);
  writeFileSync(path.join(folder, 'ip_tables_names'), 'nat\nmangle\n');
  expect(legacyTablesOf(folder)).toEqual([]);
  writeFileSync(path.join(folder, 'ip6_tables_names'), 'filter\n');
  expect(legacyTablesOf(folder)).toEqual([6]);
  writeFileSync(path.join(folder, 'ip_tables_names'), 'nat\nfilter\n');
  expect(legacyTablesOf(folder)).toEqual([4, 6]);
});
