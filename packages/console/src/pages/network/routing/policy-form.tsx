// The form of a route policy: its direction, its statements, and what it would do before it is saved.
import type { RoutePolicy } from '@powernode/core/intent/route-policy';
import { statementsPerPolicyMax } from '@powernode/core/limits/routing';
import { ChangeForm } from '../../../app/change-form.tsx';
import { EditForm } from '../../../app/edit-form.tsx';
import {
  type FieldsProps,
  NameField,
  type ObjectFormProps,
  useFieldValues,
} from '../../../app/object-form.tsx';
import { messageAt } from '../../../app/use-change.ts';
import { Button } from '../../../parts/button.tsx';
import { SelectField } from '../../../parts/form.tsx';
import { useMemberNames, usePeerNames } from '../names.ts';
import type { ViewProps } from '../view.ts';
import { PolicyPreview } from './policy-preview.tsx';
import {
  draftsOf,
  firstDraft,
  moved,
  positionsOf,
  type StatementDraft,
  statementParameters,
  withOneMore,
} from './statement-drafts.ts';
import { StatementFields } from './statement-fields.tsx';
import { StatementFinding } from './statement-finding.tsx';
import { usePreview } from './use-preview.ts';

type FormProps = ViewProps & ObjectFormProps<RoutePolicy>;

interface Values {
  readonly name: string;
  readonly direction: RoutePolicy['direction'];
  readonly statements: readonly StatementDraft[];
}

function valuesOf({ name, direction, statements }: RoutePolicy): Values {
  return { name, direction, statements: draftsOf(statements) };
}

function parametersOf({ name, direction, statements }: Values) {
  return { name, direction, statements: statementParameters(statements) };
}

export function CreatePolicy({ network, onCancel, onDone }: FormProps) {
  const fields = useFieldValues<Values>(() => ({ name: '', direction: 'import', statements: [firstDraft] }));
  return (
    <ChangeForm
      action="createRoutePolicy"
      verb="Create route policy"
      parameters={{ network_id: network.id, ...parametersOf(fields.values) }}
      onCancel={onCancel}
      onDone={(answer) => onDone(answer.kind === 'done' ? answer.body.route_policy : null)}
    >
      {(errorOf) => <Fields network={network} policyId={null} {...fields} errorOf={errorOf} />}
    </ChangeForm>
  );
}

export function EditPolicy({
  network,
  policy,
  onCancel,
  onDone,
}: FormProps & { readonly policy: RoutePolicy }) {
  const nameOf = useMemberNames(network.id);
  return (
    <EditForm
      action="updateRoutePolicy"
      object={policy}
      named={{ route_policy_id: policy.id }}
      valuesOf={valuesOf}
      parametersOf={parametersOf}
      nameOf={nameOf}
      label="Edit the route policy"
      panel
      onCancel={onCancel}
      onDone={(answer) => onDone(answer.kind === 'done' ? answer.body.route_policy : null)}
    >
      {(fields) => <Fields network={network} policyId={policy.id} {...fields} />}
    </EditForm>
  );
}

interface PolicyFieldsProps extends ViewProps, FieldsProps<Values> {
  /** null: it is a new policy. */
  readonly policyId: string | null;
}

function Fields({ network, policyId, values, set, errorOf }: PolicyFieldsProps) {
  const { direction, statements } = values;
  const peers = usePeerNames(network.id);
  const preview = usePreview(policyId, { direction, statements: statementParameters(statements) });
  const wrong = (path: string) => errorOf(path) ?? messageAt(preview.problem, path);
  const change = (next: readonly StatementDraft[]) => set({ statements: next });
  const positions = positionsOf(statements);
  const findings = preview.answer?.findings.filter(({ object }) => object.id === preview.id) ?? [];
  return (
    <>
      <NameField values={values} set={set} errorOf={errorOf} />
      <SelectField
        label="Direction"
        value={direction}
        onChange={(next) => set({ direction: next })}
        choices={[
          { value: 'import', text: 'Import, on what each peer receives' },
          { value: 'export', text: 'Export, on what a peer announces itself' },
        ]}
        error={wrong('direction')}
      />
      {statements.map((draft, i) => (
        <StatementFields
          key={draft.key}
          number={i + 1}
          draft={draft}
          peers={peers}
          errorOf={(name) => wrong(`statements.${positions[i]}.${name}`)}
          onChange={(part) => change(statements.with(i, { ...draft, ...part }))}
          onMove={(by) => change(moved(statements, i, by))}
          canMove={{ up: i > 0, down: i < statements.length - 1 }}
          onRemove={() => change(statements.toSpliced(i, 1))}
          findings={findings
            .filter(({ object }) => String(object.seq) === draft.seq.trim())
            .map((finding) => <StatementFinding key={finding.kind} finding={finding} />)}
        />
      ))}
      {statements.length === 0 ? <p className="field-error">{wrong('statements')}</p> : null}
      <div className="row">
        <Button
          size="small"
          icon="join"
          disabled={statements.length >= statementsPerPolicyMax}
          onClick={() => change(withOneMore(statements))}
        >
          Add statement
        </Button>
      </div>
      <PolicyPreview preview={preview} peers={peers} network={network} />
    </>
  );
}
