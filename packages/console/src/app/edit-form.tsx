// The form of an edit: the only way by which a form of the console changes an object that is there. It sends the fields
// that were touched and the revision at opening. A change of somebody else stands in it until the person has decided.
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useRef, useState } from 'react';
import { actionFacts } from '../api/actions.ts';
import type { Answer, ChangeAction, Parameters } from '../api/client.ts';
import { nounsOf } from '../api/nouns.ts';
import { Button } from '../parts/button.tsx';
import { Note } from '../parts/states.tsx';
import { labelOf, wordsOf } from '../parts/values.ts';
import { ChangeForm } from './change-form.tsx';
import {
  changersOf,
  type Difference,
  differencesOf,
  type Editable,
  type Members,
  mergedOf,
  touchedOf,
} from './edit.ts';
import { eventLog } from './event-log.ts';
import type { FieldsProps } from './object-form.tsx';
import { useMay } from './permissions.ts';
import { client } from './platform.ts';
import { refresh } from './query-client.ts';
import { useStore } from './store.ts';

/** The actions that change an object field by field. */
export type EditAction = Extract<ChangeAction, `update${string}`>;

export interface EditFormProps<K extends EditAction, T extends Editable, V extends object> {
  readonly action: K;
  /** As the platform tells it now: it changes while the form is open. */
  readonly object: T;
  /** By which parameter the object is named. */
  readonly named: Partial<Parameters<K>>;
  /** What stands in the fields. Fields that only make sense together are one value. */
  readonly valuesOf: (object: T) => V;
  readonly parametersOf: (values: V) => Partial<Parameters<K>>;
  /** The name of an object that a parameter refers to. */
  readonly nameOf?: (id: string) => string | null;
  readonly label?: string;
  readonly panel?: boolean;
  readonly onCancel: () => void;
  readonly onDone: (answer: Answer<K>) => void;
  readonly children: (fields: FieldsProps<V>) => ReactNode;
}

export function EditForm<K extends EditAction, T extends Editable, V extends object>(
  props: EditFormProps<K, T, V>,
) {
  const { action, object, valuesOf, nameOf, children, ...same } = props;
  const parametersOf = props.parametersOf as (values: V) => Members;
  const [opened, setOpened] = useState(object);
  const [values, setValues] = useState(() => valuesOf(object));
  const [decisions, setDecisions] = useState(0);
  const note = useRef<HTMLDivElement>(null);
  const written = parametersOf(values);
  const openedParameters = parametersOf(valuesOf(opened));
  // A slower answer may bring an older state than the one at opening.
  const isNewer = object.revision > opened.revision;
  const differences = isNewer
    ? differencesOf({ opened: valuesOf(opened), written: values, newest: valuesOf(object) }, parametersOf)
    : [];
  // Nothing that the form shows has changed, so there is nothing to decide.
  if (isNewer && differences.length === 0) setOpened(object);
  const touched = touchedOf(openedParameters, written);

  function decide(prefer: 'mine' | 'theirs'): void {
    setValues(mergedOf({ opened: valuesOf(opened), written: values, newest: valuesOf(object) }, prefer));
    setOpened(object);
    setDecisions(decisions + 1);
  }

  /** Whether there is anything to send, and nothing to decide before. */
  function isReady(): boolean {
    if (differences.length > 0) {
      note.current?.focus();
      return false;
    }
    if (Object.keys(touched).length > 0) return true;
    props.onCancel();
    return false;
  }

  return (
    <ChangeForm
      {...same}
      action={action}
      verb="Save"
      parameters={{ ...props.named, ...touched, if_revision: opened.revision } as unknown as Parameters<K>}
      isReady={isReady}
      resetOn={decisions}
      onConflict={() => {
        const nouns = new Set(nounsOf(actionFacts[action].category));
        refresh(nouns, 'short');
        refresh(nouns, 'long');
      }}
      meanwhile={
        <div role="status" ref={note} tabIndex={-1}>
          {differences.length === 0 ? null : (
            <Meanwhile
              {...{ object, differences, nameOf }}
              openedRevision={opened.revision}
              onDecide={decide}
            />
          )}
        </div>
      }
    >
      {(errorOf) => children({ values, set: (part) => setValues((now) => ({ ...now, ...part })), errorOf })}
    </ChangeForm>
  );
}

interface MeanwhileProps {
  readonly object: Editable;
  readonly openedRevision: number;
  readonly differences: readonly Difference[];
  readonly nameOf: ((id: string) => string | null) | undefined;
  readonly onDecide: (prefer: 'mine' | 'theirs') => void;
}

/** What changed since the form was opened, by whom, and what is to become of it. */
function Meanwhile({ object, openedRevision, differences, nameOf, onDecide }: MeanwhileProps) {
  const who = useChangers(object, openedRevision);
  const contested = differences.filter((one) => one.contested).length;
  return (
    <Note tone="wait" icon="alert" title={`${who} changed this while you were editing`}>
      <ul>
        {differences.map(({ parameter, was, now, mine, contested: both }) => (
          <li key={parameter}>
            {labelOf(parameter)}: <del>{wordsOf(was, nameOf)}</del> → <ins>{wordsOf(now, nameOf)}</ins>
            {both ? <> (your value: {wordsOf(mine, nameOf)})</> : null}
          </li>
        ))}
      </ul>
      <p>Your edits are still in the fields; nothing is saved yet.</p>
      <div className="row">
        {contested === 0 ? (
          <Button onClick={() => onDecide('mine')}>Continue with the newer values</Button>
        ) : (
          <>
            <Button onClick={() => onDecide('theirs')}>Use the newer values</Button>
            <Button onClick={() => onDecide('mine')}>Keep mine and continue</Button>
          </>
        )}
      </div>
    </Note>
  );
}

/** The operators behind the changes since a revision, as the beginning of a sentence. */
export function useChangers(object: Editable, openedRevision: number): string {
  const heard = changersOf(useStore(eventLog.store), object, openedRevision);
  const may = useMay('recentEvents');
  // Of a change that came while the stream was away there was no event here.
  const isUnheard = object.revision > openedRevision && heard.length === 0;
  const missed = useQuery({
    queryKey: ['events', 'changers', object.id, object.revision],
    queryFn: ({ signal }) => client.read('recentEvents', {}, signal),
    enabled: may && isUnheard,
  });
  const names = isUnheard ? changersOf(missed.data?.events ?? [], object, openedRevision) : heard;
  return names.length === 0 ? 'Someone' : names.join(' and ');
}
