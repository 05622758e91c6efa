// An object beside the peers of a network is another than before: nodes are told what follows.
import type { Item } from '@powernode/core/compile/model';
import type { ActionContext } from '../context.ts';

/** null: it was not there before, or is not there any more. `modelOf`: what the compiler sees of a row. */
export function itemChanged<Row extends { readonly network_id: string }>(
  context: ActionContext,
  modelOf: (row: Row) => Item | null,
  rows: { readonly before: Row | null; readonly after: Row | null },
): void {
  const { before, after } = rows;
  context.change({
    kind: 'item_changed',
    networkId: (after ?? before)?.network_id ?? '',
    before: before === null ? null : modelOf(before),
    after: after === null ? null : modelOf(after),
  });
}
