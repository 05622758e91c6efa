// Changes that no operator asks for: the same transaction, record and telling as behind the gate, in the name of
// whoever is behind them.
import type { Change } from '@powernode/core/compile/fleet-index';
import type { Event } from '@powernode/core/intent/fleet';
import { type EventBus, publishEvents } from '../../events/event-bus.ts';
import type { Store } from '../../store/open-store.ts';
import { inAccount } from '../../store/tenancy.ts';
import { ActionContext, type Services, type Trx } from '../context.ts';
import { noteConsequences } from '../sdwan/consequences.ts';
import { tell } from './invoke.ts';
import { recordChanges, recordEvents } from './record.ts';

export interface OwnParts {
  readonly store: Pick<Store, 'db'>;
  readonly bus: EventBus;
  readonly services: Services;
}

export interface OwnAccord {
  readonly accountId: string;
  readonly actor: Event['actor'];
  readonly correlationId: string;
}

/** Runs the work in one transaction of the account, then tells of what it changed. */
export async function ofItsOwnAccord<T>(
  parts: OwnParts,
  accord: OwnAccord,
  work: (context: ActionContext) => Promise<T>,
): Promise<T> {
  const { result, context, events } = await inAccount(parts.store, accord.accountId, async (trx) => {
    const own = new ActionContext(contextParts(parts.services, accord, trx));
    const done = await work(own);
    await noteConsequences(own);
    await recordChanges(own);
    return { result: done, context: own, events: await recordEvents(own, {}) };
  });
  tell(parts, { context, events });
  return result;
}

function contextParts(services: Services, accord: OwnAccord, trx: Trx) {
  const { accountId, actor, correlationId } = accord;
  const caller = {
    operatorId: actor.id ?? '',
    operatorName: actor.name,
    accountId,
    tokenId: '',
    permissions: new Set<never>(),
    platformAdmin: false,
  };
  return { trx, caller, services, correlationId, dryRun: false, actor };
}

/** What was written for delivery; null: nothing follows. */
type Followed = { readonly sequence: number; readonly changes: readonly Change[] } | null;

/**
 * Writes what follows from something that was observed, with the events of what it means for other objects. Delivery is
 * the caller's, who observed it. Before there are services nothing is observed.
 */
export async function followObserved(
  parts: Pick<OwnParts, 'store' | 'bus'> & { readonly services: Services | null },
  accountId: string,
  follow: (trx: Trx) => Promise<Followed>,
): Promise<Followed> {
  const { services } = parts;
  const { followed, events } = await inAccount(parts.store, accountId, async (trx) => {
    const made = await follow(trx);
    if (made === null || services === null) return { followed: made, events: [] };
    const accord = {
      accountId,
      actor: { kind: 'platform' as const, id: null, name: 'platform' },
      correlationId: services.newId(),
    };
    const context = new ActionContext(contextParts(services, accord, trx), {
      sequence: made.sequence,
      changes: [...made.changes],
      events: [],
      afterCommit: [],
      laterAnswer: null,
    });
    await noteConsequences(context);
    return { followed: made, events: await recordEvents(context, {}) };
  });
  publishEvents(parts.bus, events);
  return followed;
}
