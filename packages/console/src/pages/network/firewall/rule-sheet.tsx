// One rule: what it says, what it counted, what is wrong with it, and what nodes are given for it.
import type { FirewallFinding, FirewallRule } from '@powernode/core/intent/firewall';
import { consoleChoicesMax } from '@powernode/core/limits/console';
import { useState } from 'react';
import { useMay } from '../../../app/permissions.ts';
import { PlannedDialog } from '../../../app/planned-dialog.tsx';
import { tell } from '../../../app/toasts.ts';
import { useOne } from '../../../app/use-one.ts';
import { Button } from '../../../parts/button.tsx';
import { Copyable, CopyText } from '../../../parts/copy.tsx';
import { Sheet } from '../../../parts/dialog.tsx';
import { Facts, Tiles } from '../../../parts/facts.tsx';
import { count, formatBytes } from '../../../parts/format.ts';
import { Section } from '../../../parts/page.tsx';
import { RuleActionMark } from '../../../parts/service-statuses.tsx';
import { Absent } from '../../../parts/states.tsx';
import { Ago, DateTime } from '../../../parts/time.tsx';
import { ObjectLink } from '../object-link.tsx';
import { useSheet } from '../use-sheet.ts';
import type { ViewProps } from '../view.ts';
import { FindingLines } from './findings.tsx';
import { EditRule } from './rule-form.tsx';
import { protocolWords, ruleName, type Selector, selectorWords } from './rule-words.ts';

export interface RuleSheetProps extends ViewProps {
  readonly id: string;
  readonly findings: readonly FirewallFinding[];
}

const directionMeaning = {
  ingress: 'ingress: evaluated on the instance where packets arrive',
  egress: 'egress: evaluated on the instance where packets originate',
  both: 'both: evaluated where packets originate and where they arrive',
} as const;

export function RuleSheet({ id, network, findings }: RuleSheetProps) {
  const sheet = useSheet('firewall_rule');
  const { data, error, refetch } = useOne(
    'firewall_rules',
    'getFirewallRule',
    { firewall_rule_id: id },
    // Its counters come without events.
    { busy: () => false },
  );
  const rule = data?.firewall_rule;
  return (
    <Sheet title={rule === undefined ? 'Rule' : ruleName(rule)} onClose={sheet.close}>
      {rule === undefined ? (
        <Absent what="the rule" error={error} retry={() => void refetch()} />
      ) : (
        <>
          <div className="row">
            <RuleActionMark rule={rule} />
            <span className="tag">{protocolWords(rule)}</span>
          </div>
          <RuleActions rule={rule} network={network} onGone={sheet.close} />
          <Tiles
            tiles={[
              { name: 'Packets', value: rule.packets?.toLocaleString('en-US') ?? '—' },
              { name: 'Bytes', value: formatBytes(rule.bytes) },
              { name: 'Counted', value: <Ago at={rule.counted_at} /> },
            ]}
          />
          <Facts
            facts={[
              ['From', <SelectorLink key="f" selector={rule.selector} networkId={network.id} />],
              ['To', <SelectorLink key="t" selector={rule.destination} networkId={network.id} />],
              ['Direction', directionMeaning[rule.direction]],
              ['Protocol', protocolWords(rule)],
              ['Created', <DateTime key="c" at={rule.created_at} />],
              ['ID', <Copyable key="i" text={rule.id} label="the ID" />],
            ]}
          />
          {findings.length === 0 ? null : (
            <Section title="Audit">
              <FindingLines findings={findings} networkId={network.id} about={rule.id} />
            </Section>
          )}
          <Compiled rule={rule} networkId={network.id} />
        </>
      )}
    </Sheet>
  );
}

const linked: Readonly<Partial<Record<Selector['kind'], 'peer_id' | 'virtual_ip_id' | 'user_device_id'>>> = {
  peer: 'peer_id',
  virtual_ip: 'virtual_ip_id',
  user_device: 'user_device_id',
};

function SelectorLink({ selector, networkId }: { readonly selector: Selector; readonly networkId: string }) {
  const member = linked[selector.kind];
  const id = member === undefined ? undefined : selector[member];
  if (id === undefined || !selector.resolves) return <span>{selectorWords(selector)}</span>;
  return (
    <ObjectLink networkId={networkId} object={{ type: selector.kind, id, name: selectorWords(selector) }} />
  );
}

interface CompiledProps {
  readonly rule: FirewallRule & {
    readonly compiled: {
      readonly text: string;
      readonly evaluated_on: readonly { readonly peer_id: string; readonly hostname: string }[];
      readonly evaluated_on_count: number;
    };
  };
  readonly networkId: string;
}

function Compiled({ rule, networkId }: CompiledProps) {
  const { text, evaluated_on, evaluated_on_count } = rule.compiled;
  const shown = evaluated_on.slice(0, consoleChoicesMax);
  return (
    <>
      <Section title="Compiled rule">
        {text === '' ? (
          <p className="muted">Nothing: no instance evaluates it.</p>
        ) : (
          <CopyText text={text} label="the compiled rule" />
        )}
      </Section>
      <Section
        title="Evaluated on"
        aside={<span className="muted">{count(evaluated_on_count, 'instance')}</span>}
      >
        {shown.length === 0 ? <p className="muted">No instance evaluates it now.</p> : null}
        <ul className="link-list">
          {shown.map(({ peer_id, hostname }) => (
            <li key={peer_id}>
              <ObjectLink networkId={networkId} object={{ type: 'peer', id: peer_id, name: hostname }} />
            </li>
          ))}
        </ul>
        {evaluated_on_count > shown.length ? (
          <p className="hint">and {count(evaluated_on_count - shown.length, 'more', 'more')}</p>
        ) : null}
      </Section>
    </>
  );
}

interface ActionsProps extends ViewProps {
  readonly rule: FirewallRule;
  readonly onGone: () => void;
}

function RuleActions({ rule, network, onGone }: ActionsProps) {
  const may = useMay('updateFirewallRule');
  const [opened, setOpened] = useState<'edit' | 'enable' | 'disable' | 'delete' | null>(null);
  const close = () => setOpened(null);
  if (!may) return null;
  if (opened === 'edit') return <EditRule rule={rule} network={network} onCancel={close} onDone={close} />;
  const turn = rule.enabled ? 'Disable' : 'Enable';
  return (
    <>
      <div className="row">
        <Button icon="pencil" onClick={() => setOpened('edit')}>
          Edit
        </Button>
        <Button
          icon={rule.enabled ? 'pause' : 'play'}
          onClick={() => setOpened(rule.enabled ? 'disable' : 'enable')}
        >
          {turn}
        </Button>
        <Button icon="trash" onClick={() => setOpened('delete')}>
          Delete
        </Button>
      </div>
      {opened === 'enable' || opened === 'disable' ? (
        <PlannedDialog
          action="updateFirewallRule"
          parameters={{ firewall_rule_id: rule.id, enabled: opened === 'enable', if_revision: rule.revision }}
          title={`${turn} ${ruleName(rule)}`}
          verb={`${turn} rule`}
          tone="primary"
          onClose={close}
          onDone={() => {
            close();
            tell({ tone: 'done', text: `${ruleName(rule)} is ${opened}d` });
          }}
        >
          {opened === 'disable'
            ? 'It stays in the list and has no effect until it is enabled again.'
            : 'It takes effect again on every instance it applies to.'}
        </PlannedDialog>
      ) : null}
      {opened === 'delete' ? (
        <PlannedDialog
          action="deleteFirewallRule"
          parameters={{ firewall_rule_id: rule.id, if_revision: rule.revision }}
          title={`Delete ${ruleName(rule)}`}
          verb="Delete rule"
          onClose={close}
          onDone={() => {
            tell({ tone: 'done', text: `${ruleName(rule)} is deleted` });
            onGone();
          }}
        >
          It is removed from every instance. The next matching rule, or the default policy, decides instead.
        </PlannedDialog>
      ) : null}
    </>
  );
}
