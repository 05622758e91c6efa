// What its maker may do now decides whether a join token or an access grant lets anybody in. Its maker is the API token
// that it was made with, evaluated as when that token signs in; where that is not known, it is the operator. The right is
// looked up at each use, so a role that is raised again makes a secret valid again.
import { definitionOf } from '@powernode/core/actions/catalogue';
import type { Permission } from '@powernode/core/intent/account';
import type { Trx } from '../actions/context.ts';
import { statesOfTokens, type TokenState } from './callers.ts';
import { permissionsOf } from './permissions.ts';

/** The status of an unused token or grant whose maker has no right to it now; null: it has. */
export type MakerLoss = 'revoked' | 'expired' | null;

/** Who made a join token or an access grant. */
export interface Made {
  /** null: not known any more. It ends by itself alone. */
  readonly created_by: string | null;
  /** null: not known. Its operator is evaluated alone. */
  readonly created_with: string | null;
}

/** Of join tokens. In the platform's scope: a token may go back to an operator of another account. */
export function joinTokenLosses<Row extends Made & { readonly instance_id: string | null }>(
  trx: Trx,
  rows: readonly Row[],
  now: Date,
): Promise<(row: Row) => MakerLoss> {
  const always = neededFor('createJoinToken');
  const forInstance = [...always, ...neededFor('createInstance')];
  return makerLosses(trx, { rows, now, needed: (row) => (row.instance_id === null ? always : forInstance) });
}

/** Of access grants. In the platform's scope, as for join tokens. */
export function accessGrantLosses<Row extends Made>(
  trx: Trx,
  rows: readonly Row[],
  now: Date,
): Promise<(row: Row) => MakerLoss> {
  const needed = neededFor('createAccessGrant');
  return makerLosses(trx, { rows, now, needed: () => needed });
}

function neededFor(action: 'createJoinToken' | 'createInstance' | 'createAccessGrant'): Permission[] {
  const { permission } = definitionOf(action);
  return permission === null ? [] : [permission];
}

async function makerLosses<Row extends Made>(
  trx: Trx,
  of: {
    readonly rows: readonly Row[];
    readonly now: Date;
    /** The permissions that making it takes. */
    readonly needed: (row: Row) => readonly Permission[];
  },
): Promise<(row: Row) => MakerLoss> {
  const tokenIds = new Set(of.rows.flatMap((row) => row.created_with ?? []));
  const operatorIds = new Set(
    of.rows.flatMap((row) => (row.created_with === null ? (row.created_by ?? []) : [])),
  );
  const tokens = await statesOfTokens(trx, [...tokenIds], of.now);
  const operators = await operatorsOf(trx, [...operatorIds]);
  return (row) => {
    if (row.created_with !== null) return lossOfToken(tokens.get(row.created_with), of.needed(row));
    if (row.created_by === null) return null;
    return hasAll(operators.get(row.created_by), of.needed(row)) ? null : 'revoked';
  };
}

function lossOfToken(state: TokenState | undefined, needed: readonly Permission[]): MakerLoss {
  if (state?.kind !== 'good') return state?.why === 'expired' ? 'expired' : 'revoked';
  return hasAll(state.caller.permissions, needed) ? null : 'revoked';
}

function hasAll(may: ReadonlySet<Permission> | undefined, needed: readonly Permission[]): boolean {
  return may !== undefined && needed.every((permission) => may.has(permission));
}

/** What those that are not disabled may do, by id. */
async function operatorsOf(
  trx: Trx,
  ids: readonly string[],
): Promise<ReadonlyMap<string, ReadonlySet<Permission>>> {
  if (ids.length === 0) return new Map();
  const rows = await trx
    .selectFrom('operators')
    .select(['id', 'role', 'platform_admin'])
    .where('id', 'in', ids)
    .where('disabled_at', 'is', null)
    .execute();
  return new Map(rows.map((row) => [row.id, new Set(permissionsOf(row))]));
}
