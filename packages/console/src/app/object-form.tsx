// What the forms of networks, rules, port mappings and virtual IPs have in common: what each is given, what is written in its
// fields, and the field that most begin with. Sending it is the part of change-form.tsx.
import { useState } from 'react';
import { TextField } from '../parts/form.tsx';

export interface ObjectFormProps<T> {
  readonly onCancel: () => void;
  /** The object as it is now; null: the change waits for approval. */
  readonly onDone: (object: T | null) => void;
}

interface FieldValues<V> {
  readonly values: V;
  readonly set: (part: Partial<V>) => void;
}

/** What fields that stand together are given. */
export interface FieldsProps<V> extends FieldValues<V> {
  /** What is wrong with a field, by the path of its parameter. */
  readonly errorOf: (path: string) => string | null;
}

export function useFieldValues<V>(start: () => V): FieldValues<V> {
  const [values, setValues] = useState(start);
  return { values, set: (part) => setValues((now) => ({ ...now, ...part })) };
}

export function NameField({ values, set, errorOf }: FieldsProps<{ readonly name: string }>) {
  return (
    <TextField
      label="Name"
      autoFocus
      value={values.name}
      onChange={(name) => set({ name })}
      error={errorOf('name')}
    />
  );
}
