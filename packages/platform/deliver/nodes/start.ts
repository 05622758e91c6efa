// What is known of each node at a start: what it should have, what it last applied, and what may lead there.
import type { FleetIndex } from '@powernode/core/compile/fleet-index';
import type { InstanceFacts, Loaded } from '../load.ts';
import { ownStep, sharedStep, type Step } from './history.ts';
import { NodeState } from './node-state.ts';
import type { Replayed } from './replay.ts';

export interface StartParts {
  readonly fleet: FleetIndex;
  readonly effects: Replayed['effects'];
  readonly loaded: Pick<Loaded, 'instances' | 'sequences'>;
}

export function fillNodes(nodes: Map<string, NodeState>, { fleet, effects, loaded }: StartParts): void {
  const steps = new Map<string, Step[]>();
  const reach = (instanceId: string, step: Step) => {
    const list = steps.get(instanceId);
    if (list === undefined) steps.set(instanceId, [step]);
    else list.push(step);
  };
  for (const effect of effects) {
    for (const { instances, patch } of effect.shared) {
      const step = sharedStep(patch);
      for (const instanceId of instances) reach(instanceId, step);
    }
    for (const [instanceId, patch] of effect.single) reach(instanceId, ownStep(patch));
  }
  for (const row of loaded.instances) {
    const node = nodeFromRow(row, { fleet, sequence: loaded.sequences.get(row.account_id) ?? 0 });
    for (const step of steps.get(row.id) ?? []) node.history.push(step);
    nodes.set(row.id, node);
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
