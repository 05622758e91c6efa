// Which hosts in LANs behind members of a network are to reach each other. Pure.
import { parseAddress } from '@powernode/core/net/address';
import { contains, parsePrefix } from '@powernode/core/net/prefix';
import type { HostPlan, LabPlan, NetworkPlan } from './plan.ts';

/** One direction between two hosts, over the network that they share. */
export interface PingPair {
  readonly from: string;
  readonly to: string;
  readonly address: string;
}

/**
 * Every ordered pair of hosts in different LANs that the same network declares, by each address of the second one. A host
 * without a gateway is reached, where its LAN has source NAT, and reaches nobody.
 */
export function lanPairs(plan: LabPlan): PingPair[] {
  return plan.networks.flatMap((network) => {
    const hosts = plan.hosts.filter(({ name }) => !network.hosts.includes(name));
    const behind = hosts.map((host) => placeOf(network, host)).filter(({ lans }) => lans.length > 0);
    return behind
      .filter(({ host }) => host.gateway !== null)
      .flatMap((from) =>
        behind
          .filter((to) => !to.lans.some((lan) => from.lans.includes(lan)))
          .flatMap((to) =>
            to.addresses
              .filter((address) => from.addresses.some((own) => isSameFamily(own, address)))
              .map((address) => ({ from: from.host.name, to: to.host.name, address })),
          ),
      );
  });
}

/** The declared LANs that the host is in, and its addresses in the prefixes of them. */
function placeOf(network: NetworkPlan, host: HostPlan) {
  const attachments = host.attachments.filter(({ segment }) =>
    network.lans.some(({ lan }) => lan === segment),
  );
  const prefixes = network.lans.flatMap(({ subnets }) => subnets.map(({ prefix }) => prefix));
  const addresses = attachments
    .flatMap(({ address4, address6 }) => [address6, address4])
    .filter((address) => address !== null)
    .filter((address) => prefixes.some((prefix) => isInside(prefix, address)));
  return { host, lans: attachments.map(({ segment }) => segment), addresses };
}

function isInside(prefixText: string, addressText: string): boolean {
  const [prefix, address] = [parsePrefix(prefixText), parseAddress(addressText)];
  return prefix !== null && address !== null && contains(prefix, address);
}

function isSameFamily(one: string, other: string): boolean {
  return one.includes(':') === other.includes(':');
}
