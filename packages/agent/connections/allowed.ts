// Which connections the rules of a document allow at this node, as the same rules do for their first packets.
import { type BgpSpeaker, bgpSpeakerOf, bgpVerdict } from '@powernode/core/explain/bgp-ports';
import { type ParsedAddress, PrefixMap, parsedAddressOf } from '@powernode/core/explain/prefix-map';
import { groupsOfAddresses, RuleIndex, type Traffic } from '@powernode/core/explain/rule-index';
import { probePort } from '@powernode/core/limits/probe';
import { withoutLength } from '@powernode/core/net/address';
import { probePrefixOf } from '@powernode/core/net/probe-address';
import type { EntryValue, FirewallEntry } from '@powernode/core/wire/document';
import type { NodeDocument } from '@powernode/core/wire/node-document';
import type { Connection } from './listing.ts';

interface FilteredNetwork {
  readonly local: ReadonlySet<string>;
  readonly probed: PrefixMap<true>;
  readonly rules: RuleIndex;
  readonly bgp: BgpSpeaker | null;
}

const protocols: Readonly<Record<string, Traffic['protocol']>> = {
  tcp: 'tcp',
  udp: 'udp',
  icmp: 'icmp6',
  icmpv6: 'icmp6',
};

/** The rules of the networks whose connections are matched against them again. */
export class AllowedConnections {
  /** Prefixes of these networks. */
  readonly prefixes: readonly string[];
  readonly #networks = new PrefixMap<FilteredNetwork>();

  constructor(document: NodeDocument) {
    const firewalls = [...document.all('firewall').values()].filter(({ rematch }) => rematch);
    this.prefixes = firewalls.flatMap(({ prefixes }) => prefixes);
    for (const firewall of firewalls) {
      const network = filteredNetwork(document, firewall);
      for (const prefix of firewall.prefixes) this.#networks.set(prefix, network);
    }
  }

  /** A connection that this node does not filter is allowed. */
  allows(connection: Connection): boolean {
    const source = parsedAddressOf(connection.source);
    const destination = parsedAddressOf(connection.destination);
    if (source === null || destination === null) return true;
    const network = this.#networks.longest(destination);
    if (network === undefined || this.#networks.longest(source) !== network) return true;
    const protocol = protocols[connection.protocol] ?? 'other';
    const port = connection.destinationPort;
    if (protocol === 'udp' && port === probePort && network.probed.longest(destination) === true) return true;
    const accepts = (hook: Traffic['hook'], local: ParsedAddress) => {
      if (!network.local.has(local.text)) return true;
      const traffic = { hook, protocol, port };
      const ends = { source: source.text, destination: destination.text };
      const verdict =
        bgpVerdict(network.bgp, traffic, ends) ??
        network.rules.rulesFor(traffic).evaluate({ source, destination }).verdict;
      return verdict === 'accept';
    };
    return accepts('egress', source) && accepts('ingress', destination);
  }
}

function filteredNetwork(document: NodeDocument, firewall: FirewallEntry): FilteredNetwork {
  const id = firewall.network_id;
  const probed = new PrefixMap<true>();
  for (const prefix of firewall.prefixes) if (prefix.includes(':')) probed.set(probePrefixOf(prefix), true);
  const rules = new RuleIndex({
    rules: document.inNetwork('rule', id),
    groupsOf: groupsOfAddresses(document.inNetwork('member', id)),
    policy: firewall.default_policy,
  });
  return { local: localAddresses(document, id), probed, rules, bgp: bgpSpeakerOf(document, id) };
}

/** Addresses of this node and of the devices behind it. */
function localAddresses(document: NodeDocument, networkId: string): Set<string> {
  const local = (['interface', 'virtual_ip', 'device'] as const).flatMap((kind) =>
    document.inNetwork(kind, networkId).flatMap(({ addresses }) => addresses.map(withoutLength)),
  );
  return new Set(local);
}

/** What of a document these rules follow from. */
const kinds = [
  'firewall',
  'rule',
  'member',
  'device',
  'interface',
  'virtual_ip',
  'bgp',
  'bgp_neighbor',
] as const;

/** Whether the same connections are allowed by both, as far as that can be told without looking at them. */
export function isSameAboutConnections(a: NodeDocument, b: NodeDocument): boolean {
  return kinds.every((kind) => isSame(a.all(kind), b.all(kind)));
}

function isSame(a: ReadonlyMap<string, EntryValue>, b: ReadonlyMap<string, EntryValue>): boolean {
  if (a === b) return true;
  if (a.size !== b.size) return false;
  for (const [name, entry] of a) if (b.get(name) !== entry) return false;
  return true;
}
