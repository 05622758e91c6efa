// The port between what happens and who listens in this process and, over Redis, in the platform's other ones.
import type { Event } from '@powernode/core/intent/fleet';
import type { FailoverGossip } from './failover-gossip.ts';
import type { IdentityGossip, PresenceGossip } from './presence-gossip.ts';

/** What travels: an event for its readers, word that an account's networks changed, and what processes hear of nodes. */
export type BusMessage =
  | { readonly kind: 'event'; readonly accountId: string; readonly event: Event }
  | { readonly kind: 'changed'; readonly accountId: string; readonly sequence: number }
  | { readonly kind: 'instance_ended'; readonly accountId: string; readonly instanceId: string }
  | { readonly kind: 'retry'; readonly instanceId: string }
  | { readonly kind: 'failover'; readonly gossip: FailoverGossip }
  | { readonly kind: 'capability'; readonly instanceId: string; readonly capability: number }
  | { readonly kind: 'presence'; readonly presence: PresenceGossip }
  | { readonly kind: 'identity'; readonly identity: IdentityGossip };

/** Delivers to every subscriber of every process, at most once, in the order of one publisher. Whoever must not
 * miss anything reads the database after a gap. */
export interface EventBus {
  publish(message: BusMessage): void;
  /** Returns the function that ends the subscription. */
  subscribe(listener: (message: BusMessage) => void): () => void;
  close(): Promise<void>;
}

/** To be called after the commit. */
export function publishEvents(bus: Pick<EventBus, 'publish'>, events: readonly Event[]): void {
  for (const event of events) bus.publish({ kind: 'event', accountId: event.account_id, event });
}

/** The bus of a single process. A listener that throws is the listener's bug and does not stop the others. */
export function inProcessBus(onListenerError: (error: unknown) => void): EventBus {
  const listeners = new Set<(message: BusMessage) => void>();
  return {
    publish(message) {
      for (const listener of [...listeners]) {
        try {
          listener(message);
        } catch (error) {
          onListenerError(error);
        }
      }
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      listeners.clear();
    },
  };
}
