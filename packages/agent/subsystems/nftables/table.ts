// The table of rules in the kernel: loading it, changing it, reading it back. A change costs as much as it is; so does
// a look at a table that nobody touched, most of the time: what is in its sets is listed now and then only.
import {
  agentRuleCountersMs,
  agentRulesetLookMs,
  agentRulesetLookShareMax,
  agentRulesetSmallMax,
} from '@powernode/core/limits/agent';
import type { Clock } from '../../ports/clock.ts';
import { type Command, complaint, type Outcome, type Run } from '../../ports/run.ts';
import { type Listing, namesCommand, readListing, tableCommand } from './listing.ts';
import type { Ruleset } from './model.ts';
import { isUntouched, type ObservedRuleset } from './observed.ts';
import { RuleCounters } from './rule-counters.ts';
import { changeText, freshText, removalText, wholeText } from './text.ts';

interface WholeLook {
  readonly atMs: number;
  readonly costMs: number;
}

export interface NftTableParts {
  readonly run: Run;
  readonly clock: Clock;
  /** Around each run of nft that writes. What others write meanwhile waits for it in the kernel. */
  readonly rulesLoading: () => void;
  readonly rulesLoaded: () => void;
}

export class NftTable {
  readonly #parts: NftTableParts;
  readonly #counters = new RuleCounters();
  #loaded: Ruleset | null = null;
  #lastWhole: WholeLook | null = null;
  /** Something was loaded since the last look, in a transaction that the kernel has confirmed. */
  #isFresh = false;
  /** There are things in the table of which nothing is known but that they are not the agent's. */
  #hasOthers = false;
  /** Packets were evaluated since the counters of rules were read. */
  #hasEvaluated = false;

  constructor(parts: NftTableParts) {
    this.#parts = parts;
  }

  /** What was counted for each rule since this process came, as of the last whole look. */
  get ruleCounts(): RuleCounters['totals'] {
    return this.#counters.totals;
  }

  /** null: there is no such table. `isTouched`: nothing of it is taken to be as it was. */
  async look(isTouched = false): Promise<ObservedRuleset | null> {
    const loaded = this.#loaded;
    if (isTouched || loaded === null || sizeOf(loaded) <= agentRulesetSmallMax) return this.#lookAtAll();
    const names = await this.#lookAtNames();
    const isFresh = this.#isFresh;
    this.#isFresh = false;
    if (names === null || isFresh || !this.#isWholeLookDue()) return this.#seen(names);
    return this.#lookAtAll();
  }

  async load(ruleset: Ruleset, how: 'whole' | 'change'): Promise<void> {
    if (how === 'change' && (await this.#change(ruleset))) return;
    // After a restart of the agent everything may be as it should: then nothing is touched.
    const found = this.#loaded === null ? await this.#lookAtAll() : null;
    if (found === null || !isUntouched(ruleset, found)) await this.#replace(ruleset);
    this.#loaded = ruleset;
    this.#isFresh = true;
  }

  async remove(): Promise<void> {
    await this.#mustWrite(removalText());
    this.#loaded = null;
  }

  /** false: it has to be done by loading everything. */
  async #change(ruleset: Ruleset): Promise<boolean> {
    const text = this.#loaded === null ? null : changeText(this.#loaded, ruleset);
    if (text === null) return false;
    if (text !== '' && (await this.#write(text)).exitCode !== 0) return false;
    this.#loaded = ruleset;
    this.#isFresh = true;
    return true;
  }

  async #replace(ruleset: Ruleset): Promise<void> {
    const there = await this.#lookAtNames();
    const sets = [...(there?.sets ?? [])].map(([name, { kind }]) => ({ name, kind }));
    const text = wholeText(ruleset, { chains: [...(there?.chains.keys() ?? [])], sets });
    const isDone = !this.#hasOthers && (await this.#write(text)).exitCode === 0;
    // Somebody may have put things into the table that stand in the way. Then nothing of it stays.
    if (!isDone) await this.#mustWrite(freshText(ruleset));
    this.#hasOthers = false;
    this.#counters.beganAnew();
  }

  async #mustWrite(text: string): Promise<void> {
    const outcome = await this.#write(text);
    if (outcome.exitCode !== 0) throw complaint(writing(text), outcome);
  }

  async #write(text: string): Promise<Outcome> {
    const { run, rulesLoading, rulesLoaded } = this.#parts;
    rulesLoading();
    try {
      return await run.attempt(writing(text));
    } finally {
      rulesLoaded();
    }
  }

  #isWholeLookDue(): boolean {
    const last = this.#lastWhole;
    if (last === null) return true;
    const sinceMs = this.#parts.clock.monotonicMs() - last.atMs;
    if (sinceMs < last.costMs / agentRulesetLookShareMax) return false;
    return sinceMs >= (this.#hasEvaluated ? agentRuleCountersMs : agentRulesetLookMs);
  }

  async #lookAtAll(): Promise<ObservedRuleset | null> {
    const startedAtMs = this.#parts.clock.monotonicMs();
    const outcome = await this.#parts.run.attempt(tableCommand);
    if (outcome.exitCode !== 0) return absent(tableCommand, outcome);
    const listing = readListing(outcome.stdout, 'whole');
    this.#counters.take(listing.counts);
    this.#hasOthers = listing.others.length > 0;
    const atMs = this.#parts.clock.monotonicMs();
    this.#lastWhole = { atMs, costMs: atMs - startedAtMs };
    this.#hasEvaluated = false;
    return this.#seen(listing);
  }

  async #lookAtNames(): Promise<Listing | null> {
    const outcome = await this.#parts.run.attempt(namesCommand);
    if (outcome.exitCode !== 0) return absent(namesCommand, outcome);
    const listing = readListing(outcome.stdout, 'names');
    this.#hasEvaluated ||= listing.evaluated > 0;
    return listing;
  }

  #seen(listing: Listing | null): ObservedRuleset | null {
    if (listing === null) return null;
    const { chains, sets, others } = listing;
    return { loaded: this.#loaded, chains, sets, others };
  }
}

/** null: nft said that there is no such table, and nothing else is wrong. */
function absent(command: Command, outcome: Outcome): null {
  if (/no such file or directory/i.test(outcome.stderr)) return null;
  throw complaint(command, outcome);
}

/** Elements and rules: what a look at all of it costs. */
function sizeOf(ruleset: Ruleset): number {
  let size = 0;
  for (const { elements } of ruleset.sets.values()) size += elements?.size ?? 0;
  for (const { rules } of ruleset.chains.values()) size += rules.length;
  return size;
}

function writing(text: string): Command {
  return { program: 'nft', args: ['-f', '-'], input: text };
}
