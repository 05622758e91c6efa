// An object beside the peers of a network is another than before: nodes are told what follows.
import { canonicalJson } from '@powernode/core/compile/digest';
import type { Item } from '@powernode/core/compile/model';
import { objectChange, subjectOf } from '@powernode/core/compile/object-change';
import type { ActionContext } from '../context.ts';

/**
 * null: it was not there before, or is not there any more. `modelOf`: what the compiler sees of a row; `decidedBy`: what
 * else is decided by it. Where both are the same, as after a new name, nobody has to know.
 */
export function itemChanged<Row>(
  context: ActionContext,
  modelOf: (row: Row) => Item | null,
  rows: {
    readonly before: Row | null;
    readonly after: Row | null;
    readonly decidedBy?: (row: Row) => object;
  },
): void {
  const { before, after, decidedBy = modelOf } = rows;
  const change = objectChange(
    before === null ? null : modelOf(before),
    after === null ? null : modelOf(after),
  );
  if (change === null) return;
  const isSame =
    before !== null && after !== null && canonicalJson(decidedBy(before)) === canonicalJson(decidedBy(after));
  if (isSame) return;
  context.change({ kind: 'item_changed', networkId: subjectOf(change).networkId, ...change });
}
