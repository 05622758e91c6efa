// A file that failed beside others is run once more with nothing beside it. Its tests wait for machines, namespaces and
// browsers on few processors, and a run of all of them must not end for the sake of one that was starved. What fails
// twice has failed; what failed once is named at the end of the run, because such a test or its product has a fault.
import { countReport, runVitest } from './vitest.mjs';

/** @typedef {import('./vitest.mjs').TestRun} TestRun */

/** Failed files of all runs together; with more of them something is broken, and no second try would say otherwise. */
const filesAtMost = 6;

/**
 * @param {TestRun[]} runs
 * @param {{ environment: Record<string, string>, run?: typeof runVitest }} options
 * @returns {Promise<{ runs: TestRun[], failedOnce: import('./vitest.mjs').FailedTest[] }>}
 */
export async function tryAgain(runs, { environment, run = runVitest }) {
  const all = runs.flatMap(failedFiles);
  if (all.length === 0 || all.length > filesAtMost) return { runs, failedOnce: [] };
  /** @type {TestRun[]} */
  const settled = [];
  const failedOnce = [];
  for (const first of runs) {
    const files = failedFiles(first);
    if (files.length === 0 || first.report === null) {
      settled.push(first);
      continue;
    }
    const second = await run(first.projects, {
      args: ['--no-file-parallelism', ...files],
      environment,
      name: `${first.projects.join('-')}-again`,
    });
    settled.push(replaceFiles(first, first.report, second));
    failedOnce.push(
      ...first.failures.filter(
        ({ file, name }) => !second.failures.some((again) => again.file === file && again.name === name),
      ),
    );
  }
  return { runs: settled, failedOnce };
}

/** @returns {string[]} */
function failedFiles(/** @type {TestRun} */ { failures }) {
  // A run that broke off names no file.
  return [...new Set(failures.map(({ file }) => file).filter((file) => file !== ''))];
}

/** @returns {TestRun} */
function replaceFiles(
  /** @type {TestRun} */ first,
  /** @type {import('./vitest.mjs').Report} */ report,
  /** @type {TestRun} */ second,
) {
  const tried = new Set((second.report?.testResults ?? []).map(({ name }) => name));
  const kept = countReport({
    ...report,
    testResults: report.testResults.filter(({ name }) => !tried.has(name)),
  });
  return {
    projects: first.projects,
    report,
    passed: kept.passed + second.passed,
    failed: kept.failed + second.failed,
    skipped: kept.skipped + second.skipped,
    skips: [...kept.skips, ...second.skips],
    failures: [...kept.failures, ...second.failures],
  };
}
