// Making an operator, and changing its name or role.
import { type FormEvent, useState } from 'react';
import { tell } from '../../app/toasts.ts';
import { useChange } from '../../app/use-change.ts';
import { Button } from '../../parts/button.tsx';
import { SelectField, TextField } from '../../parts/form.tsx';
import { ProblemNote } from '../../parts/states.tsx';
import type { Operator } from './operators.tsx';

const roles = [
  { value: 'viewer', text: 'Viewer', meaning: 'Sees everything, changes nothing.' },
  { value: 'operator', text: 'Operator', meaning: 'Runs networks and machines, and makes its own tokens.' },
  { value: 'admin', text: 'Admin', meaning: 'Also operators, policies and approvals.' },
  { value: 'owner', text: 'Owner', meaning: 'As an admin; an account always has one.' },
] as const;

export interface OperatorFormProps {
  /** null: a new one. */
  readonly operator: Operator | null;
  readonly onClose: () => void;
}

export function OperatorForm({ operator, onClose }: OperatorFormProps) {
  const create = useChange('createOperator');
  const update = useChange('updateOperator');
  const change = operator === null ? create : update;
  const [name, setName] = useState(operator?.name ?? '');
  const [role, setRole] = useState<(typeof roles)[number]['value']>(operator?.role ?? 'operator');

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault();
    const answer =
      operator === null
        ? await create.run({ name, role })
        : await update.run({ operator_id: operator.id, name, role, if_revision: operator.revision });
    if (answer === null) return;
    if (operator === null && answer.kind === 'done') {
      tell({ tone: 'done', text: `Operator ${name} is made. It needs an API token to sign in.` });
    }
    onClose();
  }

  return (
    <form className="form" onSubmit={(event) => void submit(event)} noValidate>
      <TextField label="Name" autoFocus value={name} onChange={setName} error={change.fieldError('name')} />
      <SelectField
        label="Role"
        value={role}
        onChange={setRole}
        choices={roles}
        hint={roles.find((one) => one.value === role)?.meaning}
        error={change.fieldError('role')}
      />
      <ProblemNote problem={change.problem} />
      <div className="form-foot">
        <Button onClick={onClose}>Cancel</Button>
        <Button type="submit" variant="primary" busy={change.busy}>
          {operator === null ? 'Make operator' : 'Save'}
        </Button>
      </div>
    </form>
  );
}
