// Something that is sent to the platform at most once at a time: whether it is under way, and why it was refused.
import type { Problem } from '@powernode/core/errors';
import { useCallback, useRef, useState } from 'react';
import { problemOfThrown } from '../api/problem.ts';

export interface Attempt<Input, Output> {
  /** null: it was refused, and `problem` says why; or one is under way already. */
  run(input: Input): Promise<Output | null>;
  readonly busy: boolean;
  readonly problem: Problem | null;
  reset(): void;
}

/** `send` has to be the same function as long as it does the same. */
export function useAttempt<Input, Output>(send: (input: Input) => Promise<Output>): Attempt<Input, Output> {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const running = useRef(false);
  const run = useCallback(
    async (input: Input): Promise<Output | null> => {
      if (running.current) return null;
      running.current = true;
      setBusy(true);
      setProblem(null);
      try {
        return await send(input);
      } catch (thrown) {
        setProblem(problemOfThrown(thrown));
        return null;
      } finally {
        running.current = false;
        setBusy(false);
      }
    },
    [send],
  );
  const reset = useCallback(() => setProblem(null), []);
  return { run, busy, problem, reset };
}
