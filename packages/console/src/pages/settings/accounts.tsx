// The accounts of the platform, for its administrators.
import { type FormEvent, useState } from 'react';
import { ListTable } from '../../app/list-table.tsx';
import { tell } from '../../app/toasts.ts';
import { useChange } from '../../app/use-change.ts';
import { useOpener } from '../../app/use-opener.tsx';
import { type Row, useRows } from '../../app/use-rows.ts';
import { Button } from '../../parts/button.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { TextField } from '../../parts/form.tsx';
import { Empty, ProblemNote } from '../../parts/states.tsx';
import type { Column } from '../../parts/table/columns.ts';
import { Ago } from '../../parts/time.tsx';

type Account = Row<'listAccounts'>;

const columns: readonly Column<Account>[] = [
  { id: 'name', header: 'Name', text: (a) => a.name, width: [9, 1.6], card: 'title' },
  { id: 'pool', header: 'Address pool', text: (a) => a.pool_prefix, width: [10, 1.2], mono: true },
  {
    id: 'since',
    header: 'Created',
    text: (a) => a.created_at,
    cell: (a) => <Ago at={a.created_at} />,
    width: [7, 0.8],
  },
  { id: 'id', header: 'ID', text: (a) => a.id, width: [18, 1.4], mono: true, card: 'wide' },
];

export function Accounts() {
  const accounts = useRows('listAccounts', {});
  const create = useOpener('createAccount', {
    text: 'New account',
    opens: (close) => (
      <Dialog title="New account" onClose={close}>
        <AccountForm onClose={close} />
      </Dialog>
    ),
  });
  return (
    <>
      {create.button === null ? null : <div className="actions">{create.button}</div>}
      <ListTable
        what="accounts"
        list={accounts}
        columns={columns}
        empty={<Empty icon="settings" title="No accounts" />}
      />
      {create.opened}
    </>
  );
}

function AccountForm({ onClose }: { readonly onClose: () => void }) {
  const change = useChange('createAccount');
  const [name, setName] = useState('');

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault();
    const answer = await change.run({ name });
    if (answer?.kind === 'done')
      tell({ tone: 'done', text: `Account ${name} is created. It has no operator yet.` });
    if (answer !== null) onClose();
  }

  return (
    <form className="form" onSubmit={(event) => void submit(event)} noValidate>
      <TextField
        label="Name"
        hint="It gets its own address pool. Create its first operator with the command line."
        autoFocus
        value={name}
        onChange={setName}
        error={change.fieldError('name')}
      />
      <ProblemNote problem={change.problem} />
      <div className="form-foot">
        <Button onClick={onClose}>Cancel</Button>
        <Button type="submit" variant="primary" busy={change.busy}>
          Create account
        </Button>
      </div>
    </form>
  );
}
