// The failover controller of a running platform: its ports are the database, the event bus, the machine's clock and
// delivery.
import type { Logger } from 'pino';
import { v7 as uuidv7 } from 'uuid';
import { onlyProcess, storedLeadership } from '../../coordination/stored-leadership.ts';
import type { SystemParts } from '../../coordination/system-actor.ts';
import type { Delivery } from '../../deliver/delivery.ts';
import { systemClock } from '../../trust/clock.ts';
import { FailoverController } from './controller.ts';
import { storedFailoverRows } from './stored-rows.ts';

export interface OpenFailoverParts extends Omit<SystemParts, 'services'> {
  /** They are made with this controller among them. */
  readonly services: () => SystemParts['services'];
  readonly delivery: Delivery;
  /** Other processes may be at the same database. */
  readonly isShared: boolean;
  readonly log: Logger;
}

export function openFailover(parts: OpenFailoverParts): FailoverController {
  const { store, bus, delivery, log, isShared } = parts;
  const processId = uuidv7();
  const clock = systemClock;
  const leadership = isShared ? storedLeadership({ store, clock, log, processId }) : onlyProcess();
  const hostnameOf = (instanceId: string) => delivery.node(instanceId)?.hostname ?? instanceId;
  const rows = storedFailoverRows({ ...parts, leadership, hostnameOf });
  return new FailoverController({ rows, bus, clock, nodes: delivery, leadership, processId, log });
}
