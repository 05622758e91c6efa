// The tunnels of one peer and what its node is configured with.
import type { Topology } from '@powernode/core/intent/peer';
import { consoleChoicesMax } from '@powernode/core/limits/console';
import { useMemo } from 'react';
import { useNow } from '../../parts/clock.ts';
import { count } from '../../parts/format.ts';
import { Section } from '../../parts/page.tsx';
import { Status } from '../../parts/status.tsx';
import { Ago } from '../../parts/time.tsx';
import { tunnelsOf } from './tunnels.ts';
import { healthLooks } from './tunnels-view.tsx';

/** A tunnel grows old without an event. */
const ageMs = 15_000;

export function PeerTunnels({ peerId, topology }: { readonly peerId: string; readonly topology: Topology }) {
  const now = Math.floor(useNow() / ageMs) * ageMs;
  const tunnels = useMemo(() => {
    const links = topology.links.filter((link) => link.peer_id === peerId || link.remote_peer_id === peerId);
    return tunnelsOf({ nodes: topology.nodes, links }, now);
  }, [topology, peerId, now]);
  const node = topology.nodes.find((one) => one.peer_id === peerId);
  return (
    <>
      <Section
        title="Tunnels"
        aside={<span className="muted">{tunnels.length.toLocaleString('en-US')}</span>}
      >
        {tunnels.length === 0 ? <p className="muted">None yet.</p> : null}
        <ul className="lines">
          {tunnels.slice(0, consoleChoicesMax).map((tunnel) => (
            <li key={tunnel.id} className="line-item">
              <strong className="grow">
                {tunnel.a.peer_id === peerId ? tunnel.b.hostname : tunnel.a.hostname}
              </strong>
              <Ago at={tunnel.lastHandshakeAt} />
              <Status {...healthLooks[tunnel.health]} />
            </li>
          ))}
        </ul>
        {tunnels.length > consoleChoicesMax ? (
          <p className="hint">
            and {count(tunnels.length - consoleChoicesMax, 'more', 'more')} in the tunnels table
          </p>
        ) : null}
      </Section>
      {node === undefined ? null : (
        <Section title="Interfaces">
          <ul className="lines">
            {node.interfaces.map((one) => (
              <li key={one.name} className="line-item">
                <code className="grow">{one.name}</code>
                <span className="muted">
                  {one.purpose}, {one.listen_port === 0 ? 'any port' : `port ${one.listen_port}`}, MTU{' '}
                  {one.mtu}
                </span>
              </li>
            ))}
          </ul>
        </Section>
      )}
    </>
  );
}
