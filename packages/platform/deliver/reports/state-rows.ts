// Writes what nodes have applied, when they were last heard, and how their parts are: one statement for a batch.
// Returns the nodes that do not belong to the fleet any more: the message about that may have been lost between
// processes.
import type { AccountId } from '@powernode/core/ids';
import { sql, type Transaction } from 'kysely';
import type { Database } from '../../store/tables.ts';
import type { NodeState } from '../nodes/node-state.ts';

export async function writeStates(
  trx: Transaction<Database>,
  { accountId, nodes }: { readonly accountId: AccountId; readonly nodes: readonly NodeState[] },
): Promise<NodeState[]> {
  const values = nodes.map((node) => ({
    id: node.instanceId,
    applied_revision: node.applied?.revision,
    applied_hash: node.applied?.hash,
    last_heartbeat_at: node.lastHeartbeatMs === null ? undefined : new Date(node.lastHeartbeatMs),
    subsystems: node.subsystems === node.storedSubsystems ? undefined : node.subsystems,
  }));
  const { rows } = await sql<{ id: string }>`
    update instances i
    set applied_revision = coalesce(v.applied_revision, i.applied_revision),
        applied_hash = coalesce(v.applied_hash, i.applied_hash),
        last_heartbeat_at = coalesce(v.last_heartbeat_at, i.last_heartbeat_at),
        subsystems = coalesce(v.subsystems, i.subsystems)
    from jsonb_to_recordset(${JSON.stringify(values)}::jsonb) as v(
      id uuid, applied_revision bigint, applied_hash text, last_heartbeat_at timestamptz, subsystems jsonb)
    where i.id = v.id and i.account_id = ${accountId} and i.terminated_at is null
    returning i.id
  `.execute(trx);
  const present = new Set(rows.map((row) => row.id));
  return nodes.filter((node) => !present.has(node.instanceId));
}
