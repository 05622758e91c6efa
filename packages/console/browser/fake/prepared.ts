// What every change of the fake platform is made of: it is prepared first, so that it can be planned without being made.
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
  readonly rehearsed?: Shown;
  readonly reaches: readonly Peer[];
  /** Makes the change and says what happened. */
  commit(): { readonly kind: string; readonly payload: Shown } | null;
}

export const newId = counter(5_000_000);

export function planOf(reaches: readonly Peer[]): Plan {
  const nodes = reaches.slice(0, 100).map((peer) => ({
    instance_id: peer.node_instance_id,
    hostname: peer.hostname,
    changes_count: 2,
    changes: [
      { op: 'remove' as const, key: 'a', detail: `peer ${peer.hostname} on wg-net` },
      { op: 'set' as const, key: 'b', detail: `route fd4a::/64 via wg-net-t0` },
    ],
  }));
  return { nodes, node_count: reaches.length, truncated: reaches.length > nodes.length };
}

export function find<T extends { readonly id: string }>(rows: readonly T[], id: unknown, noun: string): T {
  const row = rows.find((one) => one.id === id);
  if (row === undefined)
    throw new ProductError('not_found', `There is no ${noun} ${String(id)}. List them to see what there is.`);
  return row;
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

export function status(rows: { readonly id: string }[], id: unknown, noun: string, part: Shown): Prepared {
  const before = find(rows, id, noun);
  const after = { ...before, ...part };
  return {
    body: { [noun]: after },
    reaches: [],
    commit() {
      replace(rows, after);
      return { kind: `system.${noun}.updated`, payload: { before, after } };
    },
  };
}
