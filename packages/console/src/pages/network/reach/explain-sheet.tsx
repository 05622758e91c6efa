// One cell of the matrix, explained.
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useOne } from '../../../app/use-one.ts';
import { Button } from '../../../parts/button.tsx';
import { Sheet } from '../../../parts/dialog.tsx';
import { Loaded } from '../../../parts/states.tsx';
import { useDeviceNames, useVirtualIpNames } from '../names.ts';
import { type End, endText, protocolTexts, type Question, questionParameters } from './ends.ts';
import { Explanation } from './explanation.tsx';

export interface ExplainSheetProps {
  readonly question: Question;
  readonly nameOf: (end: End) => string;
}

const from = '/networks/$networkId' as const;

export function ExplainSheet({ question, nameOf }: ExplainSheetProps) {
  const navigate = useNavigate();
  const { networkId } = useParams({ from });
  const search = useSearch({ from });
  const resolved = useResolved(networkId, question);
  const { data, error, refetch } = useOne(
    'reachability',
    'explainReachability',
    questionParameters(networkId, resolved ?? question),
    { enabled: resolved !== null },
  );
  const { from: _, to: __, ...rest } = search;
  const go = (next: typeof search) => void navigate({ to: from, params: { networkId }, search: next });
  const turned = { ...rest, from: endText(question.to), to: endText(question.from) };
  const { protocol, port } = question;
  return (
    <Sheet title={`${nameOf(question.from)} → ${nameOf(question.to)}`} onClose={() => go(rest)}>
      <div className="row">
        <span className="tag">
          {port === undefined ? protocolTexts[protocol] : `${protocolTexts[protocol]} ${port}`}
        </span>
        {question.to.kind === 'virtual_ip' ? null : (
          <Button size="small" icon="swap" onClick={() => go(turned)}>
            The other way
          </Button>
        )}
      </div>
      <Loaded what="the explanation" data={data} error={error} retry={() => void refetch()}>
        {({ verdict, because }) => <Explanation networkId={networkId} verdict={verdict} because={because} />}
      </Loaded>
    </Sheet>
  );
}

/** The platform is asked about devices only as sources and about virtual IPs only as destinations; the other way round
 * it is asked about their addresses. null: they are not known yet. */
function useResolved(networkId: string, { from, to, ...rest }: Question): Question | null {
  const devices = useDeviceNames(networkId);
  const virtualIps = useVirtualIpNames(networkId);
  const source = from.kind === 'virtual_ip' ? addressOf(virtualIps.rows, from, (ip) => ip.address) : from;
  const destination = to.kind === 'user_device' ? addressOf(devices.rows, to, (d) => d.host_address) : to;
  return source === null || destination === null ? null : { ...rest, from: source, to: destination };
}

function addressOf<R extends { readonly id: string }>(
  rows: readonly R[],
  end: End,
  address: (row: R) => string,
): End | null {
  const row = rows.find(({ id }) => id === end.value);
  return row === undefined ? null : { kind: 'address', value: address(row) };
}
