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
  const { evaluated, note } = undisturbed(costs);
  const toLast = evaluated.map((cost) => cost.commitToLastMs);
  report.add({
    bench,
    what: `commit to the last machine, p50 of ${evaluated.length}, ${label}`,
    value: percentile(toLast, 0.5),
    unit: 'ms',
    beside: byPolling,
  });
  report.add({
    bench,
    what: `commit to the last machine, p99 of ${evaluated.length}, ${label}`,
    value: percentile(toLast, 0.99),
    unit: 'ms',
    beside: { what: 'whole documents', value: whole.toLastMs },
    target: { value: 250, better: 'lower' },
    ...(note === null ? {} : { note }),
  });
  report.add({
    bench,
    what: `request to the last machine, p50 of ${evaluated.length}, ${label}`,
    value: median(evaluated.map((cost) => cost.requestToLastMs)),
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

/** Wall time says something of the platform while other programs have no more of the machine than this. */
const quietShare = 0.1;
/** Fewer have no percentiles worth the name; then all are evaluated, whatever disturbed them. */
const quietMin = 20;

/** By what others did, never by how long the change took. */
function undisturbed(costs: readonly ChangeCost[]): {
  readonly evaluated: readonly ChangeCost[];
  readonly note: string | null;
} {
  const quiet = costs.filter((cost) => cost.othersShare < quietShare);
  if (quiet.length === costs.length) return { evaluated: costs, note: null };
  const share = (mean(costs.map((cost) => cost.othersShare)) * 100).toFixed(0);
  if (quiet.length < quietMin) {
    return { evaluated: costs, note: `other programs had ${share} % of the machine meanwhile` };
  }
  const all = percentile(
    costs.map((cost) => cost.commitToLastMs),
    0.99,
  );
  const less = `less than ${quietShare * 100} %`;
  const note = `other programs had ${share} % of the machine meanwhile; these are the changes with ${less}, of all ${costs.length}: ${all.toFixed(0)} ms`;
  return { evaluated: quiet, note };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}
