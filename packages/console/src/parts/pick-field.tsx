// A choice among objects. Few are a plain list; of many, one writes a part of the name first.
import { consoleChoicesMax } from '@powernode/core/limits/console';
import { useMemo, useState } from 'react';
import { type Choice, SelectField, TextField } from './form.tsx';
import { count } from './format.ts';

export interface PickFieldProps {
  readonly label: string;
  readonly hint?: string;
  readonly error?: string | null;
  readonly quiet?: boolean;
  /** Empty while nothing is chosen. */
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly choices: readonly Choice<string>[];
  /** What stands there while nothing is chosen. */
  readonly none?: string;
}

export function PickField({ choices, value, none = 'Choose…', hint, ...rest }: PickFieldProps) {
  const [filter, setFilter] = useState('');
  const many = choices.length > consoleChoicesMax;
  const fitting = useMemo(() => {
    const part = filter.trim().toLowerCase();
    return part === '' ? choices : choices.filter((choice) => choice.text.toLowerCase().includes(part));
  }, [choices, filter]);
  const shown = fitting.slice(0, consoleChoicesMax);
  const chosen = choices.filter((choice) => choice.value === value && !shown.includes(choice));
  const left = fitting.length - shown.length;
  const more = left > 0 ? `${count(left, 'more', 'more')} match: type more of the name` : hint;
  return (
    <>
      {many ? (
        <TextField
          label={`Find: ${rest.label}`}
          value={filter}
          onChange={setFilter}
          placeholder="Part of the name"
        />
      ) : null}
      <SelectField
        {...rest}
        {...(more === undefined ? {} : { hint: more })}
        value={value}
        choices={[{ value: '', text: none }, ...chosen, ...shown]}
      />
    </>
  );
}
