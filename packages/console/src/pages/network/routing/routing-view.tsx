// How packets for prefixes behind peers go: the routing mode, the routes, the sessions of BGP, and route policies.
import { Link, useSearch } from '@tanstack/react-router';
import type { NetworkSearch, RoutingPart } from '../../../app/search.ts';
import type { ViewProps } from '../view.ts';
import { PoliciesPart } from './policies-part.tsx';
import { RoutesPart } from './routes-part.tsx';
import { RoutingHead } from './routing-head.tsx';
import { SessionsPart } from './sessions-part.tsx';

const parts: readonly (readonly [part: RoutingPart, text: string])[] = [
  ['routes', 'Routes'],
  ['sessions', 'BGP sessions'],
  ['policies', 'Route policies'],
];

export function RoutingView({ network }: ViewProps) {
  const shown = partOf(useSearch({ from: '/networks/$networkId' }));
  return (
    <>
      <RoutingHead network={network} />
      <nav className="tabs-list" aria-label="Routing">
        {parts.map(([part, text]) => (
          <Link
            key={part}
            className="tab"
            to="/networks/$networkId"
            params={{ networkId: network.id }}
            search={{ view: 'routing', part }}
            aria-current={part === shown ? 'page' : undefined}
          >
            {text}
          </Link>
        ))}
      </nav>
      {shown === 'routes' ? <RoutesPart network={network} /> : null}
      {shown === 'sessions' ? <SessionsPart network={network} /> : null}
      {shown === 'policies' ? <PoliciesPart network={network} /> : null}
    </>
  );
}

/** A link to one object says which part it is in. */
function partOf({ part, bgp_session: session, route_policy: policy }: NetworkSearch): RoutingPart {
  if (part !== undefined) return part;
  if (session !== undefined) return 'sessions';
  return policy === undefined ? 'routes' : 'policies';
}
