// What is known of each node at a start: what it should have, what it last applied, and what may lead there.

import { formatDigest } from '@powernode/core/compile/digest';
import type { FleetIndex } from '@powernode/core/compile/fleet-index';
import type { AccountId, InstanceId } from '@powernode/core/ids';
import { newestCapability } from '@powernode/core/wire/capability';
import type { EntryTable } from '@powernode/core/wire/document';
import type { InstanceFacts, Loaded } from '../load.ts';
import { ownStep, type Step, sharedStep } from './history.ts';
import { NodeState, type ServedFrom } from './node-state.ts';
import type { Replayed } from './replay.ts';

export interface StartParts {
  readonly fleet: FleetIndex;
  readonly table: EntryTable;
  readonly impacts: Replayed['impacts'];
  readonly loaded: Pick<Loaded, 'instances' | 'sequences'>;
}

export function fillNodes(
  nodes: Map<InstanceId, NodeState>,
  { fleet, table, impacts, loaded }: StartParts,
): void {
  const sequenceOf = (accountId: AccountId) => loaded.sequences.get(accountId) ?? 0;
  for (const row of loaded.instances) {
    nodes.set(row.id, nodeFromRow(row, { fleet, table, sequenceOf }));
  }
  for (const { sequence, impact } of impacts) {
    for (const { instances, patch } of impact.shared) {
      const step = sharedStep(patch);
      for (const instanceId of instances) keep(nodes.get(instanceId), step, sequence);
    }
    for (const [instanceId, patch] of impact.single) keep(nodes.get(instanceId), ownStep(patch), sequence);
  }
}

function keep(node: NodeState | undefined, step: Step, sequence: number): void {
  if (node === undefined) return;
  // It may have been given another document since, though what it is to have now is what it applied then.
  node.desiredRevision = Math.max(node.desiredRevision, sequence);
  // The history of a node that is not sent every entry is another one, and is not stored.
  if (node.isGivenAll) node.history.push(step);
}

export function nodeFromRow(row: InstanceFacts, from: ServedFrom): NodeState {
  const applied =
    row.applied_revision === null || row.applied_hash === null
      ? null
      : { revision: row.applied_revision, hash: row.applied_hash };
  const node = new NodeState({
    instanceId: row.id,
    accountId: row.account_id,
    hostname: row.hostname,
    desiredRevision: from.sequenceOf(row.account_id),
    digest: BigInt(`0x${from.fleet.digest(row.id)}`),
    applied,
    lastHeartbeatMs: row.last_heartbeat_at?.getTime() ?? null,
    subsystems: row.subsystems,
  });
  node.publishedCapability = row.capability ?? newestCapability;
  node.speaks(node.publishedCapability, from);
  // Which change was the last to reach it is not kept; its document is that of the newest one as well. The newest
  // changes, which are replayed after this, say more.
  if (applied?.hash === formatDigest(node.digest)) node.desiredRevision = applied.revision;
  node.offlineReported = row.offline_since !== null;
  return node;
}
