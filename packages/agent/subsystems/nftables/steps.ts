// Steps that load the table of rules.
import type { Ruleset } from './model.ts';

export type RulesetStep =
  /** change: what was loaded last is there, and what differs is enough. */
  | { readonly kind: 'set_ruleset'; readonly ruleset: Ruleset; readonly how: 'whole' | 'change' }
  | { readonly kind: 'remove_ruleset' };
