// Choosing whom a rule is about: a kind, and the object, tag or prefix of that kind.
import { type Choice, SelectField, TextField } from '../../../parts/form.tsx';
import { PickField } from '../../../parts/pick-field.tsx';
import { useDeviceNames, usePeerNames, useVirtualIpNames } from '../names.ts';
import type { Selector } from './rule-words.ts';

type Kind = Selector['kind'];
/** What is written in the fields: the kind, and one text for whatever that kind needs. */
export interface SelectorDraft {
  readonly kind: Kind;
  readonly value: string;
}

export const everywhere: SelectorDraft = { kind: 'all', value: '' };

const memberOf = {
  peer: 'peer_id',
  tag: 'tag',
  cidr: 'cidr',
  federation_peer: 'federation_peer_id',
  user_device: 'user_device_id',
  virtual_ip: 'virtual_ip_id',
} as const;

export function draftOf(selector: Selector): SelectorDraft {
  if (selector.kind === 'all') return everywhere;
  return { kind: selector.kind, value: selector[memberOf[selector.kind]] ?? '' };
}

/** As a parameter. What was left empty is not sent, so that the platform says what is missing. */
export function selectorOf<K extends Kind>({
  kind,
  value,
}: SelectorDraft & { readonly kind: K }): { kind: K } {
  if (kind === 'all' || value.trim() === '') return { kind };
  return { kind, [memberOf[kind as Exclude<K, 'all'>]]: value.trim() };
}

const kinds: readonly Choice<Kind>[] = [
  { value: 'all', text: 'Any' },
  { value: 'peer', text: 'Peer' },
  { value: 'tag', text: 'Tag' },
  { value: 'cidr', text: 'Prefix' },
  { value: 'user_device', text: 'User device' },
  { value: 'virtual_ip', text: 'Virtual IP' },
];

export interface SelectorFieldsProps {
  readonly label: 'From' | 'To';
  readonly networkId: string;
  readonly draft: SelectorDraft;
  readonly onChange: (draft: SelectorDraft) => void;
  readonly error: string | null;
}

export function SelectorFields({ label, networkId, draft, onChange, error }: SelectorFieldsProps) {
  // Packets never come from a virtual IP; a rule about a federation peer stays one until another kind is chosen.
  const offered = kinds.filter(({ value }) => label === 'To' || value !== 'virtual_ip');
  const choices: readonly Choice<Kind>[] =
    draft.kind === 'federation_peer'
      ? [...offered, { value: 'federation_peer', text: 'Federation peer' }]
      : offered;
  const plain = draft.kind === 'all';
  return (
    <div className="form-columns">
      <SelectField
        label={label}
        value={draft.kind}
        onChange={(kind) => onChange({ kind, value: '' })}
        choices={choices}
        error={plain ? error : null}
      />
      {plain ? null : (
        <ValueField
          networkId={networkId}
          label={`${label}: which`}
          draft={draft}
          onChange={(value) => onChange({ ...draft, value })}
          error={error}
        />
      )}
    </div>
  );
}

interface ValueFieldProps {
  readonly networkId: string;
  readonly label: string;
  readonly draft: SelectorDraft;
  readonly onChange: (value: string) => void;
  readonly error: string | null;
}

function ValueField({ networkId, draft, ...field }: ValueFieldProps) {
  const { kind, value } = draft;
  const peers = usePeerNames(networkId, kind === 'peer' || kind === 'tag');
  const virtualIps = useVirtualIpNames(networkId, kind === 'virtual_ip');
  const devices = useDeviceNames(networkId, kind === 'user_device' || kind === 'tag');
  switch (kind) {
    case 'peer':
      return <PickField {...field} value={value} choices={peers.choices} none="Choose a peer…" />;
    case 'virtual_ip':
      return <PickField {...field} value={value} choices={virtualIps.choices} none="Choose a virtual IP…" />;
    case 'user_device':
      return <PickField {...field} value={value} choices={devices.choices} none="Choose a device…" />;
    case 'tag':
      return (
        <TextField
          {...field}
          mono
          value={value}
          placeholder="branch"
          hint="Selects peers and devices with this tag. It can be assigned later."
          suggestions={[...new Set([...peers.rows, ...devices.rows].flatMap((row) => row.tags))].sort()}
        />
      );
    case 'cidr':
      return <TextField {...field} mono value={value} placeholder="fd00:1:2::/48" />;
    case 'federation_peer':
      return <TextField {...field} mono value={value} hint="Its ID" />;
    case 'all':
      return null;
    default:
      return kind satisfies never;
  }
}
