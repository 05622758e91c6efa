// Signing in: a token, checked with the platform before it is kept.

import { callError } from '@powernode/client/call-error';
import type { Problem } from '@powernode/core/errors';
import { type FormEvent, useEffect, useState } from 'react';
import { createClient } from '../api/client.ts';
import { problemOfThrown } from '../api/problem.ts';
import { Button } from '../parts/button.tsx';
import { TextField } from '../parts/form.tsx';
import { Brandmark } from '../parts/icon.tsx';
import { Note, ProblemNote } from '../parts/states.tsx';
import { session, startSession } from './session.ts';
import { useStore } from './store.ts';

export function SignIn() {
  const { notice } = useStore(session);
  const [token, setToken] = useState('');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  useEffect(() => {
    document.title = 'Sign in · Powernode';
  }, []);

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault();
    const given = token.trim();
    setBusy(true);
    setProblem(null);
    try {
      if (!sendable.test(given)) throw notSendable;
      await clientFor(given).read('whoami', {});
      startSession(given);
    } catch (thrown) {
      setProblem(problemOfThrown(thrown));
    } finally {
      setBusy(false);
    }
  }

  const wrong = problem?.code === 'unauthenticated' ? problem.detail : null;
  return (
    <main className="entry">
      <span className="brand">
        <Brandmark />
        Powernode
      </span>
      <form className="panel form" onSubmit={(event) => void submit(event)} noValidate>
        <h1>Sign in</h1>
        {notice === null ? null : (
          <Note tone="wait" icon="lock">
            {notice}
          </Note>
        )}
        {wrong === null ? <ProblemNote problem={problem} /> : null}
        <TextField
          label="Token"
          secret
          mono
          autoFocus
          value={token}
          onChange={setToken}
          error={wrong}
          hint={
            <>
              An API token of an operator. The first administrator’s is in <code>admin-token</code> in the
              platform’s data directory. It is kept in this tab only.
            </>
          }
        />
        <Button type="submit" variant="primary" busy={busy} disabled={token.trim() === ''}>
          Sign in
        </Button>
      </form>
    </main>
  );
}

/** What a header can carry; anything else came along while copying. */
const sendable = /^[\x21-\x7e]+$/;
const notSendable = callError(
  'unauthenticated',
  'A token has no spaces or special characters. Copy the whole token again, and nothing else.',
);

/** A token that is only tried: it is not the session's. */
function clientFor(token: string) {
  return createClient({
    fetch: (url, init) => fetch(url, init),
    token: () => token,
    newIdempotencyKey: () => crypto.randomUUID(),
  });
}
