// What is shown of many changes of one kind.
import { percentile, type Report } from '../report.ts';
import type { ChangeCost } from './changes.ts';

export const bench = 'deliver';
export const pollEveryMs = 30_000;
const byPolling = {
  what: `polling every ${pollEveryMs / 1000} s, mean of one machine`,
  value: pollEveryMs / 2,
};

/** What it takes to send the same machines their whole document. */
export interface Whole {
  readonly toLastMs: number;
  readonly bytesEach: number;
  readonly processorMs: number;
}

export interface Sample {
  readonly costs: readonly ChangeCost[];
  /** Who was affected, in words. */
  readonly label: string;
}

export function showLargeChanges(report: Report, sample: Sample, whole: Whole): void {
  const { costs, label } = sample;
  const toLast = costs.map((cost) => cost.commitToLastMs);
  report.add({
    bench,
    what: `commit to the last machine, p50 of ${costs.length}, ${label}`,
    value: percentile(toLast, 0.5),
    unit: 'ms',
    beside: byPolling,
  });
  report.add({
    bench,
    what: `commit to the last machine, p99 of ${costs.length}, ${label}`,
    value: percentile(toLast, 0.99),
    unit: 'ms',
    beside: { what: 'whole documents', value: whole.toLastMs },
    target: { value: 250, better: 'lower' },
    note: othersNote(costs),
  });
  report.add({
    bench,
    what: `request to the last machine, p50 of ${costs.length}, ${label}`,
    value: median(costs.map((cost) => cost.requestToLastMs)),
    unit: 'ms',
    beside: byPolling,
  });
  report.add({
    bench,
    what: `bytes to each affected machine, ${label}`,
    value: mean(costs.map((cost) => cost.bytesPerAffected)),
    unit: 'B',
    beside: { what: 'whole documents', value: whole.bytesEach },
  });
  report.add({
    bench,
    what: `processor time of the platform per change, ${label}`,
    value: median(costs.map((cost) => cost.processorMs)),
    unit: 'ms',
    beside: { what: 'whole documents', value: whole.processorMs },
    note: `and of the database ${median(costs.map((cost) => cost.databaseMs)).toFixed(1)} ms`,
  });
  showOthers(report, sample);
}

export function showSmallChanges(report: Report, sample: Sample): void {
  const { costs, label } = sample;
  report.add({
    bench,
    what: `commit to the last machine, slowest of ${costs.length}, ${label}`,
    value: Math.max(...costs.map((cost) => cost.commitToLastMs)),
    unit: 'ms',
    beside: byPolling,
    note: `processor time of the platform ${median(costs.map((cost) => cost.processorMs)).toFixed(1)} ms each`,
  });
  showOthers(report, sample);
}

function showOthers(report: Report, { costs, label }: Sample): void {
  report.add({
    bench,
    what: `bytes to all others by ${costs.length} changes, ${label}`,
    value: costs.reduce((sum, cost) => sum + cost.bytesToOthers, 0),
    unit: 'B',
    target: { value: 1, better: 'lower' },
  });
}

/** A machine is undisturbed while other programs have less of it than this. */
const quietShare = 0.05;

function othersNote(costs: readonly ChangeCost[]): string {
  const share = mean(costs.map((cost) => cost.othersShare));
  const said = `other programs had ${(share * 100).toFixed(0)} % of the machine meanwhile`;
  if (share < quietShare) return said;
  const quiet = costs.filter((cost) => cost.othersShare < quietShare).map((cost) => cost.commitToLastMs);
  if (quiet.length < costs.length / 5) return `${said}, and hardly ever less than ${quietShare * 100} %`;
  const slowest = percentile(quiet, 0.99).toFixed(0);
  return `${said}; p99 of the ${quiet.length} changes with less than ${quietShare * 100} %: ${slowest} ms`;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}
