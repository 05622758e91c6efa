// Lets in whoever has a valid token; everyone else is asked for one.
import { type ReactNode, useEffect } from 'react';
import { problemOfThrown } from '../api/problem.ts';
import { Button } from '../parts/button.tsx';
import { Brandmark } from '../parts/icon.tsx';
import { Note, Skeleton } from '../parts/states.tsx';
import { eventLog } from './event-log.ts';
import { fetchAllPages } from './lazy-page.tsx';
import { goLive } from './live.ts';
import { queryClient } from './query-client.ts';
import { endSession, session } from './session.ts';
import { shownOnce } from './shown-once.ts';
import { SignIn } from './sign-in.tsx';
import { useStore } from './store.ts';
import { useWhoami } from './use-one.ts';

export function Gate({ children }: { readonly children: ReactNode }) {
  const { token } = useStore(session);
  useEffect(() => {
    if (token !== null) return;
    // What one operator saw is not for the next one.
    queryClient.clear();
    eventLog.clear();
    shownOnce.set([]);
  }, [token]);
  return token === null ? <SignIn /> : <Inside>{children}</Inside>;
}

/** Between two tries to find out who the token belongs to. */
const againMs = 2_000;

function Inside({ children }: { readonly children: ReactNode }) {
  const who = useWhoami();
  const known = who.data !== undefined;
  useEffect(() => (known ? goLive() : undefined), [known]);
  useEffect(() => {
    if (known) void fetchAllPages();
  }, [known]);
  const { isError, refetch } = who;
  useEffect(() => {
    if (known || !isError) return;
    const timer = setInterval(() => void refetch(), againMs);
    return () => clearInterval(timer);
  }, [known, isError, refetch]);
  if (known) return children;
  return (
    <main className="entry">
      <span className="brand">
        <Brandmark />
        Powernode
      </span>
      <h1 className="sr-only">Powernode</h1>
      {isError ? (
        <Note
          tone="bad"
          icon="offline"
          title={problemOfThrown(who.error).title}
          action={<Button onClick={() => endSession(null)}>Sign out</Button>}
        >
          {problemOfThrown(who.error).detail} Trying again…
        </Note>
      ) : (
        <Skeleton what="your account" lines={3} />
      )}
    </main>
  );
}
