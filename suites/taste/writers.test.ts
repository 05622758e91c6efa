// Tables that one file writes: whoever else changes them calls its functions, so that each change has the same columns
// and its event.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

const root = path.join(import.meta.dirname, '..', '..');
const sources = execFileSync('git', ['ls-files', 'packages/platform/**/*.ts'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => file !== '' && !/\.(test|fixture)\.ts$|\/migrations\//.test(file));

/** The table, and the file that writes it. */
const written = [['approvals', 'packages/platform/actions/gate/approvals.ts']] as const;

test.each(written)('rows of %s are written in %s alone', (table, writer) => {
  const statement = new RegExp(
    `(insertInto|updateTable|deleteFrom)\\('${table}'\\)|(insert\\s+into|update|delete\\s+from)\\s+${table}\\b`,
  );
  const writers = sources.filter((file) => statement.test(readFileSync(path.join(root, file), 'utf8')));
  expect(writers, `change rows of ${table} by a function of ${writer}`).toEqual([writer]);
});
