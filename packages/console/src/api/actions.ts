// The facts that the console needs of each action at run time, taken out of the catalogue into a file so that no schema
// library is sent to the browser. A test holds the file to the catalogue, and writes it.
import type { ActionKey, Actions } from '@powernode/core/actions/catalogue';
import type { OutputOf } from '@powernode/core/actions/define';
import type { Permission } from '@powernode/core/intent/account';
import facts from './action-facts.json' with { type: 'json' };

export interface ActionFacts {
  /** The public name, which is the last part of its address. */
  readonly name: string;
  /** null: any signed-in operator. */
  readonly permission: Permission | null;
  /** Which policy gates it; null: it only reads. */
  readonly category: string | null;
  /** What kind of object it is about: `port_mapping`. */
  readonly object: string;
  /** Under which name the list answers its rows: `port_mappings`; null: it answers no list. */
  readonly list: ListName | null;
}

/** The member of the answer that has the rows of a page. */
type RowsOf<O> = O extends { readonly has_more: boolean }
  ? { [Name in keyof O]: O[Name] extends readonly unknown[] ? Name : never }[keyof O] & string
  : never;
export type ListNameOf<K extends ActionKey> = RowsOf<OutputOf<Actions[K]>>;
export type ListName = { [K in ActionKey]: ListNameOf<K> }[ActionKey];
export type ListAction = { [K in ActionKey]: [ListNameOf<K>] extends [never] ? never : K }[ActionKey];

export const actionFacts = facts as {
  readonly [K in ActionKey]: ActionFacts & Pick<(typeof facts)[K], 'category'>;
};

/** Under which name the list answers its rows. */
export function listNameOf<K extends ListAction>(key: K): ListNameOf<K> {
  return actionFacts[key].list as ListNameOf<K>;
}

/** The actions that only read, and those that change something. */
export type ReadAction = {
  [K in ActionKey]: (typeof facts)[K]['category'] extends null ? K : never;
}[ActionKey];
export type ChangeAction = Exclude<ActionKey, ReadAction>;
