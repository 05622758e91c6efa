// Asks about any two ends, also about addresses that no cell of the matrix has.
import { type FormEvent, useState } from 'react';
import { problemOfThrown } from '../../../api/problem.ts';
import { messageAt } from '../../../app/use-change.ts';
import { useOne } from '../../../app/use-one.ts';
import { Button } from '../../../parts/button.tsx';
import { type Choice, SelectField, TextField } from '../../../parts/form.tsx';
import { PickField } from '../../../parts/pick-field.tsx';
import { ProblemNote, Skeleton } from '../../../parts/states.tsx';
import { numberOrText } from '../../form-values.ts';
import { useDeviceNames, usePeerNames, useVirtualIpNames } from '../names.ts';
import {
  type End,
  type EndKind,
  type Protocol,
  protocols,
  protocolTexts,
  type Question,
  questionParameters,
} from './ends.ts';
import { Explanation } from './explanation.tsx';

const nowhere: End = { kind: 'peer', value: '' };

// oxlint-disable-next-line max-lines-per-function -- one field after the other, and what they ask
export function ExplainForm({ networkId }: { readonly networkId: string }) {
  const [from, setFrom] = useState(nowhere);
  const [to, setTo] = useState(nowhere);
  const [protocol, setProtocol] = useState<Protocol>('tcp');
  const [port, setPort] = useState('443');
  const [asked, setAsked] = useState<Question | null>(null);
  const draft: Question = { from, to, protocol, ...(port.trim() === '' ? {} : { port: numberOrText(port) }) };
  // An answer to another question than the one that stands in the fields is none.
  const current = asked !== null && JSON.stringify(asked) === JSON.stringify(draft);
  const answer = useOne(
    'reachability',
    'explainReachability',
    questionParameters(networkId, asked ?? draft),
    { enabled: asked !== null },
  );
  const problem = answer.error === null || !current ? null : problemOfThrown(answer.error);
  const waiting = current && answer.isFetching && answer.data === undefined;

  function submit(event: FormEvent): void {
    event.preventDefault();
    // The same question again, because the first answer was a failure or is old.
    if (current) void answer.refetch({ cancelRefetch: false });
    else setAsked(draft);
  }

  return (
    <form className="panel form" onSubmit={submit} noValidate aria-label="Explain">
      <div className="form-columns">
        <EndFields
          label="From"
          networkId={networkId}
          end={from}
          onChange={setFrom}
          error={messageAt(problem, 'source')}
        />
        <EndFields
          label="To"
          networkId={networkId}
          end={to}
          onChange={setTo}
          error={messageAt(problem, 'destination')}
        />
      </div>
      <div className="form-columns">
        <SelectField
          label="Protocol"
          value={protocol}
          onChange={setProtocol}
          choices={protocols.map((value) => ({ value, text: protocolTexts[value] }))}
          error={messageAt(problem, 'protocol')}
        />
        {protocol === 'icmp6' ? null : (
          <TextField
            label="Port"
            numeric
            value={port}
            onChange={setPort}
            error={messageAt(problem, 'port')}
          />
        )}
      </div>
      <ProblemNote problem={problem} />
      <div>
        <Button type="submit" variant="primary" icon="help" busy={waiting}>
          Explain
        </Button>
      </div>
      {waiting && problem === null ? <Skeleton what="the explanation" lines={4} /> : null}
      {!current || answer.data === undefined || problem !== null ? null : (
        <Explanation networkId={networkId} verdict={answer.data.verdict} because={answer.data.because} />
      )}
    </form>
  );
}

interface EndFieldsProps {
  readonly label: 'From' | 'To';
  readonly networkId: string;
  readonly end: End;
  readonly onChange: (end: End) => void;
  readonly error: string | null;
}

const sources: readonly Choice<EndKind>[] = [
  { value: 'peer', text: 'Peer' },
  { value: 'user_device', text: 'User device' },
  { value: 'address', text: 'Address' },
];
const destinations: readonly Choice<EndKind>[] = [
  { value: 'peer', text: 'Peer' },
  { value: 'virtual_ip', text: 'Virtual IP' },
  { value: 'address', text: 'Address' },
];

function EndFields({ label, networkId, end, onChange, error }: EndFieldsProps) {
  const peers = usePeerNames(networkId, end.kind === 'peer');
  const virtualIps = useVirtualIpNames(networkId, end.kind === 'virtual_ip');
  const devices = useDeviceNames(networkId, end.kind === 'user_device');
  const set = (value: string) => onChange({ ...end, value });
  const choices = { peer: peers, virtual_ip: virtualIps, user_device: devices, address: null }[end.kind]
    ?.choices;
  return (
    <div className="stack">
      <SelectField
        label={label}
        value={end.kind}
        onChange={(kind) => onChange({ kind, value: '' })}
        choices={label === 'From' ? sources : destinations}
      />
      {choices === undefined ? (
        <TextField
          label={`${label}: which`}
          mono
          placeholder="fd00::1"
          value={end.value}
          onChange={set}
          error={error}
        />
      ) : (
        <PickField
          label={`${label}: which`}
          value={end.value}
          onChange={set}
          choices={choices}
          error={error}
        />
      )}
    </div>
  );
}
