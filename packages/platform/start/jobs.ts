// The periodic jobs of a platform that belong to no part of it: what time ends, what is warned of, and what is deleted.

import {
  auditFirstMs,
  auditIntervalMs,
  operationsLookMs,
  retentionFirstMs,
  retentionIntervalMs,
} from '@powernode/core/limits/coordination';
import { approvalSweepMs, wayInSweepMs } from '@powernode/core/limits/requests';
import type { Logger } from 'pino';
import { warnOfLastWayIn } from '../access/last-way-in.ts';
import { expireApprovals } from '../actions/autonomy/expire.ts';
import type { Services } from '../actions/context.ts';
import { productOperations } from '../actions/operation-kinds.ts';
import { PeriodicAudit } from '../autonomy/audit/periodic-audit.ts';
import { exclusively } from '../coordination/exclusive.ts';
import { type JobFigures, JobRunner } from '../coordination/jobs.ts';
import type { Leadership } from '../coordination/leadership.ts';
import { OperationRunner } from '../coordination/operations/runner.ts';
import type { Retention } from '../coordination/retention/purge.ts';
import { type EventBus, publishEvents } from '../events/event-bus.ts';
import type { Store } from '../store/open-store.ts';
import { inPlatform } from '../store/tenancy.ts';
import { systemClock } from '../trust/clock.ts';

export interface PlatformJobParts {
  readonly store: Store;
  readonly bus: EventBus;
  readonly services: Services;
  readonly log: Logger;
  readonly leadership: Pick<Leadership, 'leads'>;
  readonly retention: Retention;
}

export interface PlatformJobs {
  figures(): readonly JobFigures[];
  /** Nothing is begun any more; what is under way comes to the next point at which it loses nothing. */
  stop(): Promise<void>;
}

/** Processes of one platform that began together do not all ask the database at the same moment. */
const jitter = 0.1;

export function startPlatformJobs(parts: PlatformJobParts): PlatformJobs {
  const { store, bus, log, leadership, retention } = parts;
  const { now } = parts.services;
  const jobs = new JobRunner({
    clock: systemClock,
    log,
    random: Math.random,
    leader: {
      leads: () => leadership.leads(),
      exclusively: (name, work) => exclusively(store, name, work),
    },
  });
  jobs.add({
    name: 'approvals',
    intervalMs: approvalSweepMs,
    jitter,
    runsOn: 'leader',
    run: async () => void (await expireApprovals({ store, bus, now })),
  });
  jobs.add({
    name: 'ways_in',
    intervalMs: wayInSweepMs,
    jitter,
    firstMs: 0,
    runsOn: 'leader',
    run: () => warnOfWaysIn(parts),
  });
  jobs.add({
    name: 'retention',
    intervalMs: retentionIntervalMs,
    jitter,
    firstMs: retentionFirstMs,
    runsOn: 'leader',
    run: async (stopping) => void (await retention.run(stopping)),
  });
  const audit = addAudit(jobs, parts);
  const operations = addOperations(jobs, parts);
  return {
    figures: () => jobs.figures(),
    stop: async () => {
      audit.close();
      await jobs.stop();
      await operations.stop();
    },
  };
}

function addAudit(jobs: JobRunner, parts: PlatformJobParts): PeriodicAudit {
  const name = 'policy_audit';
  const audit = new PeriodicAudit({ ...parts, clock: systemClock, wake: () => jobs.wake(name) });
  jobs.add({
    name,
    intervalMs: auditIntervalMs,
    jitter,
    firstMs: auditFirstMs,
    runsOn: 'leader',
    run: (stopping) => audit.run(stopping),
  });
  return audit;
}

/** What is begun or cancelled in any process is looked at here at once, where there is room for it. */
function addOperations(jobs: JobRunner, parts: PlatformJobParts): { readonly stop: () => Promise<void> } {
  const name = 'operations';
  const wake = () => jobs.wake(name);
  const runner = new OperationRunner({
    ...parts,
    kinds: productOperations,
    clock: systemClock,
    random: Math.random,
    wake,
  });
  jobs.add({
    name,
    intervalMs: operationsLookMs,
    jitter,
    runsOn: 'every_process',
    run: (stopping) => runner.look(stopping),
  });
  const unsubscribe = parts.bus.subscribe((message) => {
    if (message.kind === 'event' && wakingEvents.has(message.event.kind)) wake();
  });
  return {
    stop: () => {
      unsubscribe();
      return runner.idle();
    },
  };
}

const wakingEvents: ReadonlySet<string> = new Set([
  'system.operation.queued',
  'system.operation.cancel_requested',
]);

/** Accounts whose last owner's token is about to expire. */
async function warnOfWaysIn({ store, bus, log, services }: PlatformJobParts): Promise<void> {
  const events = await inPlatform(store, (trx) => warnOfLastWayIn(trx, services.now()));
  for (const { account_id, payload } of events)
    log.warn({ account_id, ...payload }, 'the last way in expires');
  publishEvents(bus, events);
}
