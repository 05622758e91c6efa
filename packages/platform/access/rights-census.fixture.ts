// A census of what every operator and every token may do, and of what lets machines and devices in; and what must hold between one and the next: nobody has more
// than before, but for what was given by somebody who had it, and nothing was taken from those above.
import { type ActionKey, definitionOf } from '@powernode/core/actions/catalogue';
import type { Permission } from '@powernode/core/intent/account';
import type { Trx } from '../actions/context.ts';
import type { Caller } from '../actions/invoke-types.ts';
import type { Store } from '../store/open-store.ts';
import { inPlatform } from '../store/tenancy.ts';
import { statesOfTokens } from './callers.ts';
import { accessGrantLosses, joinTokenLosses } from './maker-rights.ts';
import { permissionsOf } from './permissions.ts';
import { rankOf } from './rights.ts';

export interface Rights {
  /** -1: none at all. */
  readonly rank: number;
  readonly permissions: ReadonlySet<Permission>;
}

export interface Census {
  /** By id: what an operator or a token may do now; of a join token or a grant that counts, what making it takes. */
  readonly rights: ReadonlyMap<string, Rights>;
  /** By id of an operator: its name, role, state, and which of its tokens count. */
  readonly states: ReadonlyMap<string, string>;
}

const none: Rights = { rank: -1, permissions: new Set() };

export async function census(store: Pick<Store, 'db'>): Promise<Census> {
  return inPlatform(store, async (trx) => {
    const now = new Date();
    const rights = new Map<string, Rights>();
    const states = new Map<string, string>();
    for (const row of await trx.selectFrom('operators').selectAll().execute()) {
      const rank = rankOf({ role: row.role, platformAdmin: row.platform_admin });
      const isIn = row.disabled_at === null;
      rights.set(row.id, isIn ? { rank, permissions: new Set(permissionsOf(row)) } : none);
      states.set(row.id, `${row.name} ${row.role} ${row.platform_admin} ${row.disabled_at?.toISOString()}`);
    }
    const tokens = await trx.selectFrom('api_tokens').select(['id', 'operator_id']).orderBy('id').execute();
    const stateById = await statesOfTokens(
      trx,
      tokens.map(({ id }) => id),
      now,
    );
    for (const row of tokens) {
      const state = stateById.get(row.id) ?? { kind: 'bad', why: 'unknown' };
      rights.set(row.id, state.kind === 'good' ? rightsOf(state.caller) : none);
      const own = state.kind === 'good' ? row.id : `${row.id} ${state.why}`;
      states.set(row.operator_id, `${states.get(row.operator_id)} ${own}`);
    }
    for (const [id, permissions] of await waysIn(trx, now)) rights.set(id, { rank: -1, permissions });
    return { rights, states };
  });
}

/** Join tokens and access grants, each with the permissions that making it takes; none of one that lets nobody in. */
async function waysIn(trx: Trx, now: Date): Promise<[id: string, permissions: ReadonlySet<Permission>][]> {
  const needed = (...keys: ActionKey[]) => new Set(keys.flatMap((key) => definitionOf(key).permission ?? []));
  const isOpen = (row: { used_at: Date | null; revoked_at: Date | null; expires_at: Date }) =>
    row.used_at === null && row.revoked_at === null && row.expires_at > now;
  const tokens = await trx.selectFrom('join_tokens').selectAll().execute();
  const tokenLoss = await joinTokenLosses(trx, tokens, now);
  const grants = await trx.selectFrom('access_grants').selectAll().execute();
  const grantLoss = await accessGrantLosses(trx, grants, now);
  const nothing = new Set<Permission>();
  return [
    ...tokens.map((row): [string, ReadonlySet<Permission>] => {
      const makers: ActionKey[] = row.instance_id === null ? [] : ['createInstance'];
      const counts = isOpen(row) && tokenLoss(row) === null;
      return [row.id, counts ? needed('createJoinToken', ...makers) : nothing];
    }),
    ...grants.map((row): [string, ReadonlySet<Permission>] => [
      row.id,
      isOpen(row) && grantLoss(row) === null ? needed('createAccessGrant') : nothing,
    ]),
  ];
}

export function rightsOf(caller: Caller): Rights {
  return { rank: rankOf(caller), permissions: caller.permissions };
}

/** What was given though one of those who gave it did not have it. */
export function undueGains(before: Census, after: Census, givers: readonly Rights[]): string[] {
  return [...after.rights].flatMap(([id, now]) => {
    const was = before.rights.get(id) ?? none;
    const gained = [...now.permissions].filter((permission) => !was.permissions.has(permission));
    const beyond = gained.filter((permission) => givers.some((giver) => !giver.permissions.has(permission)));
    const above = now.rank > was.rank && givers.some((giver) => now.rank > giver.rank);
    return beyond.length === 0 && !above ? [] : [`${id} rank ${was.rank} → ${now.rank}, ${beyond.join(' ')}`];
  });
}

/** Operators above one of those who acted that are not as they were. An operator is never above itself. */
export function undueLosses(before: Census, after: Census, actors: readonly Caller[]): string[] {
  return [...before.states].flatMap(([id, was]) => {
    const rank = before.rights.get(id)?.rank ?? -1;
    const isAbove = actors.some((actor) => actor.operatorId !== id && rank > rankOf(actor));
    const now = after.states.get(id);
    return isAbove && now !== was ? [`${id}: ${was} → ${now}`] : [];
  });
}

/** Whether somebody with `most` may also have `rights`. */
export function isWithin(rights: Rights, most: Rights): boolean {
  return (
    rights.rank <= most.rank &&
    [...rights.permissions].every((permission) => most.permissions.has(permission))
  );
}
