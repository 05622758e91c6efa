// Who holds a virtual IP, with the health of its service there, and who could.
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

/** Of an anycast address all holders. Otherwise who could hold it, and what its health check says where it is now. */
export function HoldersSection({ ip, holders, network, nameOf }: HoldersProps) {
  if (ip.anycast) return <Holders title="Holders" {...{ ip, holders, network }} />;
  return (
    <>
      {ip.health_check === null ? null : <Holders title="Health check" {...{ ip, holders, network }} />}
      <CandidatesSection ip={ip} network={network} nameOf={nameOf} />
    </>
  );
}

interface HealthProps extends Omit<HoldersProps, 'nameOf'> {
  readonly title: string;
}

function Holders({ title, ip, holders, network }: HealthProps) {
  return (
    <Section title={title} aside={<span className="muted">{healthCheckWords(ip.health_check)}</span>}>
      {holders.length === 0 ? (
        <p className="muted">No peer holds the address now. Only a holder asks the service.</p>
      ) : (
        <ol className="lines" aria-label={title}>
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
      )}
    </Section>
  );
}
