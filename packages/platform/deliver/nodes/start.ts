// What is known of each node at a start: what it should have, what it last applied, and what may lead there.
import { formatDigest } from '@powernode/core/compile/digest';
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
  const lastReached = new Map<string, number>();
  const steps = new Map<string, Step[]>();
  const reach = (instanceId: string, step: Step, sequence: number) => {
    lastReached.set(instanceId, sequence);
    const list = steps.get(instanceId);
    if (list === undefined) steps.set(instanceId, [step]);
    else list.push(step);
  };
  for (const { sequence, effect } of effects) {
    for (const { instances, patch } of effect.shared) {
      const step = sharedStep(patch);
      for (const instanceId of instances) reach(instanceId, step, sequence);
    }
    for (const [instanceId, patch] of effect.single) reach(instanceId, ownStep(patch), sequence);
  }
  for (const row of loaded.instances) {
    const node = nodeFromRow(row, {
      fleet,
      lastReached: lastReached.get(row.id) ?? null,
      sequence: loaded.sequences.get(row.account_id) ?? 0,
    });
    for (const step of steps.get(row.id) ?? []) node.history.push(step);
    nodes.set(row.id, node);
  }
}

export function nodeFromRow(
  row: InstanceFacts,
  known: { readonly fleet: FleetIndex; readonly lastReached: number | null; readonly sequence: number },
): NodeState {
  const hash = known.fleet.digest(row.id);
  const applied =
    row.applied_revision === null || row.applied_hash === null
      ? null
      : { revision: row.applied_revision, hash: row.applied_hash };
  return new NodeState({
    instanceId: row.id,
    accountId: row.account_id,
    hostname: row.hostname,
    desiredRevision: desiredRevision({ hash, applied, ...known }),
    digest: BigInt(`0x${hash}`),
    applied,
    lastHeartbeatMs: row.last_heartbeat_at?.getTime() ?? null,
    subsystems: row.subsystems,
  });
}

/** The last change that reached it; the newest of its account where that is not known. */
function desiredRevision(known: {
  readonly hash: string;
  readonly applied: { readonly revision: number; readonly hash: string } | null;
  readonly lastReached: number | null;
  readonly sequence: number;
}): number {
  if (known.applied?.hash === known.hash) return known.applied.revision;
  if (known.lastReached !== null) return known.lastReached;
  return known.applied === null && known.hash === nothing ? 0 : known.sequence;
}

const nothing = formatDigest(0n);
