// Asks before a policy is loosened or tightened, says what will happen, and offers to undo it afterwards.
import type { PolicyMode } from '@powernode/core/intent/autonomy';
import { useState } from 'react';
import type { Output } from '../../api/client.ts';
import { problemOfThrown } from '../../api/problem.ts';
import { useChangers } from '../../app/edit-form.tsx';
import { PlannedDialog } from '../../app/planned-dialog.tsx';
import { client } from '../../app/platform.ts';
import { refresh } from '../../app/query-client.ts';
import { tell } from '../../app/toasts.ts';
import type { Row } from '../../app/use-rows.ts';
import { Button } from '../../parts/button.tsx';
import { Note } from '../../parts/states.tsx';
import { policyWords } from '../../parts/statuses.tsx';
import { sentencesOf, turnOfModes } from './policy-words.ts';

export type Policy = Row<'listPolicies'>;

export interface PolicyDialogProps {
  /** As the platform tells it now. */
  readonly policy: Policy;
  /** null: back to the default. */
  readonly mode: PolicyMode | null;
  readonly onClose: () => void;
}

const titles = { loosen: 'Loosen', tighten: 'Tighten', keep: 'Set' } as const;

export function PolicyDialog({ policy, mode, onClose }: PolicyDialogProps) {
  const [opened, setOpened] = useState(policy);
  const who = useChangers(policy, opened.revision);
  const to = mode ?? opened.default_mode;
  const turn = titles[turnOfModes(opened.mode, to)];
  const { category, description } = opened;
  const isNewer = policy.revision > opened.revision;
  return (
    <PlannedDialog
      // Another policy than the one that was asked about is another question.
      key={opened.revision}
      action="setPolicy"
      parameters={{ category, mode, if_revision: opened.revision }}
      title={`${turn} the policy of ${category}`}
      verb={`${turn} policy`}
      tone={turn === 'Tighten' ? 'primary' : 'danger'}
      onClose={onClose}
      onDone={({ policy: set }) => {
        offerUndo(opened, set);
        onClose();
      }}
    >
      {sentencesOf({ category, description, from: opened.mode, to }).map((sentence) => (
        <p key={sentence}>{sentence}</p>
      ))}
      <div role="status">
        {isNewer ? (
          <Note tone="wait" icon="alert" title={`${who} changed this while you were editing`}>
            <p>
              Mode: <del>{policyWords[opened.mode].text}</del> → <ins>{policyWords[policy.mode].text}</ins>
            </p>
            <Button onClick={() => setOpened(policy)}>Continue from there</Button>
          </Note>
        ) : null}
      </div>
    </PlannedDialog>
  );
}

type SetPolicy = Output<'setPolicy'>['policy'];

function offerUndo(before: Policy, set: SetPolicy): void {
  tell({
    tone: 'done',
    text: `${set.category} ${policyWords[set.mode].meaning}`,
    undo: () => void takeBack(before, set),
  });
}

/** Refused when somebody else set the policy after that: theirs is not taken back. */
async function takeBack(before: Policy, set: SetPolicy): Promise<void> {
  const { category } = set;
  try {
    const answer = await client.change('setPolicy', {
      category,
      mode: before.is_default ? null : before.mode,
      if_revision: set.revision,
    });
    if (answer.kind === 'done') {
      tell({ tone: 'done', text: `Undone: ${category} ${policyWords[answer.body.policy.mode].meaning}` });
    } else {
      const link = { approvalId: answer.deferred.id, label: 'Open the request' };
      tell({ tone: 'wait', text: `The undo waits for approval: ${answer.deferred.summary}`, link });
    }
  } catch (thrown) {
    tell({ tone: 'bad', text: `${category} was not undone: ${problemOfThrown(thrown).detail}` });
  }
  refresh(new Set(['policies', 'approvals']), 'short');
}
