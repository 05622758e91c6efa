// The failover controller of a running platform: its ports are the database, the event bus, the machine's clock and
// delivery.
import type { InstanceId } from '@powernode/core/ids';
import type { Logger } from 'pino';
import type { StoredLeadership } from '../../coordination/stored-leadership.ts';
import type { SystemParts } from '../../coordination/system-actor.ts';
import type { Delivery } from '../../deliver/delivery-port.ts';
import { systemClock } from '../../trust/clock.ts';
import { FailoverController } from './controller.ts';
import { storedFailoverRows } from './stored-rows.ts';

export interface OpenFailoverParts extends Omit<SystemParts, 'services'> {
  /** They are made with this controller among them. */
  readonly services: () => SystemParts['services'];
  readonly delivery: Delivery;
  readonly leadership: StoredLeadership;
  /** Under which the leadership knows this process. */
  readonly processId: string;
  readonly log: Logger;
}

export function openFailover(parts: OpenFailoverParts): FailoverController {
  const { bus, delivery, log, leadership, processId } = parts;
  const clock = systemClock;
  const hostnameOf = (instanceId: InstanceId) => delivery.node(instanceId)?.hostname ?? instanceId;
  const rows = storedFailoverRows({ ...parts, hostnameOf });
  return new FailoverController({ rows, bus, clock, nodes: delivery, leadership, processId, log });
}
