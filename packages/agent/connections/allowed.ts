// Which connections the rules of a document allow at this node, as the same rules do for their first packets.
import { type ParsedAddress, parsedAddressOf } from '@powernode/core/explain/prefix-map';
import type { Traffic } from '@powernode/core/explain/rule-index';
import { rematchCoversMax } from '@powernode/core/limits/agent';
import { withoutLength } from '@powernode/core/net/address';
import { coveringPrefixes, withoutCovered } from '@powernode/core/net/prefix';
import type { EntryValue } from '@powernode/core/wire/document';
import type { NodeDocument } from '@powernode/core/wire/node-document';
import { FilteredNetwork, type ParsedConnection } from './filtered-network.ts';
import type { HostEnds } from './host-ends.ts';
import { type Connection, hasOtherDestination, type ListedEnds } from './listing.ts';

const protocols: Readonly<Record<string, Traffic['protocol']>> = {
  tcp: 'tcp',
  udp: 'udp',
  icmp: 'icmp6',
  icmpv6: 'icmp6',
};

/** The rules of the networks whose connections are matched against them again. */
export class AllowedConnections {
  /** Whose connections these rules can be about. */
  readonly ends: ListedEnds;
  readonly #networks: readonly FilteredNetwork[];
  readonly #parsed = new Map<string, ParsedAddress | null>();

  constructor(document: NodeDocument, host: HostEnds) {
    const firewalls = [...document.all('firewall').values()].filter(({ rematch }) => rematch);
    const lans = firewalls.flatMap(({ network_id: id }) => document.inNetwork('lan', id));
    const prefixes = firewalls.flatMap((firewall) => firewall.prefixes);
    const remote = firewalls.flatMap(({ network_id: id }) => [
      ...document.inNetwork('subnet', id),
      ...document.inNetwork('pods', id),
    ]);
    const addressesOf = (kind: 'interface' | 'virtual_ip') =>
      firewalls.flatMap(({ network_id: id }) =>
        document.inNetwork(kind, id).flatMap(({ addresses }) => addresses.map(withoutLength)),
      );
    const own = addressesOf('interface');
    this.ends = {
      prefixes: withoutCovered(prefixes),
      behind: coveringPrefixes(
        lans.flatMap((lan) => [lan.prefix, lan.local_prefix]),
        rematchCoversMax,
      ),
      reached: coveringPrefixes([...prefixes, ...remote.map(({ prefix }) => prefix)], rematchCoversMax),
      sentFrom: own,
      sentTo: [...own, ...addressesOf('virtual_ip')],
    };
    this.#networks = firewalls.map((firewall) => new FilteredNetwork(document, firewall, host));
  }

  /** A connection that this node does not filter is allowed. */
  allows(connection: Connection): boolean {
    const parsed = this.#parsedConnection(connection);
    return parsed === null || this.#networks.every((network) => network.allows(parsed));
  }

  #parsedConnection(connection: Connection): ParsedConnection | null {
    const { reply } = connection;
    const source = this.#addressOf(connection.source);
    const destination = this.#addressOf(connection.destination);
    const sentFrom = this.#addressOf(reply.destination);
    const sentTo = this.#addressOf(reply.source);
    if (source === null || destination === null || sentFrom === null || sentTo === null) return null;
    return {
      protocol: protocols[connection.protocol] ?? 'other',
      source,
      destination,
      port: connection.destinationPort,
      sentFrom,
      sentTo,
      sentToPort: reply.sourcePort,
      isRedirected: hasOtherDestination(connection),
    };
  }

  #addressOf(text: string): ParsedAddress | null {
    const known = this.#parsed.get(text);
    if (known !== undefined) return known;
    const address = parsedAddressOf(text);
    this.#parsed.set(text, address);
    return address;
  }
}

/** What of a document these rules follow from. */
const kinds = [
  'firewall',
  'rule',
  'member',
  'device',
  'interface',
  'virtual_ip',
  'lan',
  'pods',
  'subnet',
  'port_mapping',
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
