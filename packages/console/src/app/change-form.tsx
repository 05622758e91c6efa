// The form of a change. Before it changes several machines it shows which and how, and is sent by a second press.
import type { Plan } from '@powernode/core/intent/autonomy';
import { type FormEvent, type ReactNode, useCallback, useEffect, useRef, useState } from 'react';
import type { Answer, ChangeAction, ChangePreview, Parameters } from '../api/client.ts';
import { Button } from '../parts/button.tsx';
import { count } from '../parts/format.ts';
import { PlanView } from '../parts/plan.tsx';
import { Note, ProblemNote } from '../parts/states.tsx';
import { client } from './platform.ts';
import { type Attempt, useAttempt } from './use-attempt.ts';
import { messageAt, useChange } from './use-change.ts';

/** A change of one machine is what one asked for; more are worth a look before. */
const shownFrom = 2;

export interface ChangeFormProps<K extends ChangeAction> {
  readonly action: K;
  /** What is to be sent, from what is written in the fields now. */
  readonly parameters: Parameters<K>;
  /** On the button: "Create rule". */
  readonly verb: string;
  readonly label?: string;
  /** It stands on a page or in a sheet, not in a dialog of its own. */
  readonly panel?: boolean;
  readonly onCancel: () => void;
  /** It is done, or it waits for approval. */
  readonly onDone: (answer: Answer<K>) => void;
  /** Asked before anything is sent; false: not now. */
  readonly isReady?: () => boolean;
  /** Stands above the fields' foot: what happened to the object while the form was open. */
  readonly meanwhile?: ReactNode;
  /** The object is not any more what the form was opened on. */
  readonly onConflict?: () => void;
  /** With another value, what the platform last refused is no longer shown. */
  readonly resetOn?: number;
  /** The fields, given what is wrong with each by the path of its parameter. */
  readonly children: (errorOf: (path: string) => string | null) => ReactNode;
}

interface Shown {
  readonly of: string;
  readonly plan: Plan;
}

export function ChangeForm<K extends ChangeAction>(props: ChangeFormProps<K>) {
  const { action, parameters, verb, onCancel, onDone } = props;
  const preview = usePreview(action);
  const change = useChange(action);
  const [shown, setShown] = useState<Shown | null>(null);
  const asked = JSON.stringify(parameters);
  const plan = shown?.of === asked ? shown.plan : null;
  const problem = preview.problem ?? change.problem;
  const foot = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (plan !== null) foot.current?.scrollIntoView({ block: 'nearest' });
  }, [plan]);

  const { onConflict, resetOn } = props;
  const conflicts = problem?.code === 'revision_conflict';
  const conflict = useRef(onConflict);
  conflict.current = onConflict;
  useEffect(() => {
    if (conflicts) conflict.current?.();
  }, [conflicts]);
  const [resetPreview, resetChange] = [preview.reset, change.reset];
  // biome-ignore lint/correctness/useExhaustiveDependencies: its change is what this waits for
  useEffect(() => {
    resetPreview();
    resetChange();
  }, [resetOn, resetPreview, resetChange]);

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault();
    if (props.isReady?.() === false) return;
    if (plan === null) {
      change.reset();
      const found = await preview.run(parameters);
      if (found === null) return;
      if (found.plan.node_count >= shownFrom) {
        setShown({ of: asked, plan: found.plan });
        return;
      }
    }
    const answer = await change.run(parameters);
    if (answer !== null) onDone(answer);
  }

  return (
    <form
      className={props.panel === true ? 'panel form' : 'form'}
      aria-label={props.label}
      onSubmit={(event) => void submit(event)}
      noValidate
    >
      {props.children((path) => messageAt(problem, path))}
      {plan === null ? null : <PlanToConfirm plan={plan} />}
      {props.meanwhile}
      <ProblemNote problem={problem} />
      <div className="form-foot" ref={foot}>
        <Button onClick={onCancel}>Cancel</Button>
        <Button type="submit" variant="primary" busy={change.busy || preview.busy}>
          {plan === null ? verb : `${verb}: change ${count(plan.node_count, 'instance')}`}
        </Button>
      </div>
    </form>
  );
}

function PlanToConfirm({ plan }: { readonly plan: Plan }) {
  return (
    <section className="section" aria-label="Plan">
      <h3>Plan</h3>
      <PlanView plan={plan} />
      <div role="status">
        <Note tone="wait" icon="alert">
          Nothing has changed yet. Review the plan, then confirm.
        </Note>
      </div>
    </section>
  );
}

/** A dry run of the form’s action: what is wrong at its fields, and what would change, before it is sent. */
function usePreview<K extends ChangeAction>(key: K): Attempt<Parameters<K>, ChangePreview<K>> {
  const send = useCallback((parameters: Parameters<K>) => client.previewChange(key, parameters), [key]);
  return useAttempt(send);
}
