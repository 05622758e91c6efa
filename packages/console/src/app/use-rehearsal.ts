// A dry run asked for by a form, so that it can say at its fields what is wrong, and what would change, before it is sent.
import { useCallback } from 'react';
import type { ChangeAction, Parameters, Rehearsal } from '../api/client.ts';
import { client } from './platform.ts';
import { type Attempt, useAttempt } from './use-attempt.ts';

export function useRehearsal<K extends ChangeAction>(key: K): Attempt<Parameters<K>, Rehearsal<K>> {
  const send = useCallback((parameters: Parameters<K>) => client.rehearse(key, parameters), [key]);
  return useAttempt(send);
}
