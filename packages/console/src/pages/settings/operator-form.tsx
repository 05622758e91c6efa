// Making an operator, and changing its name or role.
import { ChangeForm } from '../../app/change-form.tsx';
import { EditForm } from '../../app/edit-form.tsx';
import { type FieldsProps, NameField, useFieldValues } from '../../app/object-form.tsx';
import { tell } from '../../app/toasts.ts';
import type { Row } from '../../app/use-rows.ts';
import { SelectField } from '../../parts/form.tsx';

export type Operator = Row<'listOperators'>;

const roles = [
  { value: 'viewer', text: 'Viewer', meaning: 'Read-only access.' },
  {
    value: 'operator',
    text: 'Operator',
    meaning: 'Manages networks and instances, and creates its own tokens.',
  },
  { value: 'admin', text: 'Admin', meaning: 'Also manages operators, policies and approvals.' },
  { value: 'owner', text: 'Owner', meaning: 'Like an admin. An account always has at least one owner.' },
] as const;

type Values = Pick<Operator, 'name' | 'role'>;

const valuesOf = ({ name, role }: Operator): Values => ({ name, role });

export function CreateOperator({ onClose }: { readonly onClose: () => void }) {
  const { values, set } = useFieldValues<Values>(() => ({ name: '', role: 'operator' }));
  return (
    <ChangeForm
      action="createOperator"
      verb="Create operator"
      parameters={values}
      onCancel={onClose}
      onDone={(answer) => {
        if (answer.kind === 'done') {
          tell({
            tone: 'done',
            text: `Operator ${values.name} is created. It needs an API token to sign in.`,
          });
        }
        onClose();
      }}
    >
      {(errorOf) => <Fields {...{ values, set, errorOf }} />}
    </ChangeForm>
  );
}

export interface EditOperatorProps {
  readonly operator: Operator;
  readonly onClose: () => void;
}

export function EditOperator({ operator, onClose }: EditOperatorProps) {
  return (
    <EditForm
      action="updateOperator"
      object={operator}
      named={{ operator_id: operator.id }}
      valuesOf={valuesOf}
      parametersOf={(values) => values}
      onCancel={onClose}
      onDone={onClose}
    >
      {(fields) => <Fields {...fields} />}
    </EditForm>
  );
}

function Fields({ values, set, errorOf }: FieldsProps<Values>) {
  return (
    <>
      <NameField {...{ values, set, errorOf }} />
      <SelectField
        label="Role"
        value={values.role}
        onChange={(role) => set({ role })}
        choices={roles}
        hint={roles.find((one) => one.value === values.role)?.meaning}
        error={errorOf('role')}
      />
    </>
  );
}
