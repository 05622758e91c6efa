// The events that this page has seen since it was opened, newest first, up to a limit.
import { consoleEventsKeptMax } from '@powernode/core/limits/console';
import type { Event } from '../api/event.ts';
import { createStore } from './store.ts';

const store = createStore<readonly Event[]>([]);

export const eventLog = {
  store,
  /** A reconnected stream may repeat the last event. */
  add(event: Event): void {
    store.update((events) => {
      if (events.some((known, i) => i < 100 && known.id === event.id)) return events;
      return [event, ...events].slice(0, consoleEventsKeptMax);
    });
  },
  clear(): void {
    store.set([]);
  },
};
