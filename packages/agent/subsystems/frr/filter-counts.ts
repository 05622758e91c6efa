// How often each inbound route-map has refused a path: what bgpd counts of its last entry.
import { frrMembersMax, frrRouteMapsMax } from '@powernode/core/limits/agent';
import { statementSeqMax } from '@powernode/core/limits/routing';
import { count, list, members, text } from './checks.ts';

/** By the name of the route-map; maps that end with a permitting entry refuse nothing and are left out. */
export function readRefusedCounts(answer: unknown): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const [daemon, value] of Object.entries(members(answer, 'the daemons', frrMembersMax))) {
    const maps = members(value, daemon, frrRouteMapsMax);
    for (const name in maps) {
      const refused = refusedBy(name, maps[name]);
      if (refused !== null) counts.set(name, refused);
    }
  }
  return counts;
}

/** null: its last entry does not deny. */
function refusedBy(name: string, map: unknown): number | null {
  const rules = list(members(map, name, frrMembersMax)['rules'], name, statementSeqMax);
  if (rules.length === 0) return null;
  const { type, invoked } = members(rules.at(-1), name, frrMembersMax);
  return text(type, `${name} type`) === 'deny' ? count(invoked, `${name} invoked`, 0) : null;
}
