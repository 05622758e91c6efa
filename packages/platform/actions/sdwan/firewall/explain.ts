// Handler: why one side reaches another, or not.
import { hostAddressesOf, transitInterfaceName } from '@powernode/core/compile/entries';
import type { NetworkIndex } from '@powernode/core/compile/network-index';
import { ProductError } from '@powernode/core/errors';
import type { QuestionEnd } from '@powernode/core/explain/ends';
import type { InUse } from '@powernode/core/explain/lan-path';
import { NetworkSnapshot, type PresenceOf, type WithdrawnBy } from '@powernode/core/explain/network-snapshot';
import { explain, type Question } from '@powernode/core/explain/reachability';
import { withLength } from '@powernode/core/net/address';
import type { ActionContext, Handler, Input } from '../../context.ts';
import { problemsOfPeers } from '../../fleet/problems.ts';
import { bestOf } from '../routing/best-of.ts';
import { failingHolders } from '../virtual-ips/holders.ts';
import { loadedNetwork } from './loaded-network.ts';
import { withNames } from './names.ts';
import { requireObject } from './selectors.ts';

export const explainReachability: Handler<'explainReachability'> = async (context, input) => {
  const index = await loadedNetwork(context, input.network_id);
  refusePortOfIcmp(input);
  const question: Question = {
    source: await askedOf(context, input, 'source'),
    destination: await askedOf(context, input, 'destination'),
    protocol: input.protocol,
    port: input.port ?? null,
  };
  const problems = await problemsOfPeers(context, index.network.id);
  const best = await bestOf(context, index.network.id);
  const snapshot = new NetworkSnapshot(index, {
    problemsOf: (peerId) => problems.get(peerId) ?? [],
    presenceOf: presenceOf(context),
    withdrawnBy: await withdrawnBy(context, index.network.id),
    ...(best === undefined ? {} : { bestOf: best }),
  });
  const inUse = interfacesInUse(context, index);
  return withNames(context, (nameOf) => {
    const { verdict, because } = explain({ snapshot, nameOf, inUse }, question);
    return {
      verdict,
      because: because.map(({ step, peerId, object, detail }) => ({
        step,
        node: peerId === null ? null : { peer_id: peerId, hostname: nameOf({ type: 'peer', id: peerId }) },
        object: object === null ? null : { ...object, name: nameOf(object) },
        detail,
      })),
    };
  });
};

/** Which holders of virtual IPs are left out now, and why. */
export async function withdrawnBy(context: ActionContext, networkId: string): Promise<WithdrawnBy> {
  const failing = await failingHolders(context, networkId);
  const byVirtualIp = Map.groupBy(failing, ({ virtualIpId }) => virtualIpId);
  return (id) => new Map((byVirtualIp.get(id) ?? []).map(({ peerId, reason }) => [peerId, reason]));
}

/** Who is reached now, at the moment of each question. */
export function presenceOf({ services }: Pick<ActionContext, 'services'>): PresenceOf {
  return (peerId) => services.deliverer.peerPresence(peerId);
}

/** ICMP has no ports. */
export function refusePortOfIcmp(input: {
  readonly protocol: Question['protocol'];
  readonly port?: number | undefined;
}): void {
  if (input.protocol !== 'icmp6' || input.port === undefined) return;
  const message = 'icmp6 has no ports';
  throw new ProductError('validation_failed', `port: ${message}. Omit it, or choose tcp or udp.`, {
    fields: [{ path: 'port', code: 'no_ports', message }],
  });
}

async function askedOf(
  context: ActionContext,
  input: Input<'explainReachability'>,
  side: 'source' | 'destination',
): Promise<QuestionEnd> {
  const given: Partial<
    Record<'peer_id' | 'user_device_id' | 'virtual_ip_id' | 'address', string | undefined>
  > = input[side];
  for (const kind of ['peer', 'user_device', 'virtual_ip'] as const) {
    const id = given[`${kind}_id`];
    if (id === undefined) continue;
    await requireObject(context, { networkId: input.network_id, side, kind, id });
    return { kind, id };
  }
  return { kind: 'address', address: given.address ?? '' };
}

/** Where spokes' routes go now, as they last said. A hub has no choice, but for what it has lost. */
export function interfacesInUse(context: ActionContext, index: NetworkIndex): InUse {
  const { deliverer } = context.services;
  const { network } = index;
  return (peerId, destination) => {
    const peer = index.peer(peerId);
    if (peer === undefined || peer.hubSlot !== null) return null;
    const hubId = deliverer.hubInUse(peer.instanceId, network.id);
    const hub = index.transit.find((one) => one.id === hubId);
    if (hub === undefined) return null;
    const isWide = destination === network.prefix || destination === network.ipv4Prefix;
    return isWide || isLostDirectly(context, index, { peerId, destination })
      ? transitInterfaceName(network, hub.hubSlot)
      : null;
  };
}

/** Whether the destination is a spoke that is met without a hub when that works, and does not work now. */
function isLostDirectly(
  context: ActionContext,
  index: NetworkIndex,
  of: { readonly peerId: string; readonly destination: string },
): boolean {
  const self = index.peer(of.peerId);
  if (self === undefined || self.directEndpoint === null) return false;
  const met = context.services.deliverer.directPeers(self.instanceId, index.network.id);
  for (const other of index.peers()) {
    if (other.directEndpoint === null || other.hubSlot !== null || met.includes(other.id)) continue;
    const own = hostAddressesOf(other).map(withLength);
    if (own.includes(of.destination)) return true;
  }
  return false;
}
