// Fields of forms: label, control, hint, and the platform's complaint about this very field.
import { type ReactNode, useId, useState } from 'react';
import { Icon } from './icon.tsx';

interface Base {
  readonly label: string;
  readonly hint?: ReactNode;
  readonly error?: string | null;
  readonly optional?: boolean;
  /** The label is only heard: what is around says it to the eye. */
  readonly quiet?: boolean;
}

interface Control {
  readonly id: string;
  readonly 'aria-invalid'?: true;
  readonly 'aria-describedby'?: string;
}

function Field(props: Base & { readonly children: (control: Control) => ReactNode }) {
  const id = useId();
  const { label, hint, error, optional, quiet } = props;
  const bad = error !== undefined && error !== null;
  const described = [hint === undefined ? '' : `${id}-hint`, bad ? `${id}-error` : ''].join(' ').trim();
  const control: Control = {
    id,
    ...(bad ? { 'aria-invalid': true } : {}),
    ...(described === '' ? {} : { 'aria-describedby': described }),
  };
  return (
    <div className="field">
      <label htmlFor={id} className={quiet === true ? 'sr-only' : undefined}>
        {label}
        {optional === true ? <span className="optional">optional</span> : null}
      </label>
      {props.children(control)}
      {bad ? (
        <p className="field-error" id={`${id}-error`}>
          <Icon name="alert" />
          {error}
        </p>
      ) : null}
      {hint === undefined ? null : (
        <p className="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}

export interface TextFieldProps extends Base {
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly placeholder?: string;
  readonly mono?: boolean;
  readonly secret?: boolean;
  readonly numeric?: boolean;
  readonly autoFocus?: boolean;
  /** What may be meant; anything else can be written, too. */
  readonly suggestions?: readonly string[];
}

export function TextField({
  value,
  onChange,
  placeholder,
  mono,
  secret,
  numeric,
  autoFocus,
  suggestions,
  ...base
}: TextFieldProps) {
  return (
    <Field {...base}>
      {(control) => (
        <>
          <input
            {...control}
            className={mono === true ? 'input mono' : 'input'}
            type={secret === true ? 'password' : 'text'}
            inputMode={numeric === true ? 'numeric' : undefined}
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            autoFocus={autoFocus}
            placeholder={placeholder}
            value={value}
            onChange={(event) => onChange(event.target.value)}
            list={suggestions === undefined ? undefined : `${control.id}-list`}
          />
          {suggestions === undefined ? null : (
            <datalist id={`${control.id}-list`}>
              {suggestions.map((text) => (
                <option key={text} value={text} />
              ))}
            </datalist>
          )}
        </>
      )}
    </Field>
  );
}

export function TextArea({ value, onChange, ...base }: Base & Pick<TextFieldProps, 'value' | 'onChange'>) {
  return (
    <Field {...base}>
      {(control) => (
        <textarea
          {...control}
          className="input"
          value={value}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Field>
  );
}

export interface Choice<T extends string> {
  readonly value: T;
  readonly text: string;
}

export interface SelectFieldProps<T extends string> extends Base {
  readonly value: T;
  readonly choices: readonly Choice<T>[];
  readonly onChange: (value: T) => void;
}

export function SelectField<T extends string>({ value, choices, onChange, ...base }: SelectFieldProps<T>) {
  return (
    <Field {...base}>
      {(control) => (
        <select
          {...control}
          className="input"
          value={value}
          onChange={(event) => {
            const chosen = choices.find((choice) => choice.value === event.target.value);
            if (chosen !== undefined) onChange(chosen.value);
          }}
        >
          {choices.map((choice) => (
            <option key={choice.value} value={choice.value}>
              {choice.text}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

export interface CheckProps {
  readonly label: ReactNode;
  readonly hint?: ReactNode;
  readonly checked: boolean;
  readonly onChange: (checked: boolean) => void;
}

export function Check({ label, hint, checked, onChange }: CheckProps) {
  const id = useId();
  return (
    <div className="check">
      <input id={id} type="checkbox" checked={checked} onChange={(event) => onChange(event.target.checked)} />
      <label htmlFor={id}>
        {label}
        {hint === undefined ? null : <span className="hint"> {hint}</span>}
      </label>
    </div>
  );
}

export interface TagsFieldProps extends Base {
  readonly tags: readonly string[];
  readonly onChange: (tags: readonly string[]) => void;
}

/** Tags are written one after the other; a space, a comma or Enter ends one. */
export function TagsField({ tags, onChange, ...base }: TagsFieldProps) {
  const [draft, setDraft] = useState('');
  function add(text: string): void {
    const more = text.split(/[\s,]+/).filter((tag) => tag !== '' && !tags.includes(tag));
    if (more.length > 0) onChange([...tags, ...new Set(more)]);
    setDraft('');
  }
  return (
    <Field {...base}>
      {(control) => (
        <>
          {tags.length === 0 ? null : (
            <span className="tags">
              {tags.map((tag) => (
                <span className="tag" key={tag}>
                  {tag}
                  <button
                    type="button"
                    aria-label={`Remove tag ${tag}`}
                    onClick={() => onChange(tags.filter((other) => other !== tag))}
                  >
                    ×
                  </button>
                </span>
              ))}
            </span>
          )}
          <input
            {...control}
            className="input mono"
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            value={draft}
            onBlur={() => add(draft)}
            onChange={(event) =>
              /[\s,]$/.test(event.target.value) ? add(event.target.value) : setDraft(event.target.value)
            }
            onKeyDown={(event) => {
              if (event.key !== 'Enter' || draft === '') return;
              event.preventDefault();
              add(draft);
            }}
          />
        </>
      )}
    </Field>
  );
}
