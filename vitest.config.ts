// Which tests exist: `quick` needs no network, no root and no database; `full` adds everything else.
import { defineConfig } from 'vitest/config';

const quick = ['packages/**/*.test.ts', 'suites/taste/**/*.test.ts', 'launch/**/*.test.mjs'];
const slow = ['packages/**/*.db.test.ts', 'packages/**/*.net.test.ts', 'packages/**/*.e2e.test.ts'];

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'quick',
          include: quick,
          exclude: [...slow, '**/node_modules/**'],
          environment: 'node',
        },
      },
      {
        test: {
          name: 'db',
          globalSetup: ['packages/platform/store/test-cluster.ts'],
          include: ['packages/**/*.db.test.ts', 'suites/db/**/*.test.ts'],
          exclude: ['**/node_modules/**'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'net',
          include: [
            'packages/**/*.net.test.ts',
            'packages/**/*.e2e.test.ts',
            'suites/{e2e,docs}/**/*.test.ts',
          ],
          exclude: ['**/node_modules/**'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
