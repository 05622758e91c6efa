// The fields of one statement of a route policy: which paths it matches, what it does with them, and its place.
import type { ReactNode } from 'react';
import { Button, IconButton } from '../../../parts/button.tsx';
import { SelectField, TextField } from '../../../parts/form.tsx';
import { PickField } from '../../../parts/pick-field.tsx';
import type { usePeerNames } from '../names.ts';
import type { StatementDraft } from './statement-drafts.ts';

export interface StatementFieldsProps {
  /** As it is counted for people, from 1. */
  readonly number: number;
  readonly draft: StatementDraft;
  readonly peers: ReturnType<typeof usePeerNames>;
  /** By the path inside of the statement: `match.prefix`. */
  readonly errorOf: (path: string) => string | null;
  readonly onChange: (part: Partial<StatementDraft>) => void;
  readonly onMove: (by: 1 | -1) => void;
  readonly canMove: { readonly up: boolean; readonly down: boolean };
  readonly onRemove: () => void;
  readonly findings: ReactNode;
}

export function StatementFields(props: StatementFieldsProps) {
  const { number, draft, errorOf, onChange, onMove, canMove, onRemove } = props;
  const which = `statement ${number}`;
  return (
    <fieldset className="panel form statement">
      <legend className="label">Statement {number}</legend>
      <div className="form-columns">
        <TextField
          label="Sequence"
          numeric
          hint="Lower ones are evaluated first."
          value={draft.seq}
          onChange={(seq) => onChange({ seq })}
          error={errorOf('seq')}
        />
        <SelectField
          label="Action"
          value={draft.action}
          onChange={(action) => onChange({ action })}
          choices={[
            { value: 'permit', text: 'Permit' },
            { value: 'deny', text: 'Deny' },
          ]}
          error={errorOf('action')}
        />
      </div>
      <MatchFields {...props} />
      {draft.action === 'deny' ? null : <SetFields {...props} />}
      {props.findings}
      <div className="row">
        <IconButton
          icon="arrowUp"
          size="small"
          label={`Move ${which} up`}
          disabled={!canMove.up}
          onClick={() => onMove(-1)}
        />
        <IconButton
          icon="arrowDown"
          size="small"
          label={`Move ${which} down`}
          disabled={!canMove.down}
          onClick={() => onMove(1)}
        />
        <Button size="small" icon="trash" onClick={onRemove}>
          {`Remove ${which}`}
        </Button>
      </div>
    </fieldset>
  );
}

function MatchFields({ draft, peers, errorOf, onChange }: StatementFieldsProps) {
  const { choices } = peers;
  const isGone = draft.peer !== '' && peers.complete && !choices.some(({ value }) => value === draft.peer);
  return (
    <>
      <div className="form-columns">
        <TextField
          label="Match prefix"
          optional
          mono
          placeholder="fd00:7::/64"
          value={draft.prefix}
          onChange={(prefix) => onChange({ prefix })}
          error={errorOf('match.prefix')}
        />
        <TextField
          label="Length from"
          optional
          numeric
          value={draft.prefixGe}
          onChange={(prefixGe) => onChange({ prefixGe })}
          error={errorOf('match.prefix_ge')}
        />
        <TextField
          label="Length to"
          optional
          numeric
          value={draft.prefixLe}
          onChange={(prefixLe) => onChange({ prefixLe })}
          error={errorOf('match.prefix_le')}
        />
      </div>
      <div className="form-columns">
        <PickField
          label="Match announcing peer"
          value={draft.peer}
          none="Any peer"
          onChange={(peer) => onChange({ peer })}
          choices={isGone ? [...choices, { value: draft.peer, text: 'a detached peer' }] : choices}
          error={errorOf('match.peer')}
        />
        <TextField
          label="Match communities"
          optional
          mono
          placeholder="65000:100"
          value={draft.community}
          onChange={(community) => onChange({ community })}
          error={errorOf('match.community')}
        />
        <TextField
          label="Match AS path"
          optional
          mono
          placeholder="_65001_"
          value={draft.asPath}
          onChange={(asPath) => onChange({ asPath })}
          error={errorOf('match.as_path')}
        />
      </div>
    </>
  );
}

function SetFields({ draft, peers, errorOf, onChange }: StatementFieldsProps) {
  return (
    <>
      <div className="form-columns">
        <TextField
          label="Set local preference"
          optional
          numeric
          hint="The higher one wins."
          value={draft.localPref}
          onChange={(localPref) => onChange({ localPref })}
          error={errorOf('set.local_pref')}
        />
        <TextField
          label="Set MED"
          optional
          numeric
          hint="The lower one wins."
          value={draft.med}
          onChange={(med) => onChange({ med })}
          error={errorOf('set.med')}
        />
        <TextField
          label="Prepend AS path"
          optional
          mono
          hint="How often the own AS number, or other AS numbers."
          value={draft.prepend}
          onChange={(prepend) => onChange({ prepend })}
          error={errorOf('set.prepend')}
        />
      </div>
      <div className="form-columns">
        <TextField
          label="Set communities"
          optional
          mono
          value={draft.setCommunity}
          onChange={(setCommunity) => onChange({ setCommunity })}
          error={errorOf('set.community')}
        />
        <TextField
          label="Set next hop"
          optional
          mono
          hint="The overlay address of a peer."
          value={draft.nextHop}
          suggestions={peers.rows.map((peer) => peer.host_address)}
          onChange={(nextHop) => onChange({ nextHop })}
          error={errorOf('set.next_hop')}
        />
      </div>
    </>
  );
}
