// The figures of one run of the chaos, as one line that a person can read and a page can quote.
import type { Killer, Victim } from './kills.ts';
import type { Ledger } from './ledger.ts';
import type { Operator } from './operator.ts';

export interface RunFigures {
  readonly seed: number;
  readonly killer: Killer;
  readonly ledger: Ledger;
  readonly operator: Operator;
  /** Ordered pairs of hosts that have to reach each other at the end, and do. */
  readonly pairs: number;
  /** From the first kill to the last acknowledgement. */
  readonly chaosMs: number;
  /** From the last start to a kernel everywhere that equals its document. */
  readonly settledMs: number;
}

const names: Readonly<Record<Victim, string>> = {
  platform: 'platform',
  postmaster: 'postmaster',
  backend: 'database process',
  agent: 'agent',
};

export function summary({ seed, killer, ledger, operator, pairs, chaosMs, settledMs }: RunFigures): string {
  const kinds = Object.entries(killer.counts) as [Victim, number][];
  const kills = kinds.map(([victim, count]) => `${names[victim]} ${count}`).join(', ');
  const refused = [...operator.refused].map(([code, count]) => `${code} ${count}`).join(', ');
  const { lost, unavailable, limited } = operator.tries;
  return [
    `chaos: ${killer.total} kills (${kills}) in ${seconds(chaosMs)} s`,
    `${ledger.count} changes acknowledged`,
    `refused: ${refused === '' ? 'none' : refused}`,
    `tries again: ${lost} without an answer, ${unavailable} told 503, ${limited} told 429`,
    `slowest start of the platform ${seconds(killer.slowestStartMs)} s, ${killer.startsGivenUp} given up with the database`,
    `settled ${seconds(settledMs)} s after the last start`,
    `at the end ${ledger.networks().length} networks, ${ledger.peers().length} peers, ${pairs} pairs that reach each other`,
    `seed ${seed}`,
  ].join('; ');
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}
