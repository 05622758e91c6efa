// A change asked for by a form or a button: it is under way, done, waiting for a decision, or refused with reasons.
import type { Problem } from '@powernode/core/errors';
import { useCallback } from 'react';
import { actionFacts } from '../api/actions.ts';
import type { Answer, ChangeAction, Deferred, Parameters } from '../api/client.ts';
import { nounsOf } from '../api/nouns.ts';
import { client } from './platform.ts';
import { refresh } from './query-client.ts';
import { tell } from './toasts.ts';
import { type Attempt, useAttempt } from './use-attempt.ts';

export interface Change<K extends ChangeAction> extends Attempt<Parameters<K>, Answer<K>> {
  /** The message for a field of the form, by the path of the parameter. */
  fieldError(path: string): string | null;
}

export function useChange<K extends ChangeAction>(key: K): Change<K> {
  const send = useCallback(
    async (parameters: Parameters<K>): Promise<Answer<K>> => {
      const answer = await client.change(key, parameters);
      const nouns = new Set(nounsOf(actionFacts[key].category ?? ''));
      if (answer.kind === 'pending') announcePending(answer.deferred);
      refresh(answer.kind === 'pending' ? new Set(['approvals']) : nouns, 'short');
      return answer;
    },
    [key],
  );
  const attempt = useAttempt(send);
  return { ...attempt, fieldError: (path) => messageAt(attempt.problem, path) };
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
