// Which route is explained, and at which peer: the address of the page says so.
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useCallback } from 'react';
import type { NetworkSearch } from '../../../app/search.ts';

const from = '/networks/$networkId' as const;

export interface RoutePlace {
  readonly prefix: string | null;
  /** null: not chosen yet. */
  readonly at: string | null;
  readonly open: (prefix: string, at?: string) => void;
  readonly close: () => void;
}

export function useRoutePlace(): RoutePlace {
  const navigate = useNavigate();
  const { networkId } = useParams({ from });
  const { prefix = null, at = null } = useSearch({ from });
  const go = useCallback(
    (search: NetworkSearch) => void navigate({ to: from, params: { networkId }, search }),
    [navigate, networkId],
  );
  const open = useCallback(
    (to: string, peerId?: string) =>
      go({
        view: 'routing',
        part: 'routes',
        prefix: to,
        ...(peerId === undefined ? {} : { at: peerId }),
      }),
    [go],
  );
  const close = useCallback(() => go({ view: 'routing', part: 'routes' }), [go]);
  return { prefix, at, open, close };
}
