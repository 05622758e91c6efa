// A dry run: what changes would do to which nodes. They are applied to the fleet in memory and taken back before
// anything else can look.
import type { Change, FleetIndex } from '@powernode/core/compile/fleet-index';
import { type CompiledEntry, mergePatches, type Patch } from '@powernode/core/compile/patch';
import type { Plan } from '@powernode/core/intent/autonomy';
import { planChangesPerNodeMax, planNodesMax } from '@powernode/core/limits';
import { describeEntry } from './describe-entry.ts';

export function planChanges(
  fleet: FleetIndex,
  changes: readonly Change[],
  hostnameOf: (instanceId: string) => string,
): Plan {
  const reached = new Map<string, Patch>();
  const undo: (() => void)[] = [];
  try {
    for (const change of changes) {
      undo.push(inverse(fleet, change));
      const effect = fleet.apply(change);
      for (const [instanceId, patch] of effect.single) add(reached, instanceId, patch);
      for (const { instances, patch } of effect.shared) {
        for (const instanceId of instances) add(reached, instanceId, patch);
      }
    }
  } finally {
    for (const takeBack of undo.reverse()) takeBack();
  }
  const nodes = [...reached].slice(0, planNodesMax).map(([instanceId, patch]) => ({
    instance_id: instanceId,
    hostname: hostnameOf(instanceId),
    ...describePatch(patch),
  }));
  const truncated =
    reached.size > nodes.length || nodes.some((node) => node.changes_count > node.changes.length);
  return { nodes, node_count: reached.size, truncated };
}

/** Nodes beyond those that are shown are only counted. */
function add(reached: Map<string, Patch>, instanceId: string, patch: Patch): void {
  const before = reached.get(instanceId);
  if (before === undefined) reached.set(instanceId, patch);
  else if (reached.size <= planNodesMax) reached.set(instanceId, mergePatches(before, patch));
}

/** To be made before the change is applied; applies the way back. */
function inverse(fleet: FleetIndex, change: Change): () => void {
  switch (change.kind) {
    case 'network_created': {
      const { id } = change.network;
      if (fleet.network(id) !== undefined) return () => undefined;
      return () => void fleet.apply({ kind: 'network_deleted', networkId: id });
    }
    case 'network_updated': {
      const before = fleet.network(change.network.id)?.network;
      if (before === undefined) return () => undefined;
      return () => void fleet.apply({ kind: 'network_updated', network: before });
    }
    case 'network_deleted': {
      const index = fleet.network(change.networkId);
      if (index === undefined) return () => undefined;
      const { network } = index;
      const peers = [...index.peers()];
      const items = [...index.items()];
      return () => fleet.load(network, peers, items);
    }
    case 'peer_changed': {
      const { networkId } = change;
      const id = (change.after ?? change.before)?.id ?? '';
      const before = fleet.network(networkId)?.peer(id) ?? null;
      return () => void fleet.apply({ kind: 'peer_changed', networkId, before: change.after, after: before });
    }
    case 'item_changed': {
      const { networkId } = change;
      const id = (change.after ?? change.before)?.id ?? '';
      const before = fleet.network(networkId)?.item(id) ?? null;
      return () => void fleet.apply({ kind: 'item_changed', networkId, before: change.after, after: before });
    }
  }
}

type Described = Pick<Plan['nodes'][number], 'changes' | 'changes_count'>;

function describePatch(patch: Patch): Described {
  const removed = [...patch.remove].map((key) => ({ op: 'remove' as const, key, detail: `remove ${key}` }));
  const set = Array.from(patch.set.values(), (entry: CompiledEntry) => ({
    op: 'set' as const,
    key: entry.key,
    detail: describeEntry(entry.value),
  }));
  const all = [...removed, ...set];
  return { changes: all.slice(0, planChangesPerNodeMax), changes_count: all.length };
}
