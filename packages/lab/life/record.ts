// A lab that is open: its record with the plan worked out, and the places of its parts.
import { ProductError } from '@powernode/core/errors';
import type { HostPlace } from '../fleet/agent.ts';
import type { PlatformPlace } from '../fleet/platform.ts';
import { hostOf, type LabPlan, planLab, platformNamed } from '../plan/plan.ts';
import { type LabRecord, readRecord, writeRecord } from '../stage/folder.ts';

export interface OpenLab {
  record: LabRecord;
  readonly plan: LabPlan;
  /** The last write of the record: the next one comes after it. */
  written: Promise<void>;
}

export function openRecord(record: LabRecord): OpenLab {
  return { record, plan: planLab(record.spec, record.public), written: Promise.resolve() };
}

export async function openLab(name: string): Promise<OpenLab> {
  const record = await readRecord(name);
  if (record === null) throw new ProductError('not_found', `there is no lab "${name}"`);
  return openRecord(record);
}

export async function changeRecord(lab: OpenLab, change: Partial<LabRecord>): Promise<void> {
  lab.record = { ...lab.record, ...change };
  lab.written = lab.written.then(() => writeRecord(lab.record));
  await lab.written;
}

export function platformPlace(lab: OpenLab, name: string): PlatformPlace {
  const platform = platformNamed(lab.plan, name);
  return { plan: lab.plan, name: platform.name, port: lab.record.ports[name] ?? 0 };
}

export function hostPlace(lab: OpenLab, name: string): HostPlace {
  return { plan: lab.plan, name: hostOf(lab.plan, name).name };
}

/** Whether the name is one of a platform; otherwise it is one of a host or a NAT, or of nothing. */
export function isPlatform(lab: OpenLab, name: string): boolean {
  return lab.plan.platforms.some((platform) => platform.name === name);
}
