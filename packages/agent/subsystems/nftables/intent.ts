// The entries of a document that the table of rules follows from, beside those of firewalls (core/compile/firewall).
import { familyOf } from '@powernode/core/net/address';
import type {
  ForwardingEntry,
  InterfaceEntry,
  PortMappingEntry,
  VirtualIpEntry,
} from '@powernode/core/wire/document';
import type { NodeDocument } from '@powernode/core/wire/node-document';
import type { LanEntry } from '@powernode/core/wire/routing-entries';
import type { ByFamily } from '../observed.ts';
import { type BgpIntent, bgpIntentsOf } from './chains/bgp-rules.ts';
import { type PodsIntent, podsIntentsOf } from './chains/pod-rules.ts';

export interface RulesetIntent {
  readonly interfaces: readonly InterfaceEntry[];
  readonly forwarding: readonly ForwardingEntry[];
  readonly mappings: readonly PortMappingEntry[];
  readonly virtualIps: readonly VirtualIpEntry[];
  readonly lans: readonly LanEntry[];
  readonly pods: readonly PodsIntent[];
  readonly bgp: readonly BgpIntent[];
  /** Which families the machine has to forward. */
  readonly forwarded: ByFamily;
}

export function rulesetIntentOf(document: NodeDocument): RulesetIntent {
  const forwarding = [...document.all('forwarding').values()];
  const mappings = [...document.all('port_mapping').values()];
  return {
    interfaces: [...document.all('interface').values()],
    forwarding: forwarding.sort((a, b) => (a.handle < b.handle ? -1 : 1)),
    mappings: mappings.sort((a, b) => (a.port_mapping_id < b.port_mapping_id ? -1 : 1)),
    virtualIps: [...document.all('virtual_ip').values()],
    lans: [...document.all('lan').values()],
    pods: podsIntentsOf(document),
    bgp: bgpIntentsOf(document),
    forwarded: forwardedFamilies(document),
  };
}

/** Which families the machine has to forward. */
export function forwardedFamilies(document: NodeDocument): ByFamily {
  const hasIpv4 = (one: InterfaceEntry) => one.addresses.some((address) => familyOf(address) === 4);
  const forwarding = [...document.all('forwarding').values()];
  const behind = (family: 4 | 6) =>
    [...document.all('lan').values()].some(({ prefix }) => familyOf(prefix) === family) ||
    (forwarding.length > 0 &&
      [...document.all('subnet').values()].some(({ prefix }) => familyOf(prefix) === family));
  return {
    ipv6: forwarding.length > 0 || behind(6),
    ipv4:
      forwarding.some(({ network_id: id }) => document.inNetwork('interface', id).some(hasIpv4)) || behind(4),
  };
}
