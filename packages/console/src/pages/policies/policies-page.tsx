// What happens when somebody asks for a change, by category.

import type { PolicyMode } from '@powernode/core/intent/autonomy';
import { useMemo, useState } from 'react';
import { useMay } from '../../app/permissions.ts';
import { tell } from '../../app/toasts.ts';
import { useChange } from '../../app/use-change.ts';
import { type Row, useRows } from '../../app/use-rows.ts';
import { Button } from '../../parts/button.tsx';
import { Page } from '../../parts/page.tsx';
import { Empty, Loaded, Note, ProblemNote } from '../../parts/states.tsx';
import { policyWords } from '../../parts/statuses.tsx';
import type { Column, Facet } from '../../parts/table/columns.ts';
import { Table } from '../../parts/table/table.tsx';

type Policy = Row<'listPolicies'>;

const modes = Object.keys(policyWords) as PolicyMode[];
const facets: readonly Facet<Policy>[] = [
  {
    id: 'mode',
    any: 'Any mode',
    of: (p) => p.mode,
    choices: modes.map((value) => ({ value, text: policyWords[value].text })),
  },
];

export function PoliciesPage() {
  const policies = useRows('listPolicies', {});
  const may = useMay('setPolicy');
  const change = useChange('setPolicy');
  const [busyCategory, setBusyCategory] = useState<string | null>(null);
  const columns = useMemo(() => {
    async function set(policy: Policy, mode: PolicyMode | null): Promise<void> {
      setBusyCategory(policy.category);
      const answer = await change.run({ category: policy.category, mode });
      setBusyCategory(null);
      if (answer?.kind !== 'done') return;
      const now = answer.body.policy.mode;
      tell({ tone: 'done', text: `${policy.category} ${policyWords[now].meaning}` });
    }
    return columnsWith({ may, busyCategory, set: (policy, mode) => void set(policy, mode) });
  }, [may, busyCategory, change.run]);
  return (
    <Page title="Policies" intro="For each category of change: what happens when an operator asks for it.">
      {may ? null : (
        <Note tone="info" icon="lock">
          Changing policies needs the permission <code>system.policies.manage</code>, which your token does
          not have.
        </Note>
      )}
      <ProblemNote problem={change.problem} />
      <Loaded what="policies" data={policies.data} error={policies.error} retry={policies.retry}>
        {(rows) => (
          <Table
            what="policies"
            columns={columns}
            facets={facets}
            rows={rows}
            rowKey={(p) => p.category}
            empty={<Empty icon="policies" title="No policies" />}
          />
        )}
      </Loaded>
    </Page>
  );
}

interface Editing {
  readonly may: boolean;
  readonly busyCategory: string | null;
  readonly set: (policy: Policy, mode: PolicyMode | null) => void;
}

function columnsWith({ may, busyCategory, set }: Editing): readonly Column<Policy>[] {
  return [
    {
      id: 'category',
      header: 'Category',
      text: (p) => p.category,
      width: [13, 1.2],
      mono: true,
      card: 'title',
    },
    { id: 'description', header: 'What', text: (p) => p.description, width: [13, 2], card: 'wide' },
    {
      id: 'mode',
      header: 'Mode',
      text: (p) => policyWords[p.mode].text,
      width: [12, 1],
      cell: (p, { tabIndex }) =>
        may ? (
          <select
            className="input"
            data-compact=""
            aria-label={`Mode of ${p.category}`}
            tabIndex={tabIndex}
            value={p.mode}
            disabled={busyCategory === p.category}
            onChange={(event) => {
              const mode = modes.find((one) => one === event.target.value);
              if (mode !== undefined) set(p, mode);
            }}
          >
            {modes.map((mode) => (
              <option key={mode} value={mode}>
                {policyWords[mode].text}
              </option>
            ))}
          </select>
        ) : (
          policyWords[p.mode].text
        ),
    },
    {
      id: 'default',
      header: 'By default',
      text: (p) => policyWords[p.default_mode].text,
      width: [11, 1],
      cell: (p, { tabIndex }) =>
        p.mode === p.default_mode ? (
          <span className="muted">{policyWords[p.default_mode].text}</span>
        ) : (
          <span className="row">
            {policyWords[p.default_mode].text}
            {may ? (
              <Button
                size="small"
                tabIndex={tabIndex}
                busy={busyCategory === p.category}
                aria-label={`Reset ${p.category}`}
                onClick={() => set(p, null)}
              >
                Reset
              </Button>
            ) : null}
          </span>
        ),
    },
  ];
}
