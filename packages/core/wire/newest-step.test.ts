// The frames of the newest step are derived from the schemas for as long as no release has that step; those of earlier
// steps are literals that nothing writes. `POWERNODE_WRITE=1` writes the file anew.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { newestCapability } from './capability.ts';
import { newestStep } from './newest-step.fixture.ts';
import { pinnedFile, pinnedStep } from './pinned.fixture.ts';

const biome = path.join(import.meta.dirname, '../../../node_modules/.bin/biome');

test('the newest step shows every kind, member, list and code of today', () => {
  const derived = newestStep();
  if (process.env['POWERNODE_WRITE'] === '1') {
    const file = pinnedFile(newestCapability);
    writeFileSync(file, JSON.stringify(derived));
    execFileSync(biome, ['format', '--write', file]);
  }
  expect(pinnedStep(newestCapability), 'stale: run this file with POWERNODE_WRITE=1').toEqual(derived);
});
