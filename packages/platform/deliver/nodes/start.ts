// What is known of each node at a start: what it should have, what it last applied, and what may lead there.
import type { FleetIndex } from '@powernode/core/compile/fleet-index';
import type { InstanceFacts, Loaded } from '../load.ts';
import { ownStep, sharedStep } from './history.ts';
import { NodeState } from './node-state.ts';
import type { Replayed } from './replay.ts';

export interface StartParts {
  readonly fleet: FleetIndex;
  readonly effects: Replayed['effects'];
  readonly loaded: Pick<Loaded, 'instances' | 'sequences'>;
}

export function fillNodes(nodes: Map<string, NodeState>, { fleet, effects, loaded }: StartParts): void {
  for (const row of loaded.instances) {
    nodes.set(row.id, nodeFromRow(row, { fleet, sequence: loaded.sequences.get(row.account_id) ?? 0 }));
  }
  for (const effect of effects) {
    for (const { instances, patch } of effect.shared) {
      const step = sharedStep(patch);
      for (const instanceId of instances) nodes.get(instanceId)?.history.push(step);
    }
    for (const [instanceId, patch] of effect.single) nodes.get(instanceId)?.history.push(ownStep(patch));
  }
}

/** `sequence`: of the account's newest change. */
export function nodeFromRow(
  row: InstanceFacts,
  { fleet, sequence }: { readonly fleet: FleetIndex; readonly sequence: number },
): NodeState {
  const hash = fleet.digest(row.id);
  const applied =
    row.applied_revision === null || row.applied_hash === null
      ? null
      : { revision: row.applied_revision, hash: row.applied_hash };
  return new NodeState({
    instanceId: row.id,
    accountId: row.account_id,
    hostname: row.hostname,
    // Which change was the last to reach it is not kept; its document is that of the newest one as well.
    desiredRevision: applied?.hash === hash ? applied.revision : sequence,
    digest: BigInt(`0x${hash}`),
    applied,
    lastHeartbeatMs: row.last_heartbeat_at?.getTime() ?? null,
    subsystems: row.subsystems,
  });
}
