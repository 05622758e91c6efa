// Runs projects of vitest, visible to a person, and counts what became of every test.
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { tool } from './gate.mjs';
import { root, state } from './places.mjs';

/**
 * @typedef {{ passed: number, failed: number, skipped: number, skips: { file: string, name: string }[] }} TestCount
 * @typedef {{ fullName: string, status: string }} ReportedTest
 * @typedef {{ name: string, status: string, assertionResults: ReportedTest[] }} ReportedFile
 * @typedef {{ success: boolean, testResults: ReportedFile[] }} Report
 */

/**
 * @param {string[]} projects
 * @param {{ args?: string[], environment?: Record<string, string> }} [options]
 * @returns {Promise<TestCount>}
 */
export async function runVitest(projects, { args = [], environment = {} } = {}) {
  const reportFile = `${state}/reports/${projects.join('-')}.json`;
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
  const count = countReport(readReport(reportFile));
  // An error outside of every test, or a run that broke off, is in no test's result.
  if (code !== 0 && count.failed === 0) count.failed = 1;
  return count;
}

/** @returns {TestCount} */
export function countReport(/** @type {Report | null} */ report) {
  /** @type {TestCount} */
  const count = { passed: 0, failed: 0, skipped: 0, skips: [] };
  for (const { name: file, status, assertionResults } of report?.testResults ?? []) {
    const failedBefore = count.failed;
    for (const test of assertionResults) {
      if (test.status === 'passed') count.passed++;
      else if (test.status === 'failed') count.failed++;
      else {
        count.skipped++;
        count.skips.push({ file: path.relative(root, file), name: test.fullName });
      }
    }
    // A file that failed before or after its tests counts as one failure of its own.
    if (status === 'failed' && count.failed === failedBefore) count.failed++;
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
