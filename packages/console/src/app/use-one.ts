// Single objects: one network, machine, peer, approval; the topology of a network; who is signed in. What only one page
// asks for is asked for there.
import { CallError } from '@powernode/client/call-error';
import { type UseQueryResult, useQuery } from '@tanstack/react-query';
import type { Output, Parameters, ReadAction } from '../api/client.ts';
import type { Noun } from '../api/nouns.ts';
import { client } from './platform.ts';
import { pollInterval } from './query-client.ts';

export interface OneOptions<T> {
  readonly busy?: (value: T) => boolean;
  readonly enabled?: boolean;
}

export function useOne<K extends ReadAction>(
  noun: Noun,
  key: K,
  parameters: Parameters<K>,
  options: OneOptions<Output<K>> = {},
): UseQueryResult<Output<K>> {
  const { busy } = options;
  const query = useQuery({
    queryKey: [noun, 'one', parameters],
    queryFn: ({ signal }) => client.read(key, parameters, signal),
    enabled: options.enabled ?? true,
    refetchInterval: (query) => {
      const value = query.state.data;
      if (value === undefined) return false;
      return pollInterval(query as never, busy === undefined ? null : busy(value));
    },
  });
  // What was deleted meanwhile is not shown on as if it were there.
  const gone = query.error instanceof CallError && query.error.code === 'not_found';
  return gone ? ({ ...query, data: undefined } as typeof query) : query;
}

export function useNetwork(networkId: string) {
  return useOne('networks', 'getNetwork', { network_id: networkId });
}

export function useInstance(instanceId: string) {
  return useOne(
    'instances',
    'getInstance',
    { instance_id: instanceId },
    { busy: ({ instance }) => instance.connected && !instance.in_sync },
  );
}

export function usePeer(peerId: string) {
  return useOne(
    'peers',
    'getPeer',
    { peer_id: peerId },
    { busy: ({ peer }) => peer.status === 'handshaking' },
  );
}

export function useApproval(approvalId: string) {
  // Only a person's click uses up what is shown once.
  return useOne('approvals', 'getApproval', { approval_id: approvalId, show_secret: false });
}

export function useTopology(networkId: string, options: { readonly enabled: boolean }) {
  return useOne(
    'topology',
    'getTopology',
    { network_id: networkId },
    {
      ...options,
      busy: ({ topology }) =>
        topology.nodes.length < 100 && topology.nodes.some((n) => n.status === 'handshaking'),
    },
  );
}

export const whoamiKey = ['whoami'] as const;

export function useWhoami() {
  return useQuery({
    queryKey: whoamiKey,
    queryFn: ({ signal }) => client.read('whoami', {}, signal),
    staleTime: 60_000,
    retry: false,
  });
}
