// Test support: tables made from lists of entries, and as a person would read them.
import type { EntryValue } from '@powernode/core/wire/document';
import { rulesetOf } from '../ruleset.ts';
import type { ByFamily } from '../ruleset-intent.ts';
import type { Ruleset } from '../ruleset-model.ts';
import { documentOf } from './documents.fixture.ts';

interface Facts {
  readonly closedOtherwise?: ByFamily;
  readonly guarded?: readonly string[];
  readonly previous?: Ruleset | null;
}

export function rulesetFor(entries: readonly EntryValue[], facts: Facts = {}): Ruleset {
  const { closedOtherwise = { ipv6: true, ipv4: true }, guarded = [], previous = null } = facts;
  const ruleset = rulesetOf(documentOf(entries), { closedOtherwise, guarded, previous });
  if (ruleset === null) throw new Error('rules expected');
  return ruleset;
}
