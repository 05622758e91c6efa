// Machines, join tokens and events as the outside sees them.
import type { Event, Instance, joinToken } from '@powernode/core/intent/fleet';
import { byWeight, nodeProblemTable } from '@powernode/core/wire/node-problems';
import type { Selectable } from 'kysely';
import type { z } from 'zod';
import type { MakerLoss } from '../../access/maker-rights.ts';
import type { Database } from '../../store/tables.ts';
import { statusOfOnce, stored, timeOfMs, timeOrNull } from '../accounts/present.ts';
import type { ActionContext } from '../context.ts';
import type { InstanceRow } from '../sdwan/rows.ts';
import { showProblem } from './problems.ts';

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
      ...presenceOf(context, row),
      platform_version: context.services.platformVersion,
      agent_version: row.agent_version,
      last_heartbeat_at: timeOrNull(heartbeat),
      applied_revision: delivery.appliedRevision,
      desired_revision: delivery.desiredRevision,
      in_sync:
        delivery.appliedHash === delivery.desiredHash &&
        !row.problems.some(({ code }) => code === 'change_rolled_back'),
      observed_address: row.observed_address,
      publicly_reachable: row.publicly_reachable,
      unused_keys: unusedOf.get(row.id) ?? 0,
      certificate_expires_at: timeOrNull(row.certificate_expires_at),
      tags: row.tags,
      subsystems: subsystemsOf(row),
      problems: row.problems.toSorted(byWeight).map(showProblem),
    };
  });
}

/** The parts as they last were, and what is wrong with one for what it says. */
function subsystemsOf({ subsystems, problems }: Pick<InstanceRow, 'subsystems' | 'problems'>) {
  const shown = new Map(subsystems.map((part) => [part.name, part]));
  // The worst of each part comes last, and so is the one that is shown.
  for (const problem of problems.toSorted(byWeight).toReversed()) {
    const { severity } = nodeProblemTable[problem.code];
    shown.set(problem.subsystem, {
      name: problem.subsystem,
      state: severity === 'error' ? 'failed' : 'degraded',
      message: problem.detail,
      observed_at: problem.since,
    });
  }
  return [...shown.values()];
}

function presenceOf(
  context: ActionContext,
  row: InstanceRow,
): Pick<Instance, 'offline_since' | 'last_heard_at' | 'last_heard_by'> {
  const nothing = {
    offline_since: null,
    last_heard_at: timeOrNull(row.last_heartbeat_at),
    last_heard_by: null,
  };
  if (row.terminated_at !== null) return nothing;
  const { offlineSinceMs, lastHeardMs, lastHeardBy } = context.services.deliverer.instancePresence(row.id);
  return {
    offline_since: timeOfMs(offlineSinceMs),
    last_heard_at: timeOfMs(lastHeardMs),
    last_heard_by:
      lastHeardBy === null
        ? null
        : {
            kind: lastHeardBy.peerId === null ? 'platform' : 'peer',
            peer_id: lastHeardBy.peerId,
            name: lastHeardBy.name,
          },
  };
}

export async function showInstance(context: ActionContext, row: InstanceRow): Promise<Instance> {
  const [instance] = await showInstances(context, [row]);
  if (instance === undefined) throw new Error('a machine that was just read is not shown');
  return instance;
}

export function showJoinToken(row: JoinTokenRow, now: Date, loss: MakerLoss): z.output<typeof joinToken> {
  return {
    ...stored(row),
    name_hint: row.name_hint,
    tags: row.tags,
    status: statusOfOnce(row, now, loss),
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
