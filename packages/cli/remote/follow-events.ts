// Follows the events of a platform for a command: it fails where a person should look, and else connects again.
import { type EventStream, openEventStream, systemTimers } from '@powernode/client/event-stream';
import type { PlatformClient } from '@powernode/client/platform-client';

export interface FollowParts<T> {
  readonly platform: PlatformClient;
  readonly path: string;
  /** Reads the data of one event; what it throws ends the command. */
  readonly read: (data: string) => T;
  readonly onEvent: (event: T) => void;
  /** Told once for each lost connection. */
  readonly onLost: (reason: string) => void;
}

/** Never resolves: it rejects when the platform refuses, sends what cannot be read, or does not answer the first time. */
export async function followEvents<T>(parts: FollowParts<T>): Promise<never> {
  const { platform: client, path, read, onEvent, onLost } = parts;
  let stream: EventStream | undefined;
  let wasOpen = false;
  let isLost = false;
  try {
    return await new Promise<never>((_, reject) => {
      stream = openEventStream({
        ...{ client, path, read, onEvent, timers: systemTimers },
        onUnreadable(error) {
          stream?.close();
          reject(error as Error);
        },
        onAlive: () => {},
        onState(state) {
          if (state.kind === 'refused') return reject(state.error);
          if (state.kind === 'open') [wasOpen, isLost] = [true, false];
          if (state.kind !== 'lost') return;
          if (!wasOpen) return reject(state.reason as Error);
          if (!isLost) onLost(messageOf(state.reason));
          isLost = true;
        },
      });
    });
  } finally {
    stream?.close();
  }
}

function messageOf(reason: unknown): string {
  return reason instanceof Error ? reason.message : String(reason);
}
