// Making an API token: whose, what for, how much it may do; then its secret, this once.
import type { Permission } from '@powernode/core/intent/account';
import { type FormEvent, useState } from 'react';
import { usePermissions } from '../../app/permissions.ts';
import { useChange } from '../../app/use-change.ts';
import { useWhoami } from '../../app/use-one.ts';
import { Button } from '../../parts/button.tsx';
import { CopyBlock } from '../../parts/copy.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { Check, SelectField, TextField } from '../../parts/form.tsx';
import { Note, ProblemNote } from '../../parts/states.tsx';
import type { Operator } from './operator-form.tsx';

const lifetimes = [
  { value: '', text: 'Never' },
  { value: '86400', text: 'In 1 day' },
  { value: '2592000', text: 'In 30 days' },
  { value: '31536000', text: 'In 1 year' },
] as const;

export interface NewApiTokenProps {
  readonly operators: readonly Operator[];
  readonly onClose: () => void;
}

export function NewApiToken({ operators, onClose }: NewApiTokenProps) {
  const [secret, setSecret] = useState<string | null>(null);
  return (
    <Dialog title="New API token" onClose={onClose} wide firm={secret !== null}>
      {secret === null ? (
        <ApiTokenForm operators={operators} onClose={onClose} onMade={setSecret} />
      ) : (
        <Secret secret={secret} onClose={onClose} />
      )}
    </Dialog>
  );
}

type ApiTokenFormProps = NewApiTokenProps & { readonly onMade: (secret: string) => void };

function ApiTokenForm({ operators, onClose, onMade }: ApiTokenFormProps) {
  const change = useChange('createApiToken');
  const me = useWhoami().data?.operator.id ?? '';
  const [name, setName] = useState('');
  const [owner, setOwner] = useState(me);
  const [lifetime, setLifetime] = useState<(typeof lifetimes)[number]['value']>('2592000');
  const [narrow, setNarrow] = useState(false);
  const [permissions, setPermissions] = useState<ReadonlySet<Permission>>(new Set());
  const [forModel, setForModel] = useState(false);

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault();
    const answer = await change.run({
      name,
      ...(owner === me ? {} : { operator_id: owner }),
      ...(lifetime === '' ? {} : { expires_in_seconds: Number(lifetime) }),
      ...(narrow ? { permissions: [...permissions] } : {}),
      ...(forModel ? { for_model: true } : {}),
    });
    if (answer?.kind === 'done') onMade(answer.body.api_token.token);
    else if (answer !== null) onClose();
  }

  const others = operators.filter((operator) => operator.id !== me && !operator.disabled);
  return (
    <form className="form" onSubmit={(event) => void submit(event)} noValidate>
      <TextField
        label="Name"
        hint="What it is used for. Shown in the list only."
        autoFocus
        value={name}
        onChange={setName}
        error={change.fieldError('name')}
      />
      <div className="form-columns">
        <SelectField
          label="Operator"
          value={owner}
          onChange={setOwner}
          choices={[
            { value: me, text: 'You' },
            ...others.map((operator) => ({ value: operator.id, text: operator.name })),
          ]}
          error={change.fieldError('operator_id')}
        />
        <SelectField
          label="Expires"
          value={lifetime}
          onChange={setLifetime}
          choices={lifetimes}
          error={change.fieldError('expires_in_seconds')}
        />
      </div>
      <Check label="Limit its permissions" checked={narrow} onChange={setNarrow} />
      {narrow ? <PermissionChoice chosen={permissions} onChange={setPermissions} /> : null}
      <Check
        label="Used by an AI model: changes that need a person wait for approval"
        checked={forModel}
        onChange={setForModel}
      />
      <ProblemNote problem={change.problem} />
      <div className="form-foot">
        <Button onClick={onClose}>Cancel</Button>
        <Button type="submit" variant="primary" busy={change.busy}>
          Create token
        </Button>
      </div>
    </form>
  );
}

interface PermissionChoiceProps {
  readonly chosen: ReadonlySet<Permission>;
  readonly onChange: (chosen: ReadonlySet<Permission>) => void;
}

/** One cannot give what one does not have, so these are one's own. */
function PermissionChoice({ chosen, onChange }: PermissionChoiceProps) {
  const mine = [...usePermissions()];
  return (
    <fieldset className="field">
      <legend className="label">Permissions</legend>
      <div className="form-columns">
        {mine.map((permission) => (
          <Check
            key={permission}
            label={<code>{permission}</code>}
            checked={chosen.has(permission)}
            onChange={(checked) => {
              const next = new Set(chosen);
              if (checked) next.add(permission);
              else next.delete(permission);
              onChange(next);
            }}
          />
        ))}
      </div>
    </fieldset>
  );
}

function Secret({ secret, onClose }: { readonly secret: string; readonly onClose: () => void }) {
  return (
    <>
      <Note tone="wait" icon="key" title="Copy it now">
        It is shown only once. Anyone who has it can act with its permissions.
      </Note>
      <CopyBlock text={secret} label="the token" />
      <div className="form-foot">
        <Button variant="primary" onClick={onClose}>
          I have copied it
        </Button>
      </div>
    </>
  );
}
