// The three facts that the console needs of each action at run time, taken out of the catalogue into a file so that no
// schema library is sent to the browser. A test holds the file to the catalogue, and writes it.
import type { ActionKey } from '@powernode/core/actions/catalogue';
import type { Permission } from '@powernode/core/intent/account';
import facts from './action-facts.json' with { type: 'json' };

export interface ActionFacts {
  /** The public name, which is the last part of its address. */
  readonly name: string;
  /** null: any signed-in operator. */
  readonly permission: Permission | null;
  /** Which policy gates it; null: it only reads. */
  readonly category: string | null;
}

export const actionFacts = facts as {
  readonly [K in ActionKey]: ActionFacts & Pick<(typeof facts)[K], 'category'>;
};

/** The actions that only read, and those that change something. */
export type ReadAction = {
  [K in ActionKey]: (typeof facts)[K]['category'] extends null ? K : never;
}[ActionKey];
export type ChangeAction = Exclude<ActionKey, ReadAction>;
