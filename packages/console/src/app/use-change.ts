// A change asked for by a form or a button: it is under way, done, waiting for a decision, or refused with reasons.

import type { Problem } from '@powernode/core/errors';
import { useCallback, useRef, useState } from 'react';
import { actionFacts } from '../api/actions.ts';
import type { Answer, ChangeAction, Deferred, Parameters } from '../api/client.ts';
import { nounsOf } from '../api/nouns.ts';
import { problemOfThrown } from '../api/problem.ts';
import { client } from './platform.ts';
import { refresh } from './query-client.ts';
import { tell } from './toasts.ts';

export interface Change<K extends ChangeAction> {
  /** Resolves with what became of it; null: it was refused, and `problem` says why. */
  run(parameters: Parameters<K>): Promise<Answer<K> | null>;
  readonly busy: boolean;
  readonly problem: Problem | null;
  /** The message for a field of the form, by the path of the parameter. */
  fieldError(path: string): string | null;
  reset(): void;
}

export function useChange<K extends ChangeAction>(key: K): Change<K> {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const running = useRef(false);

  const run = useCallback(
    async (parameters: Parameters<K>): Promise<Answer<K> | null> => {
      if (running.current) return null;
      running.current = true;
      setBusy(true);
      setProblem(null);
      try {
        const answer = await client.change(key, parameters);
        const nouns = new Set(nounsOf(actionFacts[key].category ?? ''));
        if (answer.kind === 'pending') announcePending(answer.deferred);
        refresh(answer.kind === 'pending' ? new Set(['approvals']) : nouns, 'short');
        return answer;
      } catch (thrown) {
        setProblem(problemOfThrown(thrown));
        return null;
      } finally {
        running.current = false;
        setBusy(false);
      }
    },
    [key],
  );

  const reset = useCallback(() => setProblem(null), []);
  const fieldError = (path: string) => messageAt(problem, path);
  return { run, busy, problem, fieldError, reset };
}

/** A message about a part of a field (`tags.0`) belongs to the field. */
export function messageAt(problem: Problem | null, path: string): string | null {
  const found = (problem?.errors ?? []).filter((e) => e.path === path || e.path.startsWith(`${path}.`));
  return found.length === 0 ? null : found.map((e) => e.message).join('; ');
}

function announcePending(deferred: Deferred): void {
  tell({
    tone: 'wait',
    text: `Waits for approval: ${deferred.summary}`,
    link: { approvalId: deferred.id, label: 'Open the request' },
  });
}
