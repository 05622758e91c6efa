// The operators of the account: people and programs, with their roles.
import { useMemo, useState } from 'react';
import { ListTable } from '../../app/list-table.tsx';
import { useMay } from '../../app/permissions.ts';
import { PlannedDialog } from '../../app/planned-dialog.tsx';
import { tell } from '../../app/toasts.ts';
import { useRows } from '../../app/use-rows.ts';
import { Button } from '../../parts/button.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { Empty } from '../../parts/states.tsx';
import { Status } from '../../parts/status.tsx';
import type { CellContext, Column } from '../../parts/table/columns.ts';
import { Ago } from '../../parts/time.tsx';
import { CreateOperator, EditOperator, type EditOperatorProps, type Operator } from './operator-form.tsx';

const columns: readonly Column<Operator>[] = [
  { id: 'name', header: 'Name', text: (o) => o.name, width: [9, 1.6], card: 'title' },
  {
    id: 'role',
    header: 'Role',
    text: (o) => (o.platform_admin ? `${o.role}, platform administrator` : o.role),
    width: [9, 1.2],
  },
  {
    id: 'status',
    header: 'Status',
    text: (o) => (o.disabled ? 'disabled' : 'active'),
    cell: (o) =>
      o.disabled ? (
        <Status tone="idle" shape="cross" text="disabled" />
      ) : (
        <Status tone="ok" shape="full" text="active" />
      ),
    width: [7, 0.8],
  },
  {
    id: 'since',
    header: 'Created',
    text: (o) => o.created_at,
    cell: (o) => <Ago at={o.created_at} />,
    width: [7, 0.8],
  },
];

type Opened =
  | { readonly what: 'create' }
  | { readonly what: 'edit' | 'disable' | 'enable'; readonly operator: Operator };

export function Operators() {
  const operators = useRows('listOperators', {});
  const may = useMay('createOperator');
  const [opened, setOpened] = useState<Opened | null>(null);
  const close = () => setOpened(null);
  const shown = useMemo(() => {
    const actions = (operator: Operator, context: CellContext) => (
      <OperatorActions
        operator={operator}
        tabIndex={context.tabIndex}
        onOpen={(what) => setOpened({ what, operator })}
      />
    );
    return may ? [...columns, actionsColumn(actions)] : columns;
  }, [may]);
  return (
    <>
      {may ? (
        <div className="actions">
          <Button variant="primary" icon="join" onClick={() => setOpened({ what: 'create' })}>
            New operator
          </Button>
        </div>
      ) : null}
      <ListTable
        what="operators"
        list={operators}
        columns={shown}
        empty={<Empty icon="settings" title="No operators" />}
      />
      {opened?.what === 'create' ? (
        <Dialog title="New operator" onClose={close}>
          <CreateOperator onClose={close} />
        </Dialog>
      ) : null}
      {opened?.what === 'edit' ? (
        <Dialog title={`Edit ${opened.operator.name}`} onClose={close}>
          <EditOperator
            operator={operators.rows.find(({ id }) => id === opened.operator.id) ?? opened.operator}
            onClose={close}
          />
        </Dialog>
      ) : null}
      {opened?.what === 'enable' ? <EnableOperator operator={opened.operator} onClose={close} /> : null}
      {opened?.what === 'disable' ? <DisableOperator operator={opened.operator} onClose={close} /> : null}
    </>
  );
}

function EnableOperator({ operator, onClose }: EditOperatorProps) {
  return (
    <PlannedDialog
      action="updateOperator"
      parameters={{
        operator_id: operator.id,
        disabled: false,
        if_revision: operator.revision,
      }}
      title={`Enable ${operator.name}`}
      verb="Enable operator"
      tone="primary"
      onClose={onClose}
      onDone={() => {
        tell({ tone: 'done', text: `${operator.name} is enabled` });
        onClose();
      }}
    >
      It can sign in again with its remaining API tokens and has the permissions of its role.
    </PlannedDialog>
  );
}

function DisableOperator({ operator, onClose }: EditOperatorProps) {
  return (
    <PlannedDialog
      action="disableOperator"
      parameters={{ operator_id: operator.id, if_revision: operator.revision }}
      title={`Disable ${operator.name}`}
      verb="Disable operator"
      onClose={onClose}
      onDone={() => {
        tell({ tone: 'done', text: `${operator.name} is disabled` });
        onClose();
      }}
    >
      All of its API tokens stop working at once. It can be enabled again later.
    </PlannedDialog>
  );
}

interface OperatorActionsProps {
  readonly operator: Operator;
  readonly tabIndex: 0 | -1;
  readonly onOpen: (what: 'edit' | 'disable' | 'enable') => void;
}

function OperatorActions({ operator, tabIndex, onOpen }: OperatorActionsProps) {
  return (
    <>
      <Button size="small" tabIndex={tabIndex} onClick={() => onOpen('edit')}>
        Edit
      </Button>
      {operator.disabled ? (
        <Button size="small" tabIndex={tabIndex} onClick={() => onOpen('enable')}>
          {' '}
          Enable{' '}
        </Button>
      ) : (
        <Button size="small" tabIndex={tabIndex} onClick={() => onOpen('disable')}>
          Disable
        </Button>
      )}
    </>
  );
}

function actionsColumn(
  cell: (operator: Operator, context: CellContext) => React.ReactNode,
): Column<Operator> {
  return { id: 'actions', header: 'Actions', text: () => '', unsortable: true, width: [11, 0.5], cell };
}
