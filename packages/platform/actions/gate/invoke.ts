// The gate that every call passes: parse → permission → policy → run in one transaction → record → commit → tell.
// A dry run takes the same way and is rolled back, so that it can promise nothing that a real run would refuse.
import { type ActionKey, definitionOf } from '@powernode/core/actions/catalogue';
import { ProductError } from '@powernode/core/errors';
import type { PolicyMode } from '@powernode/core/intent/autonomy';
import type { Event } from '@powernode/core/intent/fleet';
import { sql } from 'kysely';
import { type EventBus, publishEvents } from '../../events/event-bus.ts';
import type { Store } from '../../store/open-store.ts';
import { inAccount } from '../../store/tenancy.ts';
import { ActionContext, type Handlers, type Services } from '../context.ts';
import type { Caller, Invocation, Invoke, Outcome } from '../invoke-types.ts';
import { noteConsequences } from '../sdwan/consequences.ts';
import { deferredAnswer, insertApproval, recordOwnApproval } from './approvals.ts';
import { claim, type IdempotentCall, idempotentCall, keep, type Sealer } from './idempotency.ts';
import { type ParsedCall, parseCall } from './parse.ts';
import { hostnamesOf } from './plan-names.ts';
import { policyMode } from './policies.ts';
import { recordChanges, recordEvents } from './record.ts';

export interface GateParts {
  readonly store: Pick<Store, 'db'>;
  readonly bus: EventBus;
  readonly services: Services;
  readonly handlers: Handlers;
  readonly sealer: Sealer;
}

/** What a run inside the transaction leaves for after the commit. */
interface Ran {
  readonly outcome: Outcome;
  readonly context: ActionContext;
  readonly events: readonly Event[];
  readonly replayed: boolean;
}

/** Carries the answer of a dry run out of the transaction that it rolls back. */
class RolledBack extends Error {
  readonly outcome: Outcome;
  constructor(outcome: Outcome) {
    super('dry run');
    this.outcome = outcome;
  }
}

type AnyHandler = (
  context: ActionContext,
  input: Record<string, unknown>,
) => Promise<Record<string, unknown>>;

export function createGate(parts: GateParts): Invoke {
  return (invocation) => invoke(parts, invocation);
}

async function invoke(parts: GateParts, invocation: Invocation): Promise<Outcome> {
  const action = definitionOf(invocation.action);
  requirePermission(invocation.caller, action.permission);
  const call = parseCall(invocation.action, invocation.input);
  if (call.approve) requirePermission(invocation.caller, 'system.approvals.decide');
  const idempotent =
    invocation.idempotencyKey === undefined || action.category === null || call.dryRun
      ? null
      : idempotentCall(invocation.idempotencyKey, { action: action.name, input: invocation.input });
  return inTransaction(parts, invocation, (context) =>
    runGated(parts, { context, invocation, call, idempotent }),
  );
}

interface GatedCall {
  readonly context: ActionContext;
  readonly invocation: Invocation;
  readonly call: ParsedCall;
  readonly idempotent: IdempotentCall | null;
}

async function runGated(parts: GateParts, gated: GatedCall): Promise<Ran> {
  const { context, invocation, call, idempotent } = gated;
  if (idempotent !== null) {
    const first = await claim(context, idempotent, parts.sealer);
    if (first !== null) return { outcome: first, context, events: [], replayed: true };
  }
  const mode = await modeOf(context, invocation.action);
  if (mode === 'blocked' && !call.dryRun) throw blocked(invocation.action);
  const handler = parts.handlers[invocation.action] as unknown as AnyHandler;
  const defers = mode === 'require_approval' && !call.approve && !call.dryRun;
  const ran = defers
    ? await defer(parts, { ...gated, handler })
    : await perform(parts, { ...gated, handler, mode });
  if (idempotent !== null)
    await keep(context, { call: idempotent, outcome: ran.outcome, sealer: parts.sealer });
  return ran;
}

async function perform(
  parts: GateParts,
  run: GatedCall & { readonly handler: AnyHandler; readonly mode: PolicyMode | null },
): Promise<Ran> {
  const { context, invocation, call, mode } = run;
  const action = definitionOf(invocation.action);
  const body = await run.handler(context, call.input);
  const status = action.creates ? 201 : 200;
  if (call.dryRun) {
    const plan = await planOf(parts, context);
    throw new RolledBack({ status: 200, body: { ...body, dry_run: true, plan } });
  }
  if (call.approve && mode === 'require_approval') {
    await recordOwnApproval(context, { action: invocation.action, input: call.input, body });
  }
  await noteConsequences(context);
  await recordChanges(context);
  const events = await recordEvents(context, mode === 'notify_and_proceed' ? { notify: true } : {});
  return { outcome: { status, body }, context, events, replayed: false };
}

/** Tries the action, keeps its plan, undoes it, and writes nothing but the request. */
async function defer(parts: GateParts, run: GatedCall & { readonly handler: AnyHandler }): Promise<Ran> {
  const { context, invocation, call } = run;
  const trial = await tryOut(parts, { ...run, handler: run.handler });
  const approval = await insertApproval(context, {
    action: invocation.action,
    input: call.input,
    ...trial,
  });
  const events = await recordEvents(context, {});
  return {
    outcome: { status: 202, body: deferredAnswer(approval) },
    context,
    events,
    replayed: false,
  };
}

/** Runs the handler behind a savepoint and takes back all that it did. */
async function tryOut(
  parts: GateParts,
  run: GatedCall & { readonly handler: AnyHandler },
): Promise<{ readonly body: Record<string, unknown>; readonly plan: unknown }> {
  const { context } = run;
  const trial = new ActionContext({
    trx: context.trx,
    caller: context.caller,
    services: parts.services,
    correlationId: context.correlationId,
    dryRun: true,
  });
  await sql`savepoint trial`.execute(context.trx);
  const body = await run.handler(trial, run.call.input);
  const plan = await planOf(parts, trial);
  await sql`rollback to savepoint trial`.execute(context.trx);
  return { body, plan };
}

async function planOf(parts: GateParts, context: ActionContext): Promise<unknown> {
  const names = await hostnamesOf(context);
  return parts.services.deliverer.plan(context.changes, names);
}

async function inTransaction(
  parts: GateParts,
  invocation: Pick<Invocation, 'caller' | 'correlationId'> & { readonly input: unknown },
  work: (context: ActionContext) => Promise<Ran>,
): Promise<Outcome> {
  const dryRun = isDryRun(invocation.input);
  let ran: Ran;
  try {
    ran = await inAccount(parts.store, invocation.caller.accountId, (trx) =>
      work(
        new ActionContext({
          trx,
          caller: invocation.caller,
          services: parts.services,
          correlationId: invocation.correlationId,
          dryRun,
        }),
      ),
    );
  } catch (error) {
    if (error instanceof RolledBack) return error.outcome;
    throw error;
  }
  if (ran.replayed) return ran.outcome;
  tell(parts, ran);
  const later = await laterAnswer(parts, ran.context);
  return { ...ran.outcome, body: { ...ran.outcome.body, ...later } };
}

/** Without it the answer says what was true at the commit. */
async function laterAnswer(parts: GateParts, context: ActionContext): Promise<Record<string, unknown>> {
  try {
    const answer = await context.laterAnswer?.((work) => inAccount(parts.store, context.accountId, work));
    return answer ?? {};
  } catch (error) {
    if (error instanceof ProductError) return {};
    throw error;
  }
}

function isDryRun(input: unknown): boolean {
  return typeof input === 'object' && input !== null && (input as { dry_run?: unknown }).dry_run === true;
}

/** After the commit: delivery first, then whoever listens to events. */
export function tell(
  parts: Pick<GateParts, 'services' | 'bus'>,
  { context, events }: Pick<Ran, 'context' | 'events'>,
): void {
  if (context.sequence !== null) {
    parts.services.deliverer.changed(context.accountId, context.sequence, context.changes);
    parts.bus.publish({ kind: 'changed', accountId: context.accountId, sequence: context.sequence });
  }
  for (const run of context.afterCommit) run();
  publishEvents(parts.bus, events);
}

async function modeOf(context: ActionContext, key: ActionKey): Promise<PolicyMode | null> {
  const { category } = definitionOf(key);
  if (category === null) return null;
  return policyMode(context.trx, {
    accountId: context.accountId,
    category: category.name,
    defaultMode: category.defaultMode,
  });
}

function requirePermission(caller: Caller, permission: ReturnType<typeof definitionOf>['permission']): void {
  if (permission === null || caller.permissions.has(permission)) return;
  throw new ProductError(
    'permission_denied',
    `This needs the permission ${permission}. Ask an administrator of the account for it.`,
    { members: { permission } },
  );
}

function blocked(key: ActionKey): ProductError {
  const { category, name } = definitionOf(key);
  return new ProductError(
    'policy_blocked',
    `The account's policy for ${category?.name} is "blocked", so ${name} is refused. Change it with system_set_policy.`,
  );
}
