// Runs projects of vitest, visible to a person, and counts what became of every test.
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { tool } from './gate.mjs';
import { root, state } from './places.mjs';

/**
 * @typedef {{ file: string, name: string }} NamedTest
 * @typedef {NamedTest & { message: string }} FailedTest
 * @typedef {{ passed: number, failed: number, skipped: number, skips: NamedTest[], failures: FailedTest[] }} TestCount
 * @typedef {{ fullName: string, status: string, failureMessages?: string[] }} ReportedTest
 * @typedef {{ name: string, status: string, message?: string, assertionResults: ReportedTest[] }} ReportedFile
 * @typedef {{ success: boolean, testResults: ReportedFile[] }} Report
 * @typedef {TestCount & { projects: string[], report: Report | null }} TestRun
 */

/** Lines of a failure that are said again at the end of a run. */
const messageLines = 12;

/**
 * @param {string[]} projects
 * @param {{ args?: string[], environment?: Record<string, string>, name?: string }} [options] `name` of the report's file
 * @returns {Promise<TestRun>}
 */
export async function runVitest(projects, { args = [], environment = {}, name = projects.join('-') } = {}) {
  const reportFile = `${state}/reports/${name}.json`;
  mkdirSync(path.dirname(reportFile), { recursive: true });
  rmSync(reportFile, { force: true });
  // What Node makes of sources is kept for the programs that tests start again and again.
  const cache = `${state}/compile-cache`;
  const child = spawn(
    tool('vitest'),
    [
      'run',
      ...projects.map((project) => `--project=${project}`),
      '--passWithNoTests',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${reportFile}`,
      ...args,
    ],
    {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { NODE_COMPILE_CACHE: cache, ...process.env, ...environment },
    },
  );
  const code = await new Promise((resolve) => {
    child.once('error', () => resolve(1));
    child.once('close', resolve);
  });
  const report = readReport(reportFile);
  const count = countReport(report);
  // An error outside of every test, or a run that broke off, is in no test's result.
  if (code !== 0 && count.failed === 0) {
    count.failed = 1;
    count.failures.push({
      file: '',
      name: `(the run of ${projects.join(' and ')})`,
      message: `vitest ended with ${code}`,
    });
  }
  return { ...count, projects, report };
}

/** @returns {TestCount} */
export function countReport(/** @type {Report | null} */ report) {
  /** @type {TestCount} */
  const count = { passed: 0, failed: 0, skipped: 0, skips: [], failures: [] };
  for (const { name, status, message, assertionResults } of report?.testResults ?? []) {
    const file = path.relative(root, name);
    const fail = (/** @type {string} */ test, /** @type {string} */ text) => {
      count.failed++;
      count.failures.push({ file, name: test, message: text.split('\n').slice(0, messageLines).join('\n') });
    };
    const failedBefore = count.failed;
    for (const test of assertionResults) {
      if (test.status === 'passed') count.passed++;
      else if (test.status === 'failed') fail(test.fullName, (test.failureMessages ?? []).join('\n'));
      else {
        count.skipped++;
        count.skips.push({ file, name: test.fullName });
      }
    }
    // A file that failed before or after its tests counts as one failure of its own.
    if (status === 'failed' && count.failed === failedBefore) fail('(outside of its tests)', message ?? '');
  }
  return count;
}

/** @returns {Report | null} */
function readReport(/** @type {string} */ file) {
  try {
    /** @type {Report} */
    const report = JSON.parse(readFileSync(file, 'utf8'));
    return report;
  } catch {
    return null;
  }
}
