// Who holds a virtual IP, or could: of an anycast address all holders, with the health of their service.
import type { VirtualIp, VirtualIpHolder } from '@powernode/core/intent/virtual-ip';
import { Section } from '../../../parts/page.tsx';
import { Status } from '../../../parts/status.tsx';
import { Ago } from '../../../parts/time.tsx';
import type { NameOf } from '../names.ts';
import { ObjectLink } from '../object-link.tsx';
import type { ViewProps } from '../view.ts';
import { CandidatesSection } from './candidates.tsx';
import { healthCheckWords } from './words.ts';

const looks = {
  healthy: { tone: 'ok', shape: 'full', text: 'healthy' },
  failing: { tone: 'bad', shape: 'cross', text: 'failing' },
  unknown: { tone: 'idle', shape: 'ring', text: 'unknown' },
} as const;

interface HoldersProps extends ViewProps {
  readonly ip: VirtualIp;
  readonly holders: readonly VirtualIpHolder[];
  readonly nameOf: NameOf;
}

export function HoldersSection({ ip, holders, network, nameOf }: HoldersProps) {
  if (!ip.anycast) return <CandidatesSection ip={ip} network={network} nameOf={nameOf} />;
  return (
    <Section title="Holders" aside={<span className="muted">{healthCheckWords(ip.health_check)}</span>}>
      <ol className="lines" aria-label="Holders">
        {holders.map(({ peer_id: id, hostname, health, since, last_error: error }) => (
          <li key={id} className="line-item">
            <strong className="grow">
              <ObjectLink networkId={network.id} object={{ type: 'peer', id, name: hostname }} />
            </strong>
            {ip.health_check === null ? null : <Status {...looks[health]} />}
            {since === null ? null : (
              <span className="muted">
                <Ago at={since} />
              </span>
            )}
            {error === null ? null : <span className="line-more">{error}</span>}
          </li>
        ))}
      </ol>
    </Section>
  );
}
