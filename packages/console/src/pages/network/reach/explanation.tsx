// Why one side reaches another or does not: each step that decides, with what decides it.
import type { ReachabilityStep } from '@powernode/core/intent/reachability';
import { pairLooks, type Verdict } from '../../../parts/service-statuses.tsx';
import { Status } from '../../../parts/status.tsx';
import { ObjectLink } from '../object-link.tsx';

const stepWords: Readonly<Record<ReachabilityStep['step'], string>> = {
  source: 'Source',
  destination: 'Destination',
  address: 'Address',
  route: 'Route',
  tunnel: 'Tunnel',
  egress: 'Egress rules',
  forward: 'Forwarding',
  ingress: 'Ingress rules',
  mapping: 'Port mapping',
  problem: 'Problem',
  presence: 'Unreachable',
  verdict: 'Verdict',
};

/** What decides is the node where it decides: once is enough. */
function isAtItself({ node, object }: ReachabilityStep): boolean {
  return node !== null && object?.type === 'peer' && object.id === node.peer_id;
}

export interface ExplanationProps {
  readonly networkId: string;
  readonly verdict: Verdict;
  readonly because: readonly ReachabilityStep[];
}

export function Explanation({ networkId, verdict, because }: ExplanationProps) {
  return (
    <div className="stack">
      <div role="status">
        <Status {...pairLooks[verdict]} chip />
      </div>
      <ol className="steps" aria-label="Because">
        {because.map((step, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: steps have no identity but their place
          <li
            key={i}
            className="step"
            data-tone={step.step === 'verdict' ? pairLooks[verdict].tone : undefined}
          >
            <div className="row">
              <strong>{stepWords[step.step]}</strong>
              {step.node === null ? null : (
                <span className="muted">
                  at{' '}
                  <ObjectLink
                    networkId={networkId}
                    object={{ type: 'peer', id: step.node.peer_id, name: step.node.hostname }}
                  />
                </span>
              )}
              {isAtItself(step) || step.object === null ? null : (
                <ObjectLink networkId={networkId} object={step.object} />
              )}
            </div>
            <p>{step.detail}</p>
          </li>
        ))}
      </ol>
    </div>
  );
}
