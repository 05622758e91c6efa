// Of which packets the matrix is: a protocol, and a port where there are ports.
import { type FormEvent, useState } from 'react';
import { Button } from '../../../parts/button.tsx';
import { SelectField, TextField } from '../../../parts/form.tsx';
import { type Protocol, protocols, protocolTexts } from './ends.ts';

export interface PacketChoiceProps {
  readonly protocol: Protocol;
  readonly port: number | undefined;
  readonly onChoose: (next: { readonly protocol: Protocol; readonly port?: number }) => void;
}

export function PacketChoice({ protocol, port, onChoose }: PacketChoiceProps) {
  const [draft, setDraft] = useState(String(port ?? ''));
  const number = Number(draft);
  const fits = Number.isInteger(number) && number >= 1 && number <= 65535;
  function submit(event: FormEvent): void {
    event.preventDefault();
    if (fits) onChoose({ protocol, port: number });
  }
  return (
    <form className="inline-form" onSubmit={submit} noValidate aria-label="Traffic">
      <SelectField
        label="Protocol of the matrix"
        value={protocol}
        onChange={(next) => onChoose({ protocol: next })}
        choices={protocols.map((value) => ({ value, text: protocolTexts[value] }))}
      />
      {port === undefined ? null : (
        <>
          <TextField
            label="Port of the matrix"
            numeric
            value={draft}
            onChange={setDraft}
            error={fits ? null : 'Enter a port from 1 to 65535'}
          />
          <Button type="submit" disabled={!fits || number === port}>
            Show
          </Button>
        </>
      )}
    </form>
  );
}
