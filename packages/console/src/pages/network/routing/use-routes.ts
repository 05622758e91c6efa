// The routes of a network, with who is in front of each prefix.
import { useMemo } from 'react';
import { useMay } from '../../../app/permissions.ts';
import { useOne } from '../../../app/use-one.ts';
import { useRows } from '../../../app/use-rows.ts';
import { type RouteRow, routeRows } from './route-rows.ts';

export interface Routes {
  /** Undefined until both are here. */
  readonly rows: readonly RouteRow[] | undefined;
  readonly error: Error | null;
  readonly retry: () => void;
}

/** `wanted`: not asked for by whoever may not see them. */
export function useRoutes(networkId: string, wanted = true): Routes {
  const maySeeAll = useMay('listSubnetAdvertisements') && wanted;
  const summary = useOne('routes', 'getRoutingSummary', { network_id: networkId }, { enabled: wanted });
  const advertised = useRows(
    'listSubnetAdvertisements',
    { network_id: networkId, withdrawn: false },
    { enabled: maySeeAll },
  );
  const isComplete = advertised.complete || !maySeeAll;
  const found = summary.data;
  const rows = useMemo(
    () => (found === undefined || !isComplete ? undefined : routeRows(found, advertised.rows)),
    [found, isComplete, advertised.rows],
  );
  return {
    rows,
    error: summary.error ?? advertised.error,
    retry() {
      void summary.refetch();
      advertised.retry();
    },
  };
}
