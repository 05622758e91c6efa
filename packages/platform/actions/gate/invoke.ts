// The gate that every call passes: parse → permission → policy → run in one transaction → record → commit → notify.
// A dry run takes the same way and is rolled back, so that it can promise nothing that a real run would refuse.
import { type ActionKey, definitionOf } from '@powernode/core/actions/catalogue';
import { ProductError } from '@powernode/core/errors';
import type { PolicyMode } from '@powernode/core/intent/autonomy';
import type { Event } from '@powernode/core/intent/fleet';
import { type EventBus, publishEvents } from '../../events/event-bus.ts';
import type { Store } from '../../store/open-store.ts';
import { inAccount } from '../../store/tenancy.ts';
import { ActionContext, type Handlers, type Services } from '../context.ts';
import type { Caller, Invocation, Invoke, Outcome } from '../invoke-types.ts';
import { accountOfCall } from './account-of-call.ts';
import { type AnyHandler, handlerOf } from './any-handler.ts';
import { deferredAnswer, recordOwnApproval, requestOfCaller } from './approvals.ts';
import { noteConsequences } from './consequences.ts';
import { claim, type IdempotentCall, idempotentCall, keep, type Sealer } from './idempotency.ts';
import { closeOutdatedRequests } from './outdated.ts';
import { asOfModel, modeOverMcp, refuseOverMcp, withoutSecrets } from './over-mcp.ts';
import { type ParsedCall, parseCall } from './parse.ts';
import { pendingAlike } from './pending.ts';
import { modeForOwners, policyMode } from './policies.ts';
import { recordChanges, recordEvents } from './record.ts';
import { isTouched, type Trial, trialOf } from './trial.ts';
import { unlessUnchanged } from './unchanged.ts';

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

export function createGate(parts: GateParts): Invoke {
  return (invocation) => invoke(parts, invocation);
}

async function invoke(parts: GateParts, asked: Invocation): Promise<Outcome> {
  const invocation = asOfModel(asked);
  const action = definitionOf(invocation.action);
  requireOneOf(invocation.caller, [action.plansFirst?.permission, action.permission]);
  const call = parseCall(invocation.action, invocation.input);
  if (!call.dryRun) requirePermission(invocation.caller, action.permission);
  refuseOverMcp(invocation, call);
  if (call.approve) requirePermission(invocation.caller, 'system.approvals.decide');
  const idempotent =
    invocation.idempotencyKey === undefined || action.category === null || call.dryRun
      ? null
      : idempotentCall(invocation.idempotencyKey, {
          action: action.name,
          input: invocation.input,
          tokenId: invocation.caller.tokenId,
        });
  const { nouns } = parts.services;
  const accountId = await accountOfCall(parts.store, { ...invocation, call, nouns });
  const outcome = await inTransaction(parts, { ...invocation, accountId }, (context) =>
    runGated(parts, { context, invocation, call, idempotent }),
  );
  return invocation.overMcp === undefined ? outcome : withoutSecrets(outcome);
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
  const mode = modeOverMcp(await modeOf(context, invocation), { invocation, call });
  if (mode === 'blocked' && !call.dryRun) throw blocked(invocation.action);
  const run = { ...gated, handler: handlerOf(parts.handlers, invocation.action), mode };
  if (call.dryRun) return dryRun(run);
  const asks = mode === 'require_approval' && !call.approve;
  const ran = asks || (await asksInTheEnd(run)) ? await defer(run) : await perform(run);
  if (idempotent !== null)
    await keep(context, { call: idempotent, outcome: ran.outcome, sealer: parts.sealer });
  return ran;
}

/** What it would do, with its plan. Nothing of it stays, so that nobody is notified after the commit. */
async function dryRun(run: GatedRun): Promise<Ran> {
  const { body, plan } = await tryOut(run);
  const outcome = { status: 200 as const, body: { ...body, dry_run: true, plan } };
  return { outcome, context: run.context, events: [], replayed: false };
}

/** Of what a model asks for: whether doing it shows that it is for a person, which its parameters did not. */
async function asksInTheEnd(run: GatedRun): Promise<boolean> {
  const { invocation, mode } = run;
  if (invocation.overMcp === undefined || mode === null) return false;
  if (definitionOf(invocation.action).needsPerson === 'only') return false;
  const trial = await tryOut(run);
  return trial.forPerson;
}

interface GatedRun extends GatedCall {
  readonly handler: AnyHandler;
  readonly mode: PolicyMode | null;
}

async function perform(run: GatedRun): Promise<Ran> {
  const { context, invocation, call, mode } = run;
  const action = definitionOf(invocation.action);
  const work = () => run.handler(context, call.input);
  const body = action.category === null ? await work() : await unlessUnchanged(context, work);
  const status = action.creates ? 201 : 200;
  if (call.approve && mode === 'require_approval' && isTouched(context)) {
    await recordOwnApproval(context, { action: invocation.action, input: call.input, body });
  }
  await noteConsequences(context);
  await closeOutdatedRequests(context);
  await recordChanges(context);
  const events = await recordEvents(context, mode === 'notify_and_proceed' ? { notify: true } : {});
  return { outcome: { status, body }, context, events, replayed: false };
}

/**
 * Tries the action, keeps its plan, undoes it, and writes nothing but the request. What would change nothing has nothing
 * to be decided, and what waits already is asked for once.
 */
async function defer(run: GatedRun): Promise<Ran> {
  const { context, invocation, call } = run;
  const trial = await tryOut(run);
  if (trial.changesNothing) return performNothing(run);
  const asked = { action: invocation.action, input: call.input, plan: trial.plan };
  const approval =
    (await pendingAlike(context, { ...asked, named: run.idempotent !== null })) ??
    (await requestOfCaller(context, {
      ...asked,
      body: trial.body,
      overMcp: invocation.overMcp !== undefined,
    }));
  const events = await recordEvents(context, {});
  return {
    outcome: { status: 202, body: deferredAnswer(approval) },
    context,
    events,
    replayed: false,
  };
}

/** Runs the handler behind a savepoint and takes back all that it did. */
function tryOut(run: GatedRun): Promise<Trial> {
  const { context, call, handler, invocation } = run;
  return trialOf(context, { action: invocation.action, caller: context.caller, input: call.input, handler });
}

/** For real, so that the answer is that of a call and not of a trial. */
async function performNothing(run: GatedRun): Promise<Ran> {
  const ran = await perform(run);
  if (!isTouched(ran.context)) return ran;
  throw new ProductError('conflict', 'The object changed while this was requested. Try again.');
}

async function inTransaction(
  parts: GateParts,
  invocation: Invocation & { readonly accountId: string },
  work: (context: ActionContext) => Promise<Ran>,
): Promise<Outcome> {
  const { accountId, caller } = invocation;
  const ran = await inAccount(parts.store, accountId, (trx) =>
    work(
      new ActionContext({
        trx,
        caller,
        action: definitionOf(invocation.action).name,
        accountId,
        services: parts.services,
        correlationId: invocation.correlationId,
        dryRun: false,
        overMcp: invocation.overMcp !== undefined,
      }),
    ),
  );
  if (ran.replayed) return ran.outcome;
  notify(parts, ran);
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

/** After the commit: delivery first, then whoever listens to events. */
export function notify(
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

async function modeOf(
  context: ActionContext,
  { action, caller }: Pick<Invocation, 'action' | 'caller'>,
): Promise<PolicyMode | null> {
  const { category } = definitionOf(action);
  if (category === null) return null;
  const mode = await policyMode(context.trx, {
    accountId: context.accountId,
    category: category.name,
    defaultMode: category.defaultMode,
  });
  return modeForOwners(mode, { caller, category: category.name });
}

type Required = ReturnType<typeof definitionOf>['permission'];

function requirePermission(caller: Caller, permission: Required): void {
  requireOneOf(caller, [permission]);
}

/** Whoever may do more may do less. null: nothing is needed; undefined: there is no such permission. The first is named. */
function requireOneOf(caller: Caller, permissions: readonly (Required | undefined)[]): void {
  const known = permissions.filter((permission) => permission !== undefined);
  if (known.some((one) => one === null || caller.permissions.has(one))) return;
  const [permission] = known;
  throw new ProductError(
    'permission_denied',
    `This requires the permission ${permission}. Ask an administrator of the account.`,
    { members: { permission } },
  );
}

function blocked(key: ActionKey): ProductError {
  const { category, name } = definitionOf(key);
  return new ProductError(
    'policy_blocked',
    `The account's policy for ${category?.name} is "blocked", so ${name} is refused. Change it with system_set_policy; an owner can always do so.`,
  );
}
