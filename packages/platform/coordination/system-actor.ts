// The system as an actor: changes that no operator asks for pass the same transaction, record and notification as those
// of a call, under the name of the platform, or of the machine or page that caused them.
import type { PlatformAction } from '@powernode/core/actions/platform-actions';
import type { Change } from '@powernode/core/compile/fleet-index';
import type { Event } from '@powernode/core/intent/fleet';
import { ActionContext, type Services, type Trx } from '../actions/context.ts';
import { noteConsequences } from '../actions/gate/consequences.ts';
import { notify } from '../actions/gate/invoke.ts';
import { closeOutdatedRequests } from '../actions/gate/outdated.ts';
import { recordChanges, recordEvents } from '../actions/gate/record.ts';
import { type EventBus, publishEvents } from '../events/event-bus.ts';
import { platformActor } from '../events/write-events.ts';
import type { Store } from '../store/open-store.ts';
import { inAccount } from '../store/tenancy.ts';

export interface SystemParts {
  readonly store: Pick<Store, 'db'>;
  readonly bus: EventBus;
  readonly services: Services;
}

export interface SystemCall {
  readonly accountId: string;
  readonly action: PlatformAction;
  readonly actor: Event['actor'];
  readonly correlationId: string;
}

/** Runs the work in one transaction of the account; after the commit, delivery and readers of events get what it changed. */
export async function inSystemTransaction<T>(
  parts: SystemParts,
  call: SystemCall,
  work: (context: ActionContext) => Promise<T>,
): Promise<T> {
  const { result, context, events } = await inAccount(parts.store, call.accountId, async (trx) => {
    const own = new ActionContext(contextParts(parts.services, call, trx));
    const done = await work(own);
    await noteConsequences(own);
    await closeOutdatedRequests(own);
    await recordChanges(own);
    return { result: done, context: own, events: await recordEvents(own, {}) };
  });
  notify(parts, { context, events });
  return result;
}

function contextParts(services: Services, call: SystemCall, trx: Trx) {
  const { accountId, action, actor, correlationId } = call;
  const caller = {
    operatorId: actor.id ?? '',
    operatorName: actor.name,
    accountId,
    tokenId: '',
    token: { name: '', madeBy: null, expiresAt: null, isLimited: true, isForModel: false },
    role: 'viewer' as const,
    permissions: new Set<never>(),
    platformAdmin: false,
  };
  return { trx, caller, action, services, correlationId, dryRun: false, actor };
}

interface Followed {
  /** What was written for delivery; null: nothing follows. */
  readonly change: { readonly sequence: number; readonly changes: readonly Change[] } | null;
  /** In how long more may follow from what is so already; null: nothing will. */
  readonly againMs: number | null;
}

/**
 * Writes what follows from something that was observed, with the events of what it means for other objects; `follow`
 * answers in how long to look again, or null. Delivery is the caller's, who observed it. Before there are services
 * nothing is observed.
 */
export async function followObserved(
  parts: Pick<SystemParts, 'store' | 'bus'> & { readonly services: Services | null },
  { accountId, action }: Pick<SystemCall, 'accountId' | 'action'>,
  follow: (context: ActionContext) => Promise<number | null>,
): Promise<Followed> {
  const { services } = parts;
  if (services === null) throw new Error('nothing is observed before there are services');
  const { followed, events, afterCommit } = await inAccount(parts.store, accountId, async (trx) => {
    const call = {
      accountId,
      action,
      actor: platformActor,
      correlationId: services.newId(),
    };
    const context = new ActionContext(contextParts(services, call, trx));
    const againMs = await follow(context);
    await noteConsequences(context);
    await closeOutdatedRequests(context);
    await recordChanges(context);
    const { sequence, changes } = context;
    return {
      followed: { change: sequence === null ? null : { sequence, changes }, againMs },
      events: await recordEvents(context, {}),
      afterCommit: context.afterCommit,
    };
  });
  for (const run of afterCommit) run();
  publishEvents(parts.bus, events);
  return followed;
}
