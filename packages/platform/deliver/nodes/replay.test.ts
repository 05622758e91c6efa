// After a start, nodes that missed the newest changes are brought up by patches, not by whole documents.
import { formatDigest } from '@powernode/core/compile/digest';
import { RandomFleet } from '@powernode/core/compile/random-fleet.fixture';
import { seededRandom } from '@powernode/core/testing/random';
import { entryTable } from '@powernode/core/wire/document';
import { expect, test } from 'vitest';
import { modelOf } from '../testing/fleet-model.fixture.ts';
import type { NumberedChanges } from './account-queue.ts';
import type { NodeState } from './node-state.ts';
import { replay } from './replay.ts';
import { fillNodes } from './start.ts';

const accountId = 'account';
const instanceIds = ['i0', 'i1', 'i2', 'i3', 'i4'];
// Few enough that nothing is forgotten for its weight, though hubs come and go all the time here.
const kept = 5;

function started(fleet: RandomFleet, rows: readonly NumberedChanges[]): Map<string, NodeState> {
  const { fleet: index, impacts } = replay(modelOf(fleet), rows);
  const nodes = new Map<string, NodeState>();
  const instances = instanceIds.map((id) => ({
    id,
    account_id: accountId,
    hostname: id,
    capability: null,
    applied_revision: null,
    applied_hash: null,
    last_heartbeat_at: null,
    offline_since: null,
    subsystems: [],
    terminated_at: null,
  }));
  fillNodes(nodes, { fleet: index, table: entryTable, impacts, loaded: { instances, sequences: new Map() } });
  return nodes;
}

test('from every document of the kept changes there is a way to the newest', () => {
  let ways = 0;
  for (let seed = 1; seed <= 60; seed++) {
    const fleet = new RandomFleet({ accountId, instanceIds, random: seededRandom(seed) });
    const rows: NumberedChanges[] = [];
    const hashes: Map<string, string>[] = [];
    for (let sequence = 1; sequence <= 40; sequence++) {
      rows.push({ sequence, changes: [fleet.change()] });
      hashes.push(new Map(instanceIds.map((id) => [id, fleet.expectedHash(id)])));
    }
    const newest = rows.slice(-kept);
    const nodes = started(fleet, newest);
    for (const [id, node] of nodes) expect(formatDigest(node.digest)).toBe(hashes.at(-1)?.get(id));
    // What a network was before it was changed or deleted is not kept; such starts fall back to documents.
    const kinds = newest.flatMap(({ changes }) => changes.map(({ kind }) => kind));
    if (kinds.includes('network_updated') || kinds.includes('network_deleted')) continue;
    for (const then of hashes.slice(-kept - 1, -1)) {
      for (const [id, node] of nodes) {
        const held = BigInt(`0x${then.get(id)}`);
        if (held === node.digest) continue;
        expect(node.history.since({ held, present: node.digest })).not.toBeNull();
        ways++;
      }
    }
  }
  expect(ways).toBeGreaterThan(100);
}, 30_000);
