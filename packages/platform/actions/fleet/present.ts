// Machines, join tokens and events as the outside sees them.
import type { Event, Instance, joinToken } from '@powernode/core/intent/fleet';
import type { Selectable } from 'kysely';
import type { z } from 'zod';
import type { Database } from '../../store/tables.ts';
import { statusOfOnce, stored, timeOrNull } from '../accounts/present.ts';
import type { ActionContext } from '../context.ts';
import type { InstanceRow } from '../sdwan/rows.ts';

export type JoinTokenRow = Selectable<Database['join_tokens']>;
export type EventRow = Selectable<Database['events']>;

export async function showInstances(
  context: ActionContext,
  rows: readonly InstanceRow[],
): Promise<Instance[]> {
  if (rows.length === 0) return [];
  const keys = await context.trx
    .selectFrom('node_keys')
    .select((eb) => ['instance_id', eb.fn.countAll<number>().as('unused')])
    .where('account_id', '=', context.accountId)
    .where(
      'instance_id',
      'in',
      rows.map((row) => row.id),
    )
    .where('taken_at', 'is', null)
    .groupBy('instance_id')
    .execute();
  const unusedOf = new Map(keys.map((row) => [row.instance_id, row.unused]));
  return rows.map((row) => {
    const delivery = context.services.deliverer.nodeDelivery(row.id);
    const heartbeat = later(delivery.lastHeartbeatAt, row.last_heartbeat_at);
    return {
      ...stored(row),
      hostname: row.hostname,
      status: row.status,
      provider: row.provider,
      connected: delivery.connected,
      platform_version: context.services.platformVersion,
      agent_version: row.agent_version,
      last_heartbeat_at: timeOrNull(heartbeat),
      applied_revision: delivery.appliedRevision,
      desired_revision: delivery.desiredRevision,
      in_sync: delivery.appliedHash === delivery.desiredHash,
      observed_address: row.observed_address,
      publicly_reachable: row.publicly_reachable,
      unused_keys: unusedOf.get(row.id) ?? 0,
      certificate_expires_at: timeOrNull(row.certificate_expires_at),
      tags: row.tags,
      subsystems: row.subsystems,
    };
  });
}

export async function showInstance(context: ActionContext, row: InstanceRow): Promise<Instance> {
  const [instance] = await showInstances(context, [row]);
  if (instance === undefined) throw new Error('a machine that was just read is not shown');
  return instance;
}

export function showJoinToken(row: JoinTokenRow, now: Date): z.output<typeof joinToken> {
  return {
    ...stored(row),
    name_hint: row.name_hint,
    tags: row.tags,
    status: statusOfOnce(row, now),
    expires_at: row.expires_at.toISOString(),
    used_at: timeOrNull(row.used_at),
    instance_id: row.instance_id,
  };
}

export function showEvent(row: EventRow): Event {
  return {
    id: row.id,
    account_id: row.account_id,
    kind: row.kind,
    severity: row.severity,
    at: row.at.toISOString(),
    actor: row.actor,
    correlation_id: row.correlation_id,
    payload: row.payload,
  };
}

function later(a: Date | null, b: Date | null): Date | null {
  if (a === null || b === null) return a ?? b;
  return a > b ? a : b;
}
