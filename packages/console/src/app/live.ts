// Keeps the screens true: follows the stream of events, patches rows at once, and reads again what else they concern.
import { type EventStream, openEventStream, systemTimers } from '@powernode/client/event-stream';
import { PlatformClient } from '@powernode/client/platform-client';
import * as limits from '@powernode/core/limits/console';
import { readEvent } from '../api/event.ts';
import { type Noun, nounsOf, rowChangeOf, workedOut } from '../api/nouns.ts';
import { connection, noteAlive, noteStream, resetConnection } from './connection.ts';
import { eventLog } from './event-log.ts';
import { whenSilent } from './platform.ts';
import { patchLists, refresh, refreshAll, refreshFinished } from './query-client.ts';
import { endSession, session } from './session.ts';

interface Collector {
  add(nouns: readonly Noun[]): void;
  stop(): void;
}

/** Collects nouns and refreshes them together: soon after the first event of a burst, and then not too often. */
function collector(which: 'short' | 'long', spacingMs: number): Collector {
  const waiting = new Set<Noun>();
  let timer: ReturnType<typeof setTimeout> | null = null;
  let flushedAt = Number.NEGATIVE_INFINITY;
  function flush(): void {
    timer = null;
    flushedAt = performance.now();
    const nouns = new Set(waiting);
    waiting.clear();
    refresh(nouns, which);
  }
  return {
    add(nouns) {
      if (nouns.length === 0) return;
      for (const noun of nouns) waiting.add(noun);
      const rest = flushedAt + spacingMs - performance.now();
      timer ??= setTimeout(flush, Math.max(limits.consoleRefreshMs, rest));
    },
    stop() {
      if (timer !== null) clearTimeout(timer);
    },
  };
}

let current: EventStream | null = null;

/** Tries at once to reach a platform that is away. */
export function retryNow(): void {
  current?.retryNow();
}

/** Follows the events of whoever is signed in, until the function returned is called. */
export function goLive(): () => void {
  const short = collector('short', limits.consolePollBusyMs);
  const long = collector('long', limits.consoleLongListRefreshMs);
  let openedBefore = false;
  const stream = openEventStream({
    client: new PlatformClient({
      url: '',
      token: () => session.get().token,
      fetch: (url, init) => fetch(url, init),
      timeoutMs: null,
    }),
    path: '/api/v1/events/stream',
    timers: systemTimers,
    read: readEvent,
    onAlive: () => noteAlive(Date.now()),
    onUnreadable: (error) => console.warn(error),
    onEvent(event) {
      eventLog.add(event);
      const change = rowChangeOf(event);
      if (change !== null) patchLists(change);
      const nouns = nounsOf(event.kind);
      short.add(nouns);
      // What was patched in place is not worth reading a long list again.
      const patched = change !== null && !change.isNew;
      long.add(patched ? nouns.filter((noun) => workedOut.has(noun)) : nouns);
    },
    onState(state) {
      if (state.kind === 'open') noteAlive(Date.now());
      noteStream(state);
      if (state.kind === 'refused' && state.error.code === 'unauthenticated') {
        endSession(`You were signed out: ${state.error.problem.detail}`);
      }
      if (state.kind !== 'open') return;
      // What was read before the stream was there, or while it was away, may have changed unseen.
      if (openedBefore) refreshAll();
      else refreshFinished();
      openedBefore = true;
    },
  });
  current = stream;
  whenSilent(() => {
    if (connection.get().state === 'live') stream.retryNow();
  });
  return () => {
    current = null;
    whenSilent(null);
    short.stop();
    long.stop();
    stream.close();
    resetConnection();
  };
}
