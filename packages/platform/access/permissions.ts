// The permissions of an operator, as they follow from its role.
import { type Permission, platformPermissions, rolePermissions } from '@powernode/core/intent/account';
import type { Selectable } from 'kysely';
import type { Database } from '../store/tables.ts';

/** What an operator may do, before a token narrows it. */
export function permissionsOf(
  row: Pick<Selectable<Database['operators']>, 'role' | 'platform_admin'>,
): Permission[] {
  return [...rolePermissions[row.role], ...(row.platform_admin ? platformPermissions : [])];
}
