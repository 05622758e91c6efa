// A dry run: what changes would do to which nodes. They are applied to the fleet in memory and reverted before
// anything else can look.

import type { Delta } from '@powernode/core/compile/deltas';
import { describeEntry } from '@powernode/core/compile/entry-kinds';
import type { Change, FleetIndex } from '@powernode/core/compile/fleet-index';
import type { Impact } from '@powernode/core/compile/impact';
import type { ObjectChange } from '@powernode/core/compile/object-change';
import { type CompiledEntry, mergePatches, type Patch } from '@powernode/core/compile/patch';
import type { InstanceId } from '@powernode/core/ids';
import type { Plan } from '@powernode/core/intent/autonomy';
import { planChangesPerNodeMax, planNodesMax } from '@powernode/core/limits/requests';

export function planChanges(
  fleet: FleetIndex,
  changes: readonly Change[],
  hostnameOf: (instanceId: InstanceId) => string,
): Plan {
  const reached = new Map<InstanceId, Patch>();
  tryOut(fleet, changes, (impact) => {
    for (const [instanceId, patch] of impact.single) add(reached, instanceId, patch);
    for (const { instances, patch } of impact.shared) {
      for (const instanceId of instances) add(reached, instanceId, patch);
    }
  });
  const nodes = [...reached].slice(0, planNodesMax).map(([instanceId, patch]) => ({
    instance_id: instanceId,
    hostname: hostnameOf(instanceId),
    ...describePatch(patch),
  }));
  const truncated =
    reached.size > nodes.length || nodes.some((node) => node.changes_count > node.changes.length);
  return { nodes, node_count: reached.size, truncated };
}

/** The instances that changes reach once the missing changes before them are applied, without how. */
export function instancesReached(
  fleet: FleetIndex,
  of: { readonly changes: readonly Change[]; readonly missing: readonly Change[] },
): Set<string> {
  const reached = new Set<string>();
  const begin = of.missing.length;
  tryOut(fleet, [...of.missing, ...of.changes], (impact, place) => {
    if (place < begin) return;
    for (const instanceId of impact.single.keys()) reached.add(instanceId);
    for (const { instances } of impact.shared) for (const instanceId of instances) reached.add(instanceId);
  });
  return reached;
}

/** Applies changes in order, shows what each does, and reverts all of them. */
function tryOut(
  fleet: FleetIndex,
  changes: readonly Change[],
  look: (impact: Impact, place: number) => void,
): void {
  const undo: (() => void)[] = [];
  try {
    for (const [place, change] of changes.entries()) {
      const { impact, deltas } = fleet.apply(change);
      for (const delta of deltas) undo.push(() => takeBack(fleet, delta));
      look(impact, place);
    }
  } finally {
    for (const step of undo.reverse()) step();
  }
}

/** Nodes beyond those that are shown are only counted. */
function add(reached: Map<InstanceId, Patch>, instanceId: InstanceId, patch: Patch): void {
  const before = reached.get(instanceId);
  if (before === undefined) reached.set(instanceId, patch);
  else if (reached.size <= planNodesMax) reached.set(instanceId, mergePatches(before, patch));
}

function takeBack(fleet: FleetIndex, delta: Delta): void {
  switch (delta.kind) {
    case 'network_added':
      fleet.apply({ kind: 'network_deleted', networkId: delta.network.id });
      return;
    case 'network_changed':
      fleet.apply({ kind: 'network_updated', network: delta.before });
      return;
    case 'network_removed':
      fleet.load(delta.last.network, delta.last.peers(), delta.last.items());
      return;
    case 'peer_added':
    case 'peer_changed':
    case 'peer_removed':
      fleet.apply({ kind: 'peer_changed', networkId: delta.network.id, ...reverse(delta) });
      return;
    case 'item_added':
    case 'item_changed':
    case 'item_removed':
      fleet.apply({ kind: 'item_changed', networkId: delta.network.id, ...reverse(delta) });
  }
}

function reverse<T extends object>(
  delta: { readonly after: T } | { readonly before: T } | { readonly before: T; readonly after: T },
): ObjectChange<T> {
  if (!('before' in delta)) return { before: delta.after, after: null };
  return 'after' in delta
    ? { before: delta.after, after: delta.before }
    : { before: null, after: delta.before };
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
