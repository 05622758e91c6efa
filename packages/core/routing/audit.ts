// What is wrong with a network's route policies: statements that can never decide, that contradict or repeat others, or
// that match nothing today, each with what makes it so.
import { auditPartsMax } from '../limits/routing.ts';
import { parsePrefix } from '../net/prefix.ts';
import type { Policy, Statement, Subnet } from './model.ts';
import { covers, isCovered, matches, type PrefixRange } from './prefix-range.ts';
import { conditionsOf, type PlacedStatement, rangeMatched, settingsOf, statementsOf } from './statements.ts';

/** A statement; the caller looks up the name of its policy. */
export interface AuditedStatement {
  readonly type: 'route_policy';
  readonly id: string;
  readonly seq: number;
}

export interface PolicyFinding {
  readonly kind: 'shadowed' | 'contradictory' | 'dead' | 'duplicate';
  readonly severity: 'info' | 'warning';
  readonly object: AuditedStatement;
  /** The statement that shadows, contradicts or repeats it. */
  readonly by: AuditedStatement | null;
  readonly detail: string;
}

export interface AuditedPolicies {
  readonly policies: readonly Policy[];
  /** What is announced today. */
  readonly subnets: readonly Subnet[];
  /** The addresses of the peers that there are. */
  readonly peers: ReadonlySet<string>;
}

/** At most one finding for each statement. */
export function auditPolicies(audited: AuditedPolicies): PolicyFinding[] {
  return (['import', 'export'] as const).flatMap((direction) => {
    const statements = statementsOf(audited.policies, direction);
    return statements.flatMap((one, i) => undecided(one, statements.slice(0, i)) ?? dead(one, audited) ?? []);
  });
}

/** Why earlier statements leave nothing for it to decide; null: they do. */
function undecided(statement: PlacedStatement, earlier: readonly PlacedStatement[]): PolicyFinding | null {
  const object = placeOf(statement);
  const same = earlier.find((other) => matchOf(other) === matchOf(statement));
  if (same !== undefined) {
    const by = placeOf(same);
    if (same.action === statement.action && settingsOf(same.set) === settingsOf(statement.set)) {
      const detail = 'It repeats an earlier statement. Delete one of them.';
      return { kind: 'duplicate', severity: 'info', object, by, detail };
    }
    const detail =
      'An earlier statement matches exactly the same paths and does something else with them, and the earlier one decides. Delete one of them.';
    return { kind: 'contradictory', severity: 'warning', object, by, detail };
  }
  const deciders = decidersOf(statement, earlier);
  const [first] = deciders;
  if (first === undefined) return null;
  const together = deciders.length === 1 ? '' : ` (together with ${deciders.length - 1} more)`;
  const detail = `Earlier statements decide every path that it matches${together}, so it has no effect. Delete it, or give it a lower seq.`;
  return { kind: 'shadowed', severity: 'warning', object, by: placeOf(first), detail };
}

/** The earlier statements that together match everything that it matches; none: they do not. */
function decidersOf(statement: PlacedStatement, earlier: readonly PlacedStatement[]): PlacedStatement[] {
  const wider = earlier.filter((other) => isWider(other, statement));
  const range = rangeMatched(statement);
  const alone = wider.find((other) => {
    const outer = rangeMatched(other);
    return outer === null || (range !== null && covers(outer, range));
  });
  if (alone !== undefined) return [alone];
  if (range === null)
    return everything.every((one) => isCovered(one, rangesOf(wider), { parts: auditPartsMax })) ? wider : [];
  return isCovered(range, rangesOf(wider), { parts: auditPartsMax }) ? wider : [];
}

/** All prefixes of both families. */
const everything: readonly PrefixRange[] = [
  { block: { family: 6, bits: 0n, length: 0 }, min: 0, max: 128 },
  { block: { family: 4, bits: 0n, length: 0 }, min: 0, max: 32 },
];

function rangesOf(statements: readonly Statement[]): PrefixRange[] {
  return statements.flatMap((one) => rangeMatched(one) ?? []);
}

/** Whether its conditions beside the prefix hold wherever those of the other hold. */
function isWider(wide: Statement, narrow: Statement): boolean {
  const { announcer, community, as_path } = wide.match;
  const has = new Set(narrow.match.community?.split(' '));
  return (
    (announcer === undefined || announcer === narrow.match.announcer) &&
    (community === undefined || community.split(' ').every((one) => has.has(one))) &&
    (as_path === undefined || as_path === narrow.match.as_path)
  );
}

/** Why no path of today meets it; null: one may. */
function dead(statement: PlacedStatement, { subnets, peers }: AuditedPolicies): PolicyFinding | null {
  const found = { kind: 'dead', severity: 'warning', object: placeOf(statement), by: null } as const;
  const { announcer } = statement.match;
  if (announcer !== undefined && !peers.has(announcer)) {
    return {
      ...found,
      detail: 'The peer that it matches is no longer in the network, so it matches nothing.',
    };
  }
  const range = rangeMatched(statement);
  const isMet = subnets.some(({ prefix: text, announcers }) => {
    const prefix = parsePrefix(text);
    const isAnnounced = announcers.some(({ next_hop }) => announcer === undefined || next_hop === announcer);
    return isAnnounced && prefix !== null && (range === null || matches(range, prefix));
  });
  if (isMet) return null;
  const who = announcer === undefined ? 'No peer' : 'The peer that it matches does not';
  return {
    ...found,
    detail: `${who} ${announcer === undefined ? 'announces' : 'announce'} a prefix that it matches today, so it matches nothing yet.`,
  };
}

function placeOf({ route_policy_id, seq }: PlacedStatement): AuditedStatement {
  return { type: 'route_policy', id: route_policy_id, seq };
}

/** The same text for statements that match the same. */
function matchOf(statement: PlacedStatement): string {
  const range = rangeMatched(statement);
  const prefixes =
    range === null
      ? null
      : [String(range.block.bits), range.block.family, range.block.length, range.min, range.max];
  return JSON.stringify([prefixes, conditionsOf(statement.match)]);
}
