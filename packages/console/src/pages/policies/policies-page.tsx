// What happens when somebody asks for a change, by category.

import type { PolicyMode } from '@powernode/core/intent/autonomy';
import { useMemo, useState } from 'react';
import { useMay } from '../../app/permissions.ts';
import { useRows } from '../../app/use-rows.ts';
import { Button } from '../../parts/button.tsx';
import { Page } from '../../parts/page.tsx';
import { Empty, Loaded, Note } from '../../parts/states.tsx';
import { policyWords } from '../../parts/statuses.tsx';
import type { Column, Facet } from '../../parts/table/columns.ts';
import { Table } from '../../parts/table/table.tsx';
import { type Policy, PolicyDialog } from './policy-dialog.tsx';

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
  const [asked, setAsked] = useState<Asked | null>(null);
  const policy = policies.rows.find(({ category }) => category === asked?.category);
  const columns = useMemo(() => columnsWith({ may, ask: setAsked }), [may]);
  return (
    <Page title="Policies" intro="What happens when an operator requests a change, by category.">
      {may ? null : (
        <Note tone="info" icon="lock">
          Changing policies requires the permission <code>system.policies.manage</code>, which your token does
          not have.
        </Note>
      )}
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
      {asked === null || policy === undefined ? null : (
        <PolicyDialog policy={policy} mode={asked.mode} onClose={() => setAsked(null)} />
      )}
    </Page>
  );
}

/** What is wanted of which policy, until it is confirmed. */
interface Asked {
  readonly category: string;
  /** null: back to the default. */
  readonly mode: PolicyMode | null;
}

interface Editing {
  readonly may: boolean;
  readonly ask: (asked: Asked) => void;
}

function columnsWith({ may, ask }: Editing): readonly Column<Policy>[] {
  return [
    {
      id: 'category',
      header: 'Category',
      text: (p) => p.category,
      width: [13, 1.2],
      mono: true,
      card: 'title',
    },
    { id: 'description', header: 'Description', text: (p) => p.description, width: [13, 2], card: 'wide' },
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
            onChange={(event) => {
              const mode = modes.find((one) => one === event.target.value);
              if (mode !== undefined) ask({ category: p.category, mode });
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
      header: 'Default',
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
                aria-label={`Reset ${p.category}`}
                onClick={() => ask({ category: p.category, mode: null })}
              >
                Reset
              </Button>
            ) : null}
          </span>
        ),
    },
  ];
}
