// One cell of the matrix, explained.
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useOne } from '../../../app/use-one.ts';
import { Button } from '../../../parts/button.tsx';
import { Sheet } from '../../../parts/dialog.tsx';
import { Absent, Empty, Loaded } from '../../../parts/states.tsx';
import { type Names, useDeviceNames, useVirtualIpNames } from '../names.ts';
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
  const known = 'list' in resolved ? null : resolved;
  const { data, error, refetch } = useOne(
    'reachability',
    'explainReachability',
    questionParameters(networkId, known ?? question),
    { enabled: known !== null },
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
            Reverse direction
          </Button>
        )}
      </div>
      {'list' in resolved ? (
        <Unresolved list={resolved.list} />
      ) : (
        <Loaded what="the explanation" data={data} error={error} retry={() => void refetch()}>
          {({ verdict, because }) => (
            <Explanation networkId={networkId} verdict={verdict} because={because} />
          )}
        </Loaded>
      )}
    </Sheet>
  );
}

/** An end whose address is not in the list that has it, or not yet. */
interface Missing {
  readonly list: Names<unknown>;
}

/** Instead of an explanation. */
function Unresolved({ list: { may, complete, error, retry } }: Missing) {
  if (!may) {
    return (
      <Empty icon="lock" title="No permission">
        The reverse direction is looked up by address, which your token may not read.
      </Empty>
    );
  }
  if (!complete) return <Absent what="the explanation" error={error} retry={retry} />;
  return (
    <Empty icon="filter" title="Not found">
      It was deleted or revoked, or the address belongs to another network.
    </Empty>
  );
}

/** The platform is asked about devices only as sources and about virtual IPs only as destinations; the other way round
 * it is asked about their addresses. */
function useResolved(networkId: string, { from, to, ...rest }: Question): Question | Missing {
  const [ofIp, ofDevice] = [from.kind === 'virtual_ip', to.kind === 'user_device'];
  const virtualIps = useVirtualIpNames(networkId, ofIp);
  const devices = useDeviceNames(networkId, ofDevice);
  const source = ofIp ? addressOf(virtualIps, from, (ip) => ip.address) : from;
  const destination = ofDevice ? addressOf(devices, to, (device) => device.host_address) : to;
  if ('list' in source) return source;
  if ('list' in destination) return destination;
  return { ...rest, from: source, to: destination };
}

function addressOf<R extends { readonly id: string }>(
  list: Names<R>,
  end: End,
  address: (row: R) => string,
): End | Missing {
  const row = list.rows.find(({ id }) => id === end.value);
  return row === undefined ? { list } : { kind: 'address', value: address(row) };
}
