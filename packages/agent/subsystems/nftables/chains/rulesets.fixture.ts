// Test support: tables made from lists of entries, and as a person would read them.
import { refusalOf } from '@powernode/core/compile/firewall/nft.fixture';
import type { EntryValue } from '@powernode/core/wire/document';
import { nodeDocumentOf } from '@powernode/core/wire/node-document.fixture';
import type { ByFamily } from '../../observed.ts';
import type { Ruleset } from '../model.ts';
import { rulesetOf } from '../ruleset.ts';
import { wholeText } from '../text.ts';

interface Facts {
  readonly closedOtherwise?: ByFamily;
  readonly guarded?: readonly string[];
  readonly bridges?: readonly string[];
  readonly previous?: Ruleset | null;
}

export function rulesetFor(entries: readonly EntryValue[], facts: Facts = {}): Ruleset {
  const { closedOtherwise = { ipv6: true, ipv4: true }, guarded = [], bridges = [], previous = null } = facts;
  const ruleset = rulesetOf(nodeDocumentOf(entries), { closedOtherwise, guarded, bridges, previous });
  if (ruleset === null) throw new Error('rules expected');
  return ruleset;
}

/** As a person would read it, without the marks of its chains. */
export function readable(ruleset: Ruleset): string {
  const text = wholeText(ruleset, { chains: [], sets: [] });
  const refusal = refusalOf(text);
  if (refusal !== null) throw new Error(refusal);
  return text.replaceAll(/ comment "powernode [0-9a-f]{16}"/g, '');
}

export function chainOf(ruleset: Ruleset, name: string): readonly string[] | undefined {
  readable(ruleset);
  return ruleset.chains.get(name)?.rules;
}
