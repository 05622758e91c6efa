// Who could hold a virtual IP now, how well, and why: what a fail-over without a target would decide by.
import type { VirtualIp, virtualIpCandidate } from '@powernode/core/intent/virtual-ip';
import { useQuery } from '@tanstack/react-query';
import { useMay } from '../../../app/permissions.ts';
import { client } from '../../../app/platform.ts';
import { Section } from '../../../parts/page.tsx';
import { Loaded } from '../../../parts/states.tsx';
import { Status } from '../../../parts/status.tsx';
import type { NameOf } from '../names.ts';
import { ObjectLink } from '../object-link.tsx';
import type { ViewProps } from '../view.ts';

export type Candidate = (typeof virtualIpCandidate)['_output'];

interface CandidatesProps {
  readonly candidates: readonly Candidate[];
  /** Whoever holder now. */
  readonly holderId: string | null;
  readonly networkId?: string;
}

export function Candidates({ candidates, holderId, networkId }: CandidatesProps) {
  return (
    <ul className="lines" aria-label="Candidates">
      {candidates.map(({ peer_id, hostname, score, reasons }) => (
        <li key={peer_id} className="line-item">
          <strong className="grow">
            {networkId === undefined ? (
              hostname
            ) : (
              <ObjectLink networkId={networkId} object={{ type: 'peer', id: peer_id, name: hostname }} />
            )}
          </strong>
          {peer_id === holderId ? <span className="tag">holder</span> : null}
          <Status
            tone={score === 0 ? 'bad' : 'ok'}
            shape={score === 0 ? 'cross' : 'full'}
            text={score === 0 ? 'unavailable' : `score ${score}`}
          />
          <span className="line-more">{reasons.join('; ')}</span>
        </li>
      ))}
    </ul>
  );
}

/** Scores come with the dry run of a fail-over. */
export function useCandidates(ipId: string, { enabled }: { readonly enabled: boolean }) {
  return useQuery({
    queryKey: ['virtual_ips', 'candidates', ipId],
    queryFn: ({ signal }) => client.previewChange('failoverVirtualIp', { virtual_ip_id: ipId }, signal),
    enabled,
  });
}

interface SectionProps extends ViewProps {
  readonly ip: VirtualIp;
  readonly nameOf: NameOf;
}

/** Who may not ask for a fail-over sees the order only. */
export function CandidatesSection({ ip, network, nameOf }: SectionProps) {
  const may = useMay('failoverVirtualIp');
  const preview = useCandidates(ip.id, { enabled: may });
  if (!may) {
    const order = [ip.primary_holder_peer_id, ...ip.failover_holder_peer_ids];
    return (
      <Section title="Candidates">
        <ol className="lines">
          {order.map((id) => (
            <li key={id} className="line-item">
              <strong className="grow">
                <ObjectLink networkId={network.id} object={{ type: 'peer', id, name: nameOf(id) }} />
              </strong>
              {id === ip.current_holder_peer_id ? <span className="tag">holder</span> : null}
            </li>
          ))}
        </ol>
      </Section>
    );
  }
  return (
    <Section title="Candidates">
      <Loaded
        what="the candidates"
        data={preview.data}
        error={preview.error}
        retry={() => void preview.refetch()}
      >
        {({ body }) => (
          <Candidates
            candidates={body.candidates}
            holderId={ip.current_holder_peer_id}
            networkId={network.id}
          />
        )}
      </Loaded>
    </Section>
  );
}
