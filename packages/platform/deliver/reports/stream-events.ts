// Events of streams that the platform itself ended.
import type { Logger } from 'pino';
import { type EventBus, publishEvents } from '../../events/event-bus.ts';
import { writeEvents } from '../../events/write-events.ts';
import type { Store } from '../../store/open-store.ts';
import { inAccount } from '../../store/tenancy.ts';
import type { Clock } from '../../trust/clock.ts';
import { makeEvent, type NodeEvent } from '../../trust/node-events.ts';
import type { NodeState } from '../nodes/node-state.ts';
import { type Measure, measureSentences } from '../stream/budget.ts';

export interface StreamEventParts {
  readonly store: Pick<Store, 'db'>;
  readonly bus: EventBus;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Logger;
}

/** A machine that cost too much, and has to stay away so long. */
export interface Limited {
  readonly measure: Measure;
  readonly pauseMs: number;
}

export function limitedMessage({ measure, pauseMs }: Limited): string {
  const seconds = Math.ceil(pauseMs / 1000);
  return `Its stream was closed because it sent ${measureSentences[measure]}; it may reconnect after ${seconds} s. It keeps forwarding. The cause is a fault or a compromise.`;
}

export async function writeLimited(
  parts: StreamEventParts,
  node: NodeState,
  limited: Limited,
): Promise<void> {
  await write(parts, node, {
    kind: 'system.instance.stream_limited',
    severity: 'warning',
    payload: {
      measure: limited.measure,
      pause_seconds: Math.ceil(limited.pauseMs / 1000),
      detail: limitedMessage(limited),
    },
  });
}

/** A second machine came with the identity of this one, and was refused. */
export interface Duplicate {
  readonly refusedAddress: string;
}

export function duplicateMessage({ refusedAddress }: Duplicate): string {
  return `Another system, at ${refusedAddress}, connected with the identity of this instance (a cloned disk?) and was refused. On it, run "powernode agent join --anew --token TOKEN" with a new join token to make it an instance of its own. If you did not clone this instance, its key was copied: terminate it and join it again.`;
}

export async function writeDuplicate(
  parts: StreamEventParts,
  node: NodeState,
  duplicate: Duplicate,
): Promise<void> {
  await write(parts, node, {
    kind: 'system.instance.duplicate_identity',
    severity: 'error',
    payload: { refused_address: duplicate.refusedAddress, detail: duplicateMessage(duplicate) },
  });
}

export async function writeAlone(parts: StreamEventParts, node: NodeState): Promise<void> {
  await write(parts, node, {
    kind: 'system.instance.duplicate_identity_ended',
    severity: 'info',
    payload: { detail: 'No other system has used the identity of this instance for a while.' },
  });
}

async function write(
  { store, bus, clock, log }: StreamEventParts,
  node: NodeState,
  { kind, severity, payload }: Pick<NodeEvent, 'kind' | 'severity' | 'payload'>,
): Promise<void> {
  const { accountId, instanceId, hostname } = node;
  // The platform saw it; the machine did not say it.
  const draft = makeEvent(clock, {
    accountId,
    kind,
    severity,
    instance: null,
    payload: { node_instance_id: instanceId, hostname, ...payload },
  });
  try {
    publishEvents(bus, await inAccount(store, accountId, (trx) => writeEvents(trx, [draft])));
  } catch (error) {
    log.warn({ err: error, instanceId, kind }, 'an event of a stream is lost');
  }
}
