// Which paths peers use to prefixes of a network with iBGP, as far as the platform knows sessions and policies: for those who
// follow packets.
import type { BestOf, BestPath } from '@powernode/core/explain/network-snapshot';
import { pathsTo } from '@powernode/core/routing/arrivals';
import type { ActionContext } from '../../context.ts';
import { loadedNetwork } from '../firewall/loaded-network.ts';
import { routedNetwork } from './routes.ts';
import { routingFacts } from './routing-facts.ts';

/** undefined: the network has static routes. */
export async function bestOf(context: ActionContext, networkId: string): Promise<BestOf | undefined> {
  const index = await loadedNetwork(context, networkId);
  if (index.network.asNumber === undefined) return undefined;
  const facts = await routingFacts(context, networkId);
  const routed = await routedNetwork(context, networkId, facts);
  const subnets = new Map(facts.subnets.map((subnet) => [subnet.prefix, subnet]));
  const speakers = [...index.peers()].filter((peer) => peer.routingDaemonMissing !== true);
  const speakerOf = new Map(speakers.map((peer) => [peer.id, peer]));
  const neighbors = routed.reflectors ?? speakers.map((peer) => peer.hostAddress);
  const isSpeaking = new Map<string, boolean>();
  /** With no session at all preferences decide, and so they do without FRR. */
  const speaks = (peerId: string): boolean => {
    const known = isSpeaking.get(peerId);
    if (known !== undefined) return known;
    const address = speakerOf.get(peerId)?.hostAddress;
    const others = routed.reflectors?.includes(address ?? '')
      ? speakers.map((peer) => peer.hostAddress)
      : neighbors;
    const is = address !== undefined && others.some((one) => one !== address && routed.isUp(one, address));
    isSpeaking.set(peerId, is);
    return is;
  };
  const known = new Map<string, readonly BestPath[]>();
  return (peerId, prefix) => {
    const subnet = subnets.get(prefix);
    if (subnet === undefined || (peerId !== null && !speaks(peerId))) return null;
    const key = `${peerId ?? ''} ${prefix}`;
    const best =
      known.get(key) ??
      pathsTo(routed, subnet, peerId === null ? null : (facts.addresses.get(peerId) ?? null)).flatMap(
        ({ best: isBest, announcer, attributes }) =>
          isBest && attributes !== null ? [{ announcer, nextHop: attributes.next_hop }] : [],
      );
    known.set(key, best);
    return best;
  };
}
