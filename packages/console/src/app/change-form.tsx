// The form of a change. Before it changes several machines it shows which and how, and is sent by a second press.
import type { Plan } from '@powernode/core/intent/autonomy';
import { type FormEvent, type ReactNode, useEffect, useRef, useState } from 'react';
import type { Answer, ChangeAction, Parameters } from '../api/client.ts';
import { Button } from '../parts/button.tsx';
import { count } from '../parts/format.ts';
import { PlanView } from '../parts/plan.tsx';
import { Note, ProblemNote } from '../parts/states.tsx';
import { messageAt, useChange } from './use-change.ts';
import { useRehearsal } from './use-rehearsal.ts';

/** A change of one machine is what one asked for; more are worth a look before. */
const shownFrom = 2;

export interface ChangeFormProps<K extends ChangeAction> {
  readonly action: K;
  /** What is to be sent, from what is written in the fields now. */
  readonly parameters: Parameters<K>;
  /** On the button: "Make rule". */
  readonly verb: string;
  readonly label?: string;
  /** It stands on a page or in a sheet, not in a dialog of its own. */
  readonly panel?: boolean;
  readonly onCancel: () => void;
  /** It is done, or it waits for approval. */
  readonly onDone: (answer: Answer<K>) => void;
  /** The fields, given what is wrong with each by the path of its parameter. */
  readonly children: (errorOf: (path: string) => string | null) => ReactNode;
}

interface Shown {
  readonly of: string;
  readonly plan: Plan;
}

export function ChangeForm<K extends ChangeAction>(props: ChangeFormProps<K>) {
  const { action, parameters, verb, onCancel, onDone } = props;
  const rehearsal = useRehearsal(action);
  const change = useChange(action);
  const [shown, setShown] = useState<Shown | null>(null);
  const asked = JSON.stringify(parameters);
  const plan = shown?.of === asked ? shown.plan : null;
  const problem = rehearsal.problem ?? change.problem;
  const foot = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (plan !== null) foot.current?.scrollIntoView({ block: 'nearest' });
  }, [plan]);

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault();
    if (plan === null) {
      change.reset();
      const found = await rehearsal.run(parameters);
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
      {plan === null ? null : (
        <section className="section" aria-label="Plan">
          <h3>What it would do</h3>
          <PlanView plan={plan} />
          <div role="status">
            <Note tone="wait" icon="alert">
              Nothing is changed yet. Look at the plan, then press once more.
            </Note>
          </div>
        </section>
      )}
      <ProblemNote problem={problem} />
      <div className="form-foot" ref={foot}>
        <Button onClick={onCancel}>Cancel</Button>
        <Button type="submit" variant="primary" busy={change.busy || rehearsal.busy}>
          {plan === null ? verb : `${verb}: change ${count(plan.node_count, 'machine')}`}
        </Button>
      </div>
    </form>
  );
}
