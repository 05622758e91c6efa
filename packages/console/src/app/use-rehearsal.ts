// A dry run asked for by a form, so that it can say at its fields what is wrong, and what would change, before it is sent.
import type { Problem } from '@powernode/core/errors';
import { useCallback, useRef, useState } from 'react';
import type { ChangeAction, Parameters, Rehearsal } from '../api/client.ts';
import { problemOfThrown } from '../api/problem.ts';
import { client } from './platform.ts';

export interface Rehearsing<K extends ChangeAction> {
  /** null: it was refused, and `problem` says why. */
  run(parameters: Parameters<K>): Promise<Rehearsal<K> | null>;
  readonly busy: boolean;
  readonly problem: Problem | null;
}

export function useRehearsal<K extends ChangeAction>(key: K): Rehearsing<K> {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const running = useRef(false);
  const run = useCallback(
    async (parameters: Parameters<K>): Promise<Rehearsal<K> | null> => {
      if (running.current) return null;
      running.current = true;
      setBusy(true);
      setProblem(null);
      try {
        return await client.rehearse(key, parameters);
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
  return { run, busy, problem };
}
