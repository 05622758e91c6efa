// What nodes say is wrong with them, as the outside sees it: of a machine, of a peer, and of the way of a packet.
import type { ShownProblem } from '@powernode/core/intent/fleet';
import type { Peer } from '@powernode/core/intent/peer';
import {
  byWeight,
  type NodeProblem,
  nodeProblemTable,
  uncallableCodes,
} from '@powernode/core/wire/node-problems';
import { type RawBuilder, sql } from 'kysely';
import type { ActionContext } from '../context.ts';

export function showProblem(problem: NodeProblem): ShownProblem {
  return {
    subsystem: problem.subsystem,
    code: problem.code,
    severity: nodeProblemTable[problem.code].severity,
    detail: problem.detail,
    network_id: problem.network_id ?? null,
    peer_id: problem.peer_id ?? null,
    interface: problem.interface ?? null,
    since: problem.since,
  };
}

/** Those that concern a network: its own, and those of the whole machine. The worst first. */
export function problemsIn(networkId: string, problems: readonly NodeProblem[]): NodeProblem[] {
  return problems
    .filter(({ network_id }) => network_id === undefined || network_id === networkId)
    .toSorted(byWeight);
}

/** The worst problem of a machine in a network; null: it says that nothing is wrong there. */
export function peerProblemOf(networkId: string, problems: readonly NodeProblem[]): Peer['problem'] {
  const [worst] = problemsIn(networkId, problems);
  return worst === undefined ? null : { code: worst.code, detail: worst.detail, since: worst.since };
}

/** Whether nobody can call a peer that others are to call, as its own machine says. */
export function isUncallable(
  row: { readonly network_id: string; readonly hub_slot: number | null },
  problems: readonly NodeProblem[],
): boolean {
  if (row.hub_slot === null) return false;
  return problems.some(
    ({ code, network_id }) => network_id === row.network_id && uncallableCodes.includes(code),
  );
}

/** The same in SQL, of a row of `peers`. */
export const uncallable: RawBuilder<boolean> = sql`(peers.hub_slot is not null and exists (
  select from instances i, jsonb_array_elements(i.problems) as one
  where i.id = peers.instance_id and one->>'network_id' = peers.network_id::text
    and one->>'code' = any(${uncallableCodes}::text[])))`;

/** By peer, of those peers of a network whose machines say that something is wrong. */
export async function problemsOfPeers(
  context: ActionContext,
  networkId: string,
): Promise<ReadonlyMap<string, readonly NodeProblem[]>> {
  const rows = await context.trx
    .selectFrom('peers as p')
    .innerJoin('instances as i', 'i.id', 'p.instance_id')
    .select(['p.id', 'i.problems'])
    .where('p.account_id', '=', context.accountId)
    .where('p.network_id', '=', networkId)
    .where(sql<boolean>`i.problems <> '[]'`)
    .execute();
  return new Map(rows.map((row) => [row.id, problemsIn(networkId, row.problems)]));
}
