// The secret of an approved operation: made when the requester fetches it, once, within a day of the decision. Whoever
// decided sees that there is one. What nobody fetches in time is revoked.
import { actionKeyOf, definitionOf } from '@powernode/core/actions/catalogue';
import { ProductError } from '@powernode/core/errors';
import { secretFetchMs } from '@powernode/core/limits/requests';
import { originOf } from '../../access/callers.ts';
import { type EventDraft, platformActor, writeEvents } from '../../events/write-events.ts';
import { readInPlatform } from '../../store/tenancy.ts';
import { renewApiToken } from '../accounts/api-tokens.ts';
import type { ActionContext, Trx } from '../context.ts';
import { renewJoinToken } from '../fleet/join-token.ts';
import { type ApprovalRow, lapseUnfetchedSecrets, recordSecretShown } from '../gate/approvals.ts';
import { renewAccessGrant } from '../sdwan/devices/access-grants.ts';

/** What has a secret, by its name in an action's result. */
const kinds = {
  api_token: { renew: renewApiToken, table: 'api_tokens' },
  join_token: { renew: renewJoinToken, table: 'join_tokens' },
  access_grant: { renew: renewAccessGrant, table: 'access_grants' },
} as const;
type Kind = keyof typeof kinds;

/** What an approval whose operation has just been done has of a secret. */
export function secretOfOutcome(
  { now }: Pick<ActionContext, 'now'>,
  row: Pick<ApprovalRow, 'action' | 'requested_by'>,
) {
  const action = actionKeyOf(row.action);
  const makes = action !== undefined && definitionOf(action).makesSecret && row.requested_by !== null;
  if (!makes) return {};
  const until = new Date(now.getTime() + secretFetchMs);
  return { secret: { secret_state: 'waiting' as const, secret_until: until } };
}

export function showSecretState(row: ApprovalRow, { now }: Pick<ActionContext, 'now'>, detail?: string) {
  const { secret_state: state, secret_until: until } = row;
  if (state === null || until === null) return null;
  const status = state === 'waiting' && until <= now ? 'lapsed' : state;
  return { status, expires_at: until.toISOString(), detail: detail ?? null };
}

/** Whether this caller is the one that the secret waits for. Over MCP nobody is. */
export function isToFetch(context: ActionContext, row: ApprovalRow): boolean {
  return (
    !context.overMcp &&
    row.requested_by === context.caller.operatorId &&
    showSecretState(row, context)?.status === 'waiting'
  );
}

/** Answers the operation's result with the secret in it, and remembers that it was shown. The row is locked. */
export async function fetchSecret(
  context: ActionContext,
  row: ApprovalRow,
): Promise<{ readonly row: ApprovalRow; readonly result: Record<string, unknown> }> {
  const { kind, id } = secretOf(row);
  requirePermissionOf(context, row);
  await refuseOtherHolder(context, row);
  const seconds = row.input['expires_in_seconds'];
  const shown = await kinds[kind].renew(context, {
    id,
    seconds: typeof seconds === 'number' ? seconds : undefined,
  });
  const after = await recordSecretShown(context, row);
  context.event('system.approval.secret_shown', {
    approval_id: row.id,
    action: row.action,
    summary: row.summary,
    [`${kind}_id`]: id,
  });
  return { row: after, result: { ...row.result, [kind]: shown } };
}

/** Other tokens of the requester may do less than the one that asked. */
function requirePermissionOf({ caller }: ActionContext, row: ApprovalRow): void {
  const action = actionKeyOf(row.action);
  const permission = action === undefined ? null : definitionOf(action).permission;
  if (permission === null || caller.permissions.has(permission)) return;
  throw new ProductError('permission_denied', `Retrieving its secret requires the permission ${permission}.`);
}

/**
 * Whoever may make tokens for the requester, as a decider may, is not the requester: the secret goes to the token that
 * asked, and to those that whoever has it made, or made it with.
 */
async function refuseOtherHolder({ trx, caller }: ActionContext, row: ApprovalRow): Promise<void> {
  const { requested_token_id: asked } = row;
  if (asked === caller.tokenId) return;
  const isSame =
    asked !== null &&
    (await readInPlatform(trx, async () => {
      const [one, other] = [await originOf(trx, asked), await originOf(trx, caller.tokenId)];
      return one !== null && one === other;
    }));
  if (isSame) return;
  throw new ProductError(
    'permission_denied',
    'Its secret is shown to the token that requested it, and to tokens of the same operator in its chain of creation. Retrieve it with one of these.',
  );
}

function secretOf(row: Pick<ApprovalRow, 'id' | 'result'>): { readonly kind: Kind; readonly id: string } {
  for (const kind of Object.keys(kinds) as Kind[]) {
    const object = row.result?.[kind] as { readonly id?: unknown } | undefined;
    if (typeof object?.id === 'string') return { kind, id: object.id };
  }
  throw new Error(`the approval ${row.id} has made no secret`);
}

/** Revokes what was made and whose secret nobody fetched in time. In the platform's scope. */
export async function lapseSecrets(trx: Trx, at: Date) {
  const rows = await lapseUnfetchedSecrets(trx, at);
  const drafts: EventDraft[] = [];
  for (const row of rows) {
    const { kind, id } = secretOf(row);
    await trx
      .updateTable(kinds[kind].table)
      .set((eb) => ({ revoked_at: at, updated_at: at, revision: eb('revision', '+', 1) }))
      .where('id', '=', id)
      .where('revoked_at', 'is', null)
      .execute();
    drafts.push({
      account_id: row.account_id,
      kind: 'system.approval.secret_lapsed',
      severity: 'warning',
      at: at.toISOString(),
      actor: platformActor,
      correlation_id: row.correlation_id,
      payload: { approval_id: row.id, action: row.action, summary: row.summary, [`${kind}_id`]: id },
    });
  }
  return writeEvents(trx, drafts);
}
