// What may be given, to whom, and taken from whom: evaluated by the permissions of the token in use and by rank. Where a
// person approved what another one asked for, both must have the right.
import { ProductError } from '@powernode/core/errors';
import {
  type Permission,
  platformPermissions,
  type Role,
  rolePermissions,
  roleRank,
} from '@powernode/core/intent/account';
import type { ActionContext } from '../actions/context.ts';
import type { Caller } from '../actions/invoke-types.ts';

/** An operator's place among the others: an administrator of the platform is above every role. */
export interface Rank {
  readonly role: Role;
  readonly platformAdmin: boolean;
}

const platformAdminRank = 1 + Math.max(...Object.values(roleRank));

export function rankOf({ role, platformAdmin }: Rank): number {
  return platformAdmin ? platformAdminRank : roleRank[role];
}

type Authorities = Pick<ActionContext, 'authorities'>;

/** An operator that something is done to. */
export interface Subject {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly platform_admin: boolean;
}

/** Throws `permission_denied`: nobody changes, disables or makes tokens for an operator above themselves. */
export function refuseAbove(context: Authorities, subject: Subject): void {
  for (const caller of context.authorities) {
    // A token without the permissions of the platform's administration is still its operator's own.
    const isSelf = caller.operatorId === subject.id;
    const rank = rankOf({ role: subject.role, platformAdmin: subject.platform_admin && !isSelf });
    if (rankOf(caller) >= rank) continue;
    const what = subject.platform_admin ? 'administers the platform' : `has the role "${subject.role}"`;
    throw denied(
      context,
      caller,
      `${subject.name} ${what}, which is above ${whose(context, caller)}. Ask someone with that rank.`,
    );
  }
}

/** Throws `permission_denied`: a role is given by those who have it, with a token that may do all that it may. */
export function refuseGivingRole(context: Authorities, given: Rank): void {
  for (const caller of context.authorities) {
    if (rankOf(caller) >= rankOf(given)) continue;
    const what = given.platformAdmin ? 'The administration of the platform' : `The role "${given.role}"`;
    throw denied(context, caller, `${what} is above ${whose(context, caller)}. Ask someone who has it.`);
  }
  refuseGiving(context, [
    ...rolePermissions[given.role],
    ...(given.platformAdmin ? platformPermissions : []),
  ]);
}

/** Throws `permission_denied`: nobody gives a permission that the token in use does not have. */
export function refuseGiving(context: Authorities, permissions: readonly Permission[]): void {
  for (const caller of context.authorities) {
    const beyond = permissions.filter((permission) => !caller.permissions.has(permission));
    if (beyond.length === 0) continue;
    const token = isAsking(context, caller) ? 'The token in use' : `The token of ${caller.operatorName}`;
    throw denied(
      context,
      caller,
      `${token} may not give what it may not do itself: ${beyond.join(', ')}. Use one that may, or give less.`,
    );
  }
}

/** Throws `permission_denied`: something needs a permission beside the one that its action names. */
export function refuseWithout(context: Authorities, permission: Permission): void {
  for (const caller of context.authorities) {
    if (caller.permissions.has(permission)) continue;
    const who = isAsking(context, caller) ? 'This' : `Approving this`;
    throw denied(context, caller, `${who} needs the permission ${permission} too.`);
  }
}

/** The right that is missing is not the requester's but the approver's: the decision is refused, the request stays. */
export class ApproverLacksRight extends ProductError {
  constructor(detail: string) {
    super('permission_denied', detail);
  }
}

function denied(context: Authorities, caller: Caller, detail: string): ProductError {
  return isAsking(context, caller)
    ? new ProductError('permission_denied', detail)
    : new ApproverLacksRight(detail);
}

function isAsking(context: Authorities, caller: Caller): boolean {
  return caller === context.authorities[0];
}

function whose(context: Authorities, caller: Caller): string {
  const own = caller.platformAdmin ? 'administration of the platform' : `role "${caller.role}"`;
  return isAsking(context, caller)
    ? `your own ${own}`
    : `the ${own} of ${caller.operatorName}, who approves it`;
}
