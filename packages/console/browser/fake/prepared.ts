// What every change of the fake platform is made of: it is prepared first, so that it can be planned without being made.
import { changedFields } from '@powernode/core/actions/plan-fields';
import { ProductError } from '@powernode/core/errors';
import type { Plan } from '@powernode/core/intent/autonomy';
import { counter } from './ids.ts';
import { type Peer, replace, type World } from './world.ts';

export type Input = Record<string, unknown>;
export type Shown = Record<string, unknown>;

export interface Prepared {
  /** What is answered, under its noun. */
  readonly body: Shown;
  /** Members that a dry run answers otherwise. */
  readonly previewed?: Shown;
  readonly reaches: readonly Peer[];
  /** Makes the change and says what happened. */
  commit(): { readonly kind: string; readonly payload: Shown } | null;
}

export const newId = counter(5_000_000);

/** `turn`: the object as it is and as it would be. */
export function planOf(
  reaches: readonly Peer[],
  turn?: { readonly before: Shown; readonly after: Shown },
): Plan {
  const nodes = reaches.slice(0, 100).map((peer) => ({
    instance_id: peer.node_instance_id,
    hostname: peer.hostname,
    changes_count: 2,
    changes: [
      { op: 'remove' as const, key: 'a', detail: `peer ${peer.hostname} on wg-net` },
      { op: 'set' as const, key: 'b', detail: `route fd4a::/64 via wg-net-t0` },
    ],
  }));
  const fields = turn === undefined ? [] : changedFields(turn.before, turn.after);
  return {
    ...(fields.length === 0 ? {} : { fields }),
    nodes,
    node_count: reaches.length,
    truncated: reaches.length > nodes.length,
  };
}

/** The plan of what is prepared and not committed yet. */
export function preparedPlan(world: World, { body, reaches }: Prepared): Plan {
  const rows = Object.values(world).flatMap((list: unknown) =>
    Array.isArray(list) ? (list as Shown[]) : [],
  );
  const after = Object.values(body).find((value) => typeof value === 'object' && value !== null) as
    | Shown
    | undefined;
  const before = rows.find((row) => after?.['id'] !== undefined && row['id'] === after['id']);
  return after === undefined || before === undefined ? planOf(reaches) : planOf(reaches, { before, after });
}

export function find<T extends { readonly id: string }>(rows: readonly T[], id: unknown, noun: string): T {
  const row = rows.find((one) => one.id === id);
  if (row === undefined)
    throw new ProductError('not_found', `There is no ${noun} ${String(id)}. List the existing ones first.`);
  return row;
}

/** Refused when somebody else changed the row since it had the given revision. */
export function refuseStale(row: { readonly revision: number }, expected: unknown): void {
  if (expected === undefined || expected === row.revision) return;
  throw new ProductError(
    'revision_conflict',
    `It has revision ${row.revision} by now, not ${JSON.stringify(expected)}. Read it again, then retry.`,
  );
}

export function remove<T>(rows: T[], gone: (row: T) => boolean): void {
  for (let i = rows.length - 1; i >= 0; i--) if (gone(rows[i] as T)) rows.splice(i, 1);
}

export type Prepare = (world: World, input: Input) => Prepared;

export function made<T extends { readonly id: string }>(
  rows: T[],
  noun: string,
  row: T,
  once: Shown,
): Prepared {
  return {
    body: { [noun]: { ...row, ...once } },
    reaches: [],
    commit() {
      rows.unshift(row);
      return { kind: `system.${noun}.created`, payload: { before: null, after: row } };
    },
  };
}

export function status(
  rows: { readonly id: string; readonly revision: number }[],
  id: unknown,
  noun: string,
  given: Shown,
): Prepared {
  const { if_revision, ...part } = given;
  const before = find(rows, id, noun);
  refuseStale(before, if_revision);
  const after = { ...before, ...part, revision: before.revision + 1 };
  return {
    body: { [noun]: after },
    reaches: [],
    commit() {
      replace(rows, after);
      return { kind: `system.${noun}.updated`, payload: { before, after } };
    },
  };
}
