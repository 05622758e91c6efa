// Peers in an order that one chooses: the first takes over first.
import { IconButton } from '../../../parts/button.tsx';
import type { Choice } from '../../../parts/form.tsx';
import { PickField } from '../../../parts/pick-field.tsx';
import type { NameOf } from '../names.ts';

export interface HolderOrderProps {
  readonly label: string;
  readonly chosen: readonly string[];
  readonly choices: readonly Choice<string>[];
  readonly nameOf: NameOf;
  readonly onChange: (chosen: readonly string[]) => void;
  readonly error: string | null;
}

export function HolderOrder({ label, chosen, choices, nameOf, onChange, error }: HolderOrderProps) {
  function earlier(i: number): void {
    const next = [...chosen];
    const [moved] = next.splice(i, 1);
    if (moved !== undefined) next.splice(i - 1, 0, moved);
    onChange(next);
  }
  return (
    <fieldset className="field">
      <legend className="label">
        {label}
        <span className="optional">optional, in this order</span>
      </legend>
      {chosen.length === 0 ? null : (
        <ol className="lines">
          {chosen.map((id, i) => {
            const name = nameOf(id);
            return (
              <li key={id} className="line-item">
                <span className="num muted">{i + 1}.</span>
                <strong className="grow">{name}</strong>
                <IconButton
                  icon="arrowUp"
                  size="small"
                  label={`Move ${name} up`}
                  disabled={i === 0}
                  onClick={() => earlier(i)}
                />
                <IconButton
                  icon="close"
                  size="small"
                  label={`Remove ${name}`}
                  onClick={() => onChange(chosen.filter((other) => other !== id))}
                />
              </li>
            );
          })}
        </ol>
      )}
      <PickField
        label={`Add to ${label.toLowerCase()}`}
        quiet
        value=""
        none="Add a peer…"
        onChange={(id) => (id === '' ? undefined : onChange([...chosen, id]))}
        choices={choices.filter(({ value }) => !chosen.includes(value))}
        error={error}
      />
    </fieldset>
  );
}
