// What the firewall counted for each rule since this process came, or since the rule did. The kernel counts by element,
// and begins at zero with each element that is loaded; several elements may be one rule's.
import { rulesPerFrameMax } from '@powernode/core/limits/overlay';
import type { Count } from './listing.ts';

export interface RuleCount {
  readonly packets: number;
  readonly bytes: number;
}

export class RuleCounters {
  #totals = new Map<string, RuleCount>();
  /** null: what the elements show was counted before this process came. */
  #last: Map<string, RuleCount> | null = null;

  get totals(): ReadonlyMap<string, RuleCount> {
    return this.#totals;
  }

  /** Everything that the kernel has. Of rules without an element nothing is kept. */
  take(counts: readonly Count[]): void {
    const totals = new Map<string, RuleCount>();
    const last = this.#last;
    const next = new Map<string, RuleCount>();
    for (const { set, key, ruleId, packets, bytes } of counts) {
      const name = `${set} ${key} ${ruleId}`;
      next.set(name, { packets, bytes });
      const before = last === null ? { packets, bytes } : last.get(name);
      const added = sinceThen({ packets, bytes }, before);
      const total = totals.get(ruleId) ?? this.#totals.get(ruleId) ?? { packets: 0, bytes: 0 };
      totals.set(ruleId, { packets: total.packets + added.packets, bytes: total.bytes + added.bytes });
    }
    this.#totals = totals;
    this.#last = next;
  }

  /** Everything was loaded anew, so all elements begin at zero. */
  beganAnew(): void {
    this.#last = new Map();
  }
}

function sinceThen(now: RuleCount, before: RuleCount | undefined): RuleCount {
  // A counter that went back belongs to an element that was taken out and put in again.
  if (before === undefined || now.packets < before.packets || now.bytes < before.bytes) return now;
  return { packets: now.packets - before.packets, bytes: now.bytes - before.bytes };
}

export interface RuleObservation extends RuleCount {
  readonly rule_id: string;
}

/**
 * What is new since it was reported last, as much as one frame may hold. It counts as reported. Of a rule that is gone
 * zero is reported, so that it is known to begin anew should it come back.
 */
export function newsOfRules(
  totals: ReadonlyMap<string, RuleCount>,
  reported: Map<string, RuleCount>,
): RuleObservation[] {
  const news: RuleObservation[] = [];
  for (const ruleId of reported.keys()) {
    if (totals.has(ruleId)) continue;
    if (news.length === rulesPerFrameMax) return news;
    reported.delete(ruleId);
    news.push({ rule_id: ruleId, packets: 0, bytes: 0 });
  }
  for (const [ruleId, count] of totals) {
    const before = reported.get(ruleId);
    if (before?.packets === count.packets && before.bytes === count.bytes) continue;
    if (news.length === rulesPerFrameMax) return news;
    reported.set(ruleId, count);
    news.push({ rule_id: ruleId, ...count });
  }
  return news;
}
