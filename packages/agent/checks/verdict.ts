// Whether the service behind a virtual IP is well, from the outcomes of its checks: `fall` failures in a row until it fails,
// and `rise` successes in a row until it is well. The first success decides alone, and so does the first failure where it
// only withholds an anycast address: a failure that moves an address has to be one of `fall`. Pure.

export type Health = 'healthy' | 'failing' | 'unknown';

/** null: the service answered; else why the check failed, for people. */
export type Outcome = string | null;

export interface Verdict {
  readonly health: Health;
  /** Outcomes in a row that speak against it. */
  readonly against: number;
  /** When it became so. */
  readonly sinceMs: number;
  /** Of the last check; null: it did not fail, or there was none. */
  readonly lastError: string | null;
}

export function firstVerdict(nowMs: number): Verdict {
  return { health: 'unknown', against: 0, sinceMs: nowMs, lastError: null };
}

export function nextVerdict(
  before: Verdict,
  outcome: Outcome,
  limits: {
    readonly fall: number;
    readonly rise: number;
    /** Failures in a row of a service of which nothing is known yet. */
    readonly firstFall: number;
    readonly nowMs: number;
  },
): Verdict {
  const said: Health = outcome === null ? 'healthy' : 'failing';
  const against = said === before.health ? 0 : before.against + 1;
  const isFirst = before.health === 'unknown';
  const needed = said === 'failing' ? (isFirst ? limits.firstFall : limits.fall) : isFirst ? 1 : limits.rise;
  if (against < needed) return { ...before, against, lastError: outcome };
  return { health: said, against: 0, sinceMs: limits.nowMs, lastError: outcome };
}
