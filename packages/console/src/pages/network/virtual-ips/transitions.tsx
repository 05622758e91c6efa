// Where a virtual IP has been, newest first, and why it moved.
import type { virtualIpTransition } from '@powernode/core/intent/virtual-ip';
import { Status, type StatusProps } from '../../../parts/status.tsx';
import { Ago } from '../../../parts/time.tsx';
import type { NameOf } from '../names.ts';
import { ObjectLink } from '../object-link.tsx';

type Transition = (typeof virtualIpTransition)['_output'];

const reasonLooks: Readonly<Record<Transition['reason'], StatusProps>> = {
  created: { tone: 'info', shape: 'full', text: 'created' },
  holder_dead: { tone: 'bad', shape: 'triangle', text: 'holder failed' },
  check_failed: { tone: 'bad', shape: 'cross', text: 'check failed' },
  by_hand: { tone: 'info', shape: 'diamond', text: 'manual' },
  preempted: { tone: 'ok', shape: 'tick', text: 'back to primary' },
  holder_changed: { tone: 'info', shape: 'half', text: 'holder changed' },
  holder_gone: { tone: 'wait', shape: 'cross', text: 'holder removed' },
  drained: { tone: 'wait', shape: 'half', text: 'drained' },
};

export interface TransitionsProps {
  readonly transitions: readonly Transition[];
  readonly networkId: string;
  readonly nameOf: NameOf;
}

export function Transitions({ transitions, networkId, nameOf }: TransitionsProps) {
  if (transitions.length === 0) return <p className="muted">It has not moved yet.</p>;
  const place = (id: string | null) =>
    id === null ? (
      <span className="muted">none</span>
    ) : (
      <ObjectLink networkId={networkId} object={{ type: 'peer', id, name: nameOf(id) }} />
    );
  return (
    <ol className="lines">
      {transitions.map((transition) => (
        <li key={`${transition.epoch} ${transition.at}`} className="line-item">
          <Status {...reasonLooks[transition.reason]} />
          <span className="grow">
            {place(transition.from_peer_id)} → {place(transition.to_peer_id)}
          </span>
          {transition.took_ms === null ? null : (
            <span className="num muted" title="From the decision until the new holder had applied it">
              took {transition.took_ms.toLocaleString('en-US')} ms
            </span>
          )}
          <Ago at={transition.at} />
          <span className="line-more">
            {transition.detail}{' '}
            <span className="muted">
              ({transition.actor}, epoch {transition.epoch})
            </span>
          </span>
        </li>
      ))}
    </ol>
  );
}
