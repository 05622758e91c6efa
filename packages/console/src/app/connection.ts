// Whether the screens are true now: the state of the line to the platform, and when it last said anything.
import type { StreamState } from '@powernode/client/event-stream';
import { createStore } from './store.ts';

export interface Connection {
  /** live: events come; polling: this token may not listen, so lists are read again and again; lost: nobody answers. */
  readonly state: 'connecting' | 'live' | 'polling' | 'lost';
  /** When the platform last answered or said something, by this machine's clock. */
  readonly heardAt: number | null;
  /** When it is tried again. */
  readonly retryAt: number | null;
}

export const connection = createStore<Connection>({ state: 'connecting', heardAt: null, retryAt: null });

/** The clock of the last sign of life is kept apart from the store: it moves with every byte, and only matters once
 * the line is lost. */
let heardAt: number | null = null;

export function noteAlive(now: number): void {
  heardAt = now;
}

/** Takes what the stream says. A try that follows a loss is still a loss until it succeeds. */
export function noteStream(stream: StreamState): void {
  connection.update((now) => {
    switch (stream.kind) {
      case 'connecting':
        return now.state === 'lost' ? { ...now, retryAt: null } : now;
      case 'open':
        return { state: 'live', heardAt, retryAt: null };
      case 'lost':
        return {
          state: 'lost',
          heardAt: now.state === 'lost' ? now.heardAt : heardAt,
          retryAt: stream.retryAt,
        };
      case 'refused':
        return { state: 'polling', heardAt, retryAt: null };
      default:
        return stream satisfies never;
    }
  });
}

export function resetConnection(): void {
  heardAt = null;
  connection.set({ state: 'connecting', heardAt: null, retryAt: null });
}
