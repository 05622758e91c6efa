// Which tests exist: `quick` needs no network, no root and no database, `db` a database that it brings, `browser` a
// browser, and `net` root and the network tools, alone on the machine.
import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

const quick = ['packages/**/*.test.ts', 'suites/taste/**/*.test.ts', 'launch/**/*.test.mjs'];
const browser = 'packages/console/browser/**/*.e2e.test.ts';
const slow = ['packages/**/*.db.test.ts', 'packages/**/*.net.test.ts', 'packages/**/*.e2e.test.ts'];

/**
 * The services of an overlay in a lab of eleven machines: about ten minutes on two cores that do nothing else, and so
 * not a part of `npm test`. `POWERNODE_SERVICES=1 npx vitest run --project net suites/e2e/services` runs them.
 */
const onDemand = ['suites/e2e/services/**'];
const services = process.env['POWERNODE_SERVICES'] === '1' ? [] : onDemand;

export default defineConfig({
  test: {
    // More than the processors of a small machine: tests with a database or a browser wait more than they work.
    maxWorkers: Math.max(3, availableParallelism() - 1),
    // No limits on speed: they end what would never end.
    expect: { poll: { timeout: 30_000 } },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'quick',
          include: quick,
          exclude: [...slow, '**/node_modules/**'],
          environment: 'node',
          // Modules are read once for many files: none of them keeps anything that another one could meet.
          isolate: false,
        },
      },
      {
        extends: true,
        test: {
          name: 'db',
          globalSetup: ['packages/platform/store/test-cluster.ts'],
          include: ['packages/**/*.db.test.ts', 'suites/db/**/*.test.ts'],
          exclude: ['**/node_modules/**'],
        },
      },
      {
        extends: true,
        test: {
          name: 'browser',
          globalSetup: ['packages/console/browser/build.ts'],
          include: [browser],
          exclude: ['**/node_modules/**'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'net',
          include: [
            'packages/**/*.net.test.ts',
            'packages/**/*.e2e.test.ts',
            'suites/{e2e,docs}/**/*.test.ts',
          ],
          exclude: ['**/node_modules/**', browser, ...services],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          fileParallelism: false,
          // After all others, alone.
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
