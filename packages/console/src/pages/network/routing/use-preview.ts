// A preview of what stands in the form of a route policy: asked for by a press, and gone once the form says another thing.
import type { Problem } from '@powernode/core/errors';
import { useCallback, useState } from 'react';
import type { Output, Parameters } from '../../../api/client.ts';
import { client } from '../../../app/platform.ts';
import { useAttempt } from '../../../app/use-attempt.ts';

type Draft = Pick<Parameters<'createRoutePolicy'>, 'direction' | 'statements'>;
type Compiled = Output<'compileRoutePolicy'>;

export interface Preview {
  /** By which findings of the preview name it; null: it is a new policy. */
  readonly id: string | null;
  /** null: not asked for, or of something else than what the form says now. */
  readonly answer: Compiled | null;
  readonly busy: boolean;
  readonly problem: Problem | null;
  readonly ask: (peerId: string) => void;
}

export function usePreview(policyId: string | null, draft: Draft): Preview {
  const [shown, setShown] = useState<{ readonly of: string; readonly answer: Compiled } | null>(null);
  const [askedOf, setAskedOf] = useState('');
  const send = useCallback(
    (parameters: Parameters<'compileRoutePolicy'>) => client.read('compileRoutePolicy', parameters),
    [],
  );
  const { run, busy, problem } = useAttempt(send);
  const now = JSON.stringify(draft);

  async function ask(peerId: string): Promise<void> {
    setAskedOf(now);
    const about = policyId === null ? {} : { route_policy_id: policyId };
    const answer = await run({ peer_id: peerId, ...about, ...draft });
    setShown(answer === null ? null : { of: now, answer });
  }

  return {
    id: policyId,
    answer: shown?.of === now ? shown.answer : null,
    busy,
    problem: askedOf === now ? problem : null,
    ask: (peerId) => void ask(peerId),
  };
}
