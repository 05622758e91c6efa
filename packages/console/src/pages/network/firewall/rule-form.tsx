// The form of a rule: what is done with which packets, from whom, to whom.
import type { FirewallRule } from '@powernode/core/intent/firewall';
import { ChangeForm } from '../../../app/change-form.tsx';
import { type FieldsProps, type ObjectFormProps, useFieldValues } from '../../../app/object-form.tsx';
import { Check, SelectField, TextField } from '../../../parts/form.tsx';
import type { ViewProps } from '../view.ts';
import { draftOf, everywhere, SelectorFields, selectorOf } from './selector-fields.tsx';

type FormProps = ViewProps & ObjectFormProps<FirewallRule>;

type Values = ReturnType<typeof freshValues>;

function freshValues() {
  return {
    name: '',
    direction: 'ingress' as FirewallRule['direction'],
    action: 'accept' as FirewallRule['action'],
    from: everywhere,
    to: everywhere,
    protocol: 'any' as FirewallRule['protocol'],
    ports: '',
    enabled: true,
  };
}

function valuesOf(rule: FirewallRule): Values {
  return {
    name: rule.name ?? '',
    direction: rule.direction,
    action: rule.action,
    from: draftOf(rule.selector),
    to: draftOf(rule.destination),
    protocol: rule.protocol,
    ports: rule.port_range ?? '',
    enabled: rule.enabled,
  };
}

const hasPorts = (protocol: FirewallRule['protocol']) => protocol === 'tcp' || protocol === 'udp';

function parametersOf({ name, from, to, ports, ...same }: Values) {
  const { kind, value } = from;
  return {
    ...same,
    name: name.trim() === '' ? null : name,
    // Its choices have no virtual IP for where packets come from.
    selector: selectorOf({ kind: kind as Exclude<typeof kind, 'virtual_ip'>, value }),
    destination: to.kind === 'all' ? null : selectorOf(to),
    port_range: hasPorts(same.protocol) && ports.trim() !== '' ? ports.trim() : null,
  };
}

export function CreateRule({ network, onCancel, onDone }: FormProps) {
  const fields = useFieldValues(freshValues);
  return (
    <ChangeForm
      action="createFirewallRule"
      verb="Make rule"
      parameters={{ network_id: network.id, ...parametersOf(fields.values) }}
      onCancel={onCancel}
      onDone={(answer) => onDone(answer.kind === 'done' ? answer.body.firewall_rule : null)}
    >
      {(errorOf) => <Fields networkId={network.id} {...fields} errorOf={errorOf} />}
    </ChangeForm>
  );
}

export function EditRule({ network, rule, onCancel, onDone }: FormProps & { readonly rule: FirewallRule }) {
  const fields = useFieldValues(() => valuesOf(rule));
  return (
    <ChangeForm
      action="updateFirewallRule"
      verb="Save"
      label="Edit the rule"
      panel
      parameters={{ firewall_rule_id: rule.id, ...parametersOf(fields.values), if_revision: rule.revision }}
      onCancel={onCancel}
      onDone={(answer) => onDone(answer.kind === 'done' ? answer.body.firewall_rule : null)}
    >
      {(errorOf) => <Fields networkId={network.id} {...fields} errorOf={errorOf} />}
    </ChangeForm>
  );
}

function Fields({ networkId, values, set, errorOf }: FieldsProps<Values> & { readonly networkId: string }) {
  return (
    <>
      <TextField
        label="Name"
        optional
        autoFocus
        value={values.name}
        onChange={(name) => set({ name })}
        error={errorOf('name')}
      />
      <div className="form-columns">
        <SelectField
          label="Action"
          value={values.action}
          onChange={(action) => set({ action })}
          choices={[
            { value: 'accept', text: 'Accept' },
            { value: 'drop', text: 'Drop silently' },
            { value: 'reject', text: 'Reject, and tell the client' },
          ]}
          error={errorOf('action')}
        />
        <SelectField
          label="On the way"
          value={values.direction}
          onChange={(direction) => set({ direction })}
          choices={[
            { value: 'ingress', text: 'In, where packets arrive' },
            { value: 'egress', text: 'Out, where they begin' },
            { value: 'both', text: 'In and out' },
          ]}
          error={errorOf('direction')}
        />
      </div>
      <SelectorFields
        label="From"
        networkId={networkId}
        draft={values.from}
        onChange={(from) => set({ from })}
        error={errorOf('selector')}
      />
      <SelectorFields
        label="To"
        networkId={networkId}
        draft={values.to}
        onChange={(to) => set({ to })}
        error={errorOf('destination')}
      />
      <div className="form-columns">
        <SelectField
          label="Protocol"
          value={values.protocol}
          onChange={(protocol) => set({ protocol })}
          choices={[
            { value: 'any', text: 'Any' },
            { value: 'tcp', text: 'TCP' },
            { value: 'udp', text: 'UDP' },
            { value: 'icmp6', text: 'ICMP' },
          ]}
          error={errorOf('protocol')}
        />
        {hasPorts(values.protocol) ? (
          <TextField
            label="Ports"
            optional
            mono
            placeholder="8443 or 8443-8480"
            hint="All of them when empty."
            value={values.ports}
            onChange={(ports) => set({ ports })}
            error={errorOf('port_range')}
          />
        ) : null}
      </div>
      <Check label="Enabled" checked={values.enabled} onChange={(enabled) => set({ enabled })} />
    </>
  );
}
