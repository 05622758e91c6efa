// The rules of a network with what they have counted and what is wrong with them, and what happens to the rest.
import type { FirewallFinding, FirewallRule } from '@powernode/core/intent/firewall';
import { useMemo } from 'react';
import { ListTable } from '../../../app/list-table.tsx';
import { useOpener } from '../../../app/use-opener.tsx';
import { useRows } from '../../../app/use-rows.ts';
import { Dialog } from '../../../parts/dialog.tsx';
import { FindingMark, RuleActionMark, ruleActionLooks } from '../../../parts/service-statuses.tsx';
import { Empty } from '../../../parts/states.tsx';
import type { Column, Facet } from '../../../parts/table/columns.ts';
import { bytesColumn } from '../../../parts/tunnel-columns.tsx';
import { openAfter, useSheet } from '../use-sheet.ts';
import type { ViewProps } from '../view.ts';
import { DefaultPolicy } from './default-policy.tsx';
import { OtherFindings } from './findings.tsx';
import { CreateRule } from './rule-form.tsx';
import { RuleSheet } from './rule-sheet.tsx';
import { protocolWords, ruleName, selectorWords } from './rule-words.ts';
import { useAudit } from './use-audit.ts';

type FindingsOf = (ruleId: string) => readonly FirewallFinding[];

function columnsWith(findingsOf: FindingsOf): readonly Column<FirewallRule>[] {
  return [
    { id: 'name', header: 'Rule', text: ruleName, width: [10, 1.8], card: 'title' },
    {
      id: 'action',
      header: 'Action',
      text: (rule) => `${ruleActionLooks[rule.action].text}${rule.enabled ? '' : ' disabled'}`,
      cell: (rule) => <RuleActionMark rule={rule} />,
      width: [6.5, 0.6],
    },
    {
      id: 'direction',
      header: 'Direction',
      text: (rule) => directionWords[rule.direction],
      width: [5.5, 0.5],
    },
    { id: 'from', header: 'From', text: (rule) => selectorWords(rule.selector), width: [8, 1.1] },
    { id: 'to', header: 'To', text: (rule) => selectorWords(rule.destination), width: [8, 1.1] },
    { id: 'protocol', header: 'Protocol', text: protocolWords, width: [7, 0.6] },
    {
      id: 'packets',
      header: 'Packets',
      text: () => '',
      sort: (rule) => rule.packets,
      cell: (rule) => <span className="num">{rule.packets?.toLocaleString('en-US') ?? '—'}</span>,
      width: [5.5, 0.5],
      end: true,
    },
    bytesColumn({ id: 'bytes', header: 'Bytes', of: (rule) => rule.bytes }),
    {
      id: 'findings',
      header: 'Audit',
      text: (rule) => findingsOf(rule.id).map(findingWords).join(' '),
      sort: (rule) => findingsOf(rule.id)[0]?.severity ?? null,
      cell: (rule) => <RuleFindings findings={findingsOf(rule.id)} />,
      width: [10, 1.8],
      card: 'wide',
    },
  ];
}

const directionWords = { ingress: 'ingress', egress: 'egress', both: 'both' } as const;

function findingWords({ kind, by }: FirewallFinding): string {
  return by === null ? kind : `${kind} by ${by.name}`;
}

function RuleFindings({ findings }: { readonly findings: readonly FirewallFinding[] }) {
  const [first, ...more] = findings;
  if (first === undefined) return <span className="muted">—</span>;
  return (
    <>
      <FindingMark finding={first} />
      {first.by === null ? null : <span className="muted"> by {first.by.name}</span>}
      {more.length === 0 ? null : <span className="tag">+{more.length}</span>}
    </>
  );
}

export function FirewallView({ network }: ViewProps) {
  // Counters come without events.
  const rules = useRows('listFirewallRules', { network_id: network.id }, { busy: () => false });
  const audit = useAudit(network.id);
  const { byObject } = audit;
  const columns = useMemo(() => columnsWith((id) => byObject.get(id) ?? []), [byObject]);
  const facets = useMemo<readonly Facet<FirewallRule>[]>(
    () => [
      { id: 'action', any: 'Any action', of: (rule) => rule.action },
      { id: 'direction', any: 'Any direction', of: (rule) => directionWords[rule.direction] },
      { id: 'enabled', any: 'Enabled or disabled', of: (rule) => (rule.enabled ? 'enabled' : 'disabled') },
      { id: 'finding', any: 'Any finding', of: (rule) => byObject.get(rule.id)?.[0]?.kind ?? '' },
    ],
    [byObject],
  );
  const sheet = useSheet('firewall_rule');
  const create = useOpener('createFirewallRule', {
    text: 'New rule',
    opens: (close) => (
      <Dialog title="New rule" onClose={close} wide>
        <CreateRule network={network} onCancel={close} onDone={openAfter(close, sheet)} />
      </Dialog>
    ),
  });
  return (
    <>
      <DefaultPolicy
        network={network}
        audit={audit}
        create={rules.rows.length === 0 ? null : create.button}
      />
      <OtherFindings findings={audit.findings} networkId={network.id} />
      <ListTable
        what="rules"
        list={rules}
        columns={columns}
        facets={facets}
        selectedKey={sheet.id}
        onOpen={(rule) => sheet.open(rule.id)}
        empty={
          <Empty icon="policies" title="No rules yet" action={create.button}>
            Without rules, the default policy applies to all incoming traffic. Rules are stateful: replies to
            accepted traffic pass.
          </Empty>
        }
      />
      {create.opened}
      {sheet.id === null ? null : (
        <RuleSheet key={sheet.id} id={sheet.id} network={network} findings={byObject.get(sheet.id) ?? []} />
      )}
    </>
  );
}
