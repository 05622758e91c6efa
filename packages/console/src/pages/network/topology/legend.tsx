// What shapes and lines of the topology mean.
import { Icon } from '../../../parts/icon.tsx';
import { StatusShape } from '../../../parts/status.tsx';
import { peerLooks } from '../../../parts/statuses.tsx';
import type { TunnelHealth, TunnelKind } from '../tunnels.ts';

const lines: readonly (readonly [kind: TunnelKind, health: TunnelHealth, text: string])[] = [
  ['backbone', 'up', 'between hubs'],
  ['direct', 'up', 'direct'],
  ['shortcut', 'up', 'between spokes'],
  ['relay', 'up', 'relayed by this hub'],
  ['standby', 'up', 'standby hub'],
  ['relay', 'none', 'no handshake yet'],
  ['relay', 'stale', 'tunnel silent'],
  ['relay', 'down', 'tunnel down'],
];

export function Legend() {
  return (
    <ul className="legend" aria-label="Legend">
      {Object.values(peerLooks).map((look) => (
        <li key={look.text} className="status" data-tone={look.tone}>
          <StatusShape shape={look.shape} />
          {look.text}
        </li>
      ))}
      {lines.map(([kind, health, text]) => (
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
    </ul>
  );
}
