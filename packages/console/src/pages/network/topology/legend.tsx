// What shapes and lines of the topology mean.
import { Icon } from '../../../parts/icon.tsx';
import { StatusShape } from '../../../parts/status.tsx';
import { peerLooks } from '../../../parts/statuses.tsx';
import type { Line } from './layout.ts';

const lines: readonly (readonly [kind: Line['kind'], health: Line['health'], text: string])[] = [
  ['backbone', 'up', 'between hubs'],
  ['direct', 'up', 'direct'],
  ['shortcut', 'up', 'between spokes'],
  ['relay', 'up', 'relayed by this hub'],
  ['standby', 'up', 'standby hub'],
  ['relay', 'none', 'no handshake yet'],
  ['relay', 'stale', 'tunnel silent'],
  ['relay', 'down', 'tunnel down'],
];
const lanLines: typeof lines = [
  ['lan', 'up', 'peer in front of a LAN'],
  ['lan-standby', 'up', 'another peer in front of it'],
];

/** `hasLans`: what they look like is said only where there are some. */
export function Legend({ hasLans }: { readonly hasLans: boolean }) {
  return (
    <ul className="legend" aria-label="Legend">
      {Object.values(peerLooks).map((look) => (
        <li key={look.text} className="status" data-tone={look.tone}>
          <StatusShape shape={look.shape} />
          {look.text}
        </li>
      ))}
      {[...lines, ...(hasLans ? lanLines : [])].map(([kind, health, text]) => (
        <li key={text}>
          <svg className="sample" viewBox="0 0 32 12" aria-hidden="true">
            <path className="line" d="M1 6h30" data-kind={kind} data-health={health} />
          </svg>
          {text}
        </li>
      ))}
      <li>
        <span className="spot-badge">
          <Icon name="swap" />
        </span>
        holds virtual IPs
      </li>
      <li>
        <span className="spot-badge">
          <Icon name="device" />
        </span>
        devices at this hub
      </li>
      {hasLans ? (
        <li>
          <span className="spot-badge">
            <Icon name="instances" />
          </span>
          in front of LANs
        </li>
      ) : null}
    </ul>
  );
}
