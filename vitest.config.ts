// Which tests exist: `quick` needs no network, no root and no database, `db` a database that it brings, `browser` a
// browser, and `net`, `labs`, `timers` and `alone` root and the network tools. A file of these waits more than it works, so
// that one of `net` and one of `labs` run at a time; two of `labs` would be more machines than two processors carry. Those
// of `timers` run beside `browser`. Nothing runs beside `alone`: a path there counts as dead after half a second, which a
// starved machine takes to answer.
import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

const quick = ['packages/**/*.test.ts', 'suites/{simulation,taste}/**/*.test.ts', 'launch/**/*.test.mjs'];
const browser = ['packages/console/browser/**/*.e2e.test.ts', 'suites/browser/**/*.test.ts'];
const slow = ['packages/**/*.db.test.ts', 'packages/**/*.net.test.ts', 'packages/**/*.e2e.test.ts'];

/**
 * Fresh systems that cost too much for every run: the demo on a Debian 13 (400 packages, then all dependencies), one that
 * boots with systemd in an emulator, and arm64, whose emulator is no part of what the tests need. The install line on
 * Debian 12 is in every run. `POWERNODE_INSTALL=1 npx vitest run --project net suites/e2e/install` runs all of them.
 */
const fresh = process.env['POWERNODE_INSTALL'] === '1' ? [] : ['suites/e2e/install/{arm64,demo,systemd}.*'];

/** Files with ten machines and more, or that keep the processors busy all the time; and some that take minutes, so that
 * both kinds take about as long. */
const labs = [
  'suites/e2e/presence/**/*.test.ts',
  'suites/e2e/{chaos.e2e,explain-kernel.net,underlay.e2e}.test.ts',
  'packages/agent/{anycast,failover,rogue-bgpd,routing,two-networks}.net.test.ts',
  'packages/{agent/subsystems/frr,core/routing}/*.net.test.ts',
  'suites/docs/{commands,screenshots}.e2e.test.ts',
];
/** Files that hardly work: minutes pass until timers of the product run out. */
const timers = ['packages/agent/confirm.net.test.ts'];
/** Files in which paths die and others take over, or in which not a packet may be lost. */
const alone = ['suites/e2e/{routing,services,window}/**/*.test.ts'];
/** One file at a time, after all others. */
const oneByOne = {
  testTimeout: 180_000,
  hookTimeout: 300_000,
  fileParallelism: false,
  sequence: { groupOrder: 1 },
};

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
          // As above: it is a third of their processor time.
          isolate: false,
        },
      },
      {
        extends: true,
        test: {
          name: 'browser',
          globalSetup: ['packages/console/browser/build.ts'],
          include: browser,
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
          exclude: ['**/node_modules/**', ...browser, ...fresh, ...labs, ...timers, ...alone],
          ...oneByOne,
        },
      },
      {
        extends: true,
        test: {
          name: 'labs',
          include: labs,
          exclude: ['**/node_modules/**'],
          ...oneByOne,
        },
      },
      {
        extends: true,
        test: {
          name: 'timers',
          include: timers,
          exclude: ['**/node_modules/**'],
          ...oneByOne,
        },
      },
      {
        extends: true,
        test: {
          name: 'alone',
          include: alone,
          exclude: ['**/node_modules/**'],
          ...oneByOne,
        },
      },
    ],
  },
});
