// Metrics of what the platform does by itself: its periodic jobs, and what retention deletes.
import { Counter, Gauge, type Registry } from 'prom-client';
import type { JobFigures } from '../coordination/jobs.ts';
import { type MetricName, metricTable } from './metric-table.ts';

export interface CoordinationSources {
  /** Of this process. */
  readonly jobs: () => Iterable<JobFigures>;
  /** Rows that this process has deleted, by table. */
  readonly deletedRows: () => ReadonlyMap<string, number>;
}

export function registerCoordinationMetrics(registry: Registry, sources: CoordinationSources): void {
  const options = (name: MetricName) => ({
    name,
    help: metricTable[name].help,
    labelNames: [...metricTable[name].labels],
    registers: [registry],
  });
  new Counter({
    ...options('powernode_job_runs_total'),
    collect() {
      this.reset();
      for (const { name: job, succeeded, failed } of sources.jobs()) {
        this.inc({ job, outcome: 'succeeded' }, succeeded);
        this.inc({ job, outcome: 'failed' }, failed);
      }
    },
  });
  new Gauge({
    ...options('powernode_job_last_success_timestamp_seconds'),
    collect() {
      this.reset();
      for (const { name: job, lastSuccessMs } of sources.jobs())
        if (lastSuccessMs !== null) this.set({ job }, lastSuccessMs / 1000);
    },
  });
  new Counter({
    ...options('powernode_retention_deleted_rows_total'),
    collect() {
      this.reset();
      for (const [table, count] of sources.deletedRows()) this.inc({ table }, count);
    },
  });
}
