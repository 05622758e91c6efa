// The LANs behind a peer: the list, and the form that replaces it.
import type { SubnetAdvertisement } from '@powernode/core/intent/subnet';
import { subnetPreferenceDefault } from '@powernode/core/limits/overlay';
import { useState } from 'react';
import type { Output } from '../../api/client.ts';
import { ChangeForm } from '../../app/change-form.tsx';
import { useMay } from '../../app/permissions.ts';
import { useRows } from '../../app/use-rows.ts';
import { Button } from '../../parts/button.tsx';
import { Check, TextField } from '../../parts/form.tsx';
import { Section } from '../../parts/page.tsx';
import { Loaded } from '../../parts/states.tsx';
import { numberOrText } from '../form-values.ts';

type Peer = Output<'getPeer'>['peer'];

export function PeerLans({ peer }: { readonly peer: Peer }) {
  const maySee = useMay('listSubnetAdvertisements');
  const mayChange = useMay('declareLanSubnets');
  const [edits, setEdits] = useState(false);
  const { data, error, retry } = useRows(
    'listSubnetAdvertisements',
    { network_id: peer.network_id, peer_id: peer.id, source: 'declared_lan_subnet', withdrawn: false },
    { enabled: maySee },
  );
  if (!maySee) return null;
  const edit = (
    <Button size="small" icon="pencil" onClick={() => setEdits(true)}>
      Edit LANs
    </Button>
  );
  return (
    <Section title="LANs" aside={mayChange && !edits && data !== undefined ? edit : null}>
      <Loaded what="the LANs" data={data} error={error} retry={retry}>
        {(lans) =>
          edits ? <LansForm peer={peer} lans={lans} onClose={() => setEdits(false)} /> : <Lans lans={lans} />
        }
      </Loaded>
    </Section>
  );
}

function Lans({ lans }: { readonly lans: readonly SubnetAdvertisement[] }) {
  if (lans.length === 0) return <p className="muted">None: no prefix is routed to this peer.</p>;
  return (
    <ul className="lines">
      {lans.map((lan) => (
        <li key={lan.id} className="line-item">
          <span className="grow">
            <code>{lan.prefix}</code>
            {lan.local_prefix === lan.prefix ? null : (
              <span className="muted"> is {lan.local_prefix} in the LAN</span>
            )}
            {lan.description === '' ? null : <span className="muted"> {lan.description}</span>}
          </span>
          {lan.source_nat ? <span className="tag">source NAT</span> : null}
          <span className="muted">preference {lan.preference}</span>
        </li>
      ))}
    </ul>
  );
}

interface Row {
  /** Of this form only. */
  readonly key: number;
  readonly prefix: string;
  readonly local: string;
  readonly description: string;
  readonly preference: string;
  readonly sourceNat: boolean;
}

function rowOf(lan: SubnetAdvertisement, key: number): Row {
  const local = lan.local_prefix === lan.prefix ? '' : lan.local_prefix;
  const { prefix, description, source_nat: sourceNat } = lan;
  return { key, prefix, local, description, preference: String(lan.preference), sourceNat };
}

function parametersOf({ prefix, local, description, preference, sourceNat }: Row) {
  const preferred = preference.trim() === '' ? subnetPreferenceDefault : numberOrText(preference);
  return {
    prefix: prefix.trim(),
    ...(local.trim() === '' ? {} : { local_prefix: local.trim() }),
    ...(description.trim() === '' ? {} : { description: description.trim() }),
    preference: preferred,
    source_nat: sourceNat,
  };
}

interface FormProps {
  readonly peer: Peer;
  readonly lans: readonly SubnetAdvertisement[];
  readonly onClose: () => void;
}

function LansForm({ peer, lans, onClose }: FormProps) {
  const [rows, setRows] = useState<readonly Row[]>(() => lans.map(rowOf));
  // The whole list is replaced, so it is refused when another one was written since this form was opened.
  const [revision] = useState(peer.revision);
  const add = () => {
    const key = Math.max(0, ...rows.map((row) => row.key + 1));
    setRows([...rows, { key, prefix: '', local: '', description: '', preference: '', sourceNat: false }]);
  };
  return (
    <ChangeForm
      action="declareLanSubnets"
      verb="Save LANs"
      label="Edit the LANs"
      panel
      parameters={{ peer_id: peer.id, subnets: rows.map(parametersOf), if_revision: revision }}
      onCancel={onClose}
      onDone={onClose}
    >
      {(errorOf) => (
        <>
          {rows.map((row, i) => (
            <LanFields
              key={row.key}
              row={row}
              number={i + 1}
              errorOf={(name) => errorOf(`subnets.${i}.${name}`)}
              onChange={(part) => setRows(rows.with(i, { ...row, ...part }))}
              onRemove={() => setRows(rows.toSpliced(i, 1))}
            />
          ))}
          <div className="row">
            <Button size="small" icon="join" onClick={add}>
              Add LAN
            </Button>
          </div>
        </>
      )}
    </ChangeForm>
  );
}

interface LanFieldsProps {
  readonly row: Row;
  readonly number: number;
  readonly errorOf: (name: string) => string | null;
  readonly onChange: (part: Partial<Row>) => void;
  readonly onRemove: () => void;
}

function LanFields({ row, number, errorOf, onChange, onRemove }: LanFieldsProps) {
  return (
    <>
      <TextField
        label={`Prefix of LAN ${number}`}
        mono
        value={row.prefix}
        placeholder="192.168.7.0/24"
        onChange={(prefix) => onChange({ prefix })}
        error={errorOf('prefix')}
      />
      <TextField
        label={`Local prefix of LAN ${number}`}
        optional
        mono
        value={row.local}
        hint="When clients in the LAN know it by another prefix of the same length"
        onChange={(local) => onChange({ local })}
        error={errorOf('local_prefix')}
      />
      <TextField
        label={`Preference of LAN ${number}`}
        optional
        numeric
        value={row.preference}
        placeholder={String(subnetPreferenceDefault)}
        onChange={(preference) => onChange({ preference })}
        error={errorOf('preference')}
      />
      <Check
        label={`Source NAT into LAN ${number}`}
        hint="Its clients need no route back"
        checked={row.sourceNat}
        onChange={(sourceNat) => onChange({ sourceNat })}
      />
      <div className="row">
        <Button size="small" icon="trash" onClick={onRemove}>
          {`Remove LAN ${number}`}
        </Button>
      </div>
    </>
  );
}
