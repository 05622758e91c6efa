// Which connections of one network this machine would allow if they began now: by the rules where it evaluates them
// (nftables/chains), and by what it forwards at all between the network and everything else.
import { type BgpSpeaker, bgpSpeakerOf, bgpVerdict } from '@powernode/core/explain/bgp-ports';
import { type ParsedAddress, PrefixMap } from '@powernode/core/explain/prefix-map';
import { groupsOfAddresses, RuleIndex, type Traffic } from '@powernode/core/explain/rule-index';
import { probePort } from '@powernode/core/limits/probe';
import { contains, parsePrefix } from '@powernode/core/net/prefix';
import { probePrefixOf } from '@powernode/core/net/probe-address';
import type { FirewallEntry, PortMappingEntry } from '@powernode/core/wire/document';
import type { NodeDocument } from '@powernode/core/wire/node-document';
import type { HostEnds } from './host-ends.ts';

/** A connection with its addresses as numbers. */
export interface ParsedConnection {
  readonly protocol: Traffic['protocol'];
  /** What its first packet said. */
  readonly source: ParsedAddress;
  readonly destination: ParsedAddress;
  readonly port: number | null;
  /** What became of that, where something translates it. */
  readonly sentFrom: ParsedAddress;
  readonly sentTo: ParsedAddress;
  readonly sentToPort: number | null;
  /** It leads elsewhere than its first packet said. */
  readonly isRedirected: boolean;
}

/**
 * own: an address of this machine in the network; device: of a device that has this machine for its hub; lan: behind this
 * machine in the network, such as a host of its LAN, or a pod; machine: another address of this machine; bridge: behind a
 * stated bridge; overlay: reached through the network.
 */
type Place = 'own' | 'device' | 'lan' | 'machine' | 'bridge' | 'overlay' | 'outside';

export class FilteredNetwork {
  readonly #host: HostEnds;
  readonly #places = new PrefixMap<Place>();
  /** LANs as the network knows them. */
  readonly #known = new PrefixMap<true>();
  readonly #slices = new PrefixMap<true>();
  readonly #probed = new PrefixMap<true>();
  readonly #mappings: ReadonlyMap<string, PortMappingEntry>;
  /** Packets of LANs are filtered before and behind their translation. */
  readonly #translatesLans: boolean;
  readonly #rules: RuleIndex;
  readonly #bgp: BgpSpeaker | null;

  constructor(document: NodeDocument, firewall: FirewallEntry, host: HostEnds) {
    const id = firewall.network_id;
    this.#host = host;
    this.#placeAll(document, firewall);
    this.#translatesLans = [...document.all('lan').values()].some((lan) => lan.prefix !== lan.local_prefix);
    for (const prefix of firewall.prefixes)
      if (prefix.includes(':')) this.#probed.set(probePrefixOf(prefix), true);
    const mappings = document.inNetwork('port_mapping', id);
    this.#mappings = new Map(mappings.map((mapping) => [mappingKey(mapping), mapping]));
    this.#rules = new RuleIndex({
      rules: document.inNetwork('rule', id),
      groupsOf: groupsOfAddresses(document.inNetwork('member', id)),
      policy: firewall.default_policy,
    });
    this.#bgp = bgpSpeakerOf(document, id);
  }

  /** From the widest to the narrowest: of two of the same prefix the later one counts. */
  #placeAll(document: NodeDocument, firewall: FirewallEntry): void {
    const id = firewall.network_id;
    for (const prefix of this.#host.bridged) this.#places.set(prefix, 'bridge');
    for (const prefix of firewall.prefixes) this.#places.set(prefix, 'overlay');
    for (const { prefix } of document.inNetwork('subnet', id)) this.#places.set(prefix, 'overlay');
    const pods = document.inNetwork('pods', id);
    for (const { prefix } of pods) this.#places.set(prefix, 'overlay');
    for (const { prefix, local_prefix: local } of document.inNetwork('lan', id)) {
      this.#known.set(prefix, true);
      this.#places.set(local, 'lan');
      if (pods.some((one) => isInside(prefix, one.prefix))) this.#slices.set(prefix, true);
    }
    const place = (addresses: readonly string[], what: Place) => {
      for (const address of addresses) this.#places.set(address, what);
    };
    for (const kind of ['interface', 'virtual_ip'] as const) {
      for (const { addresses } of document.all(kind).values()) place(addresses, 'machine');
      for (const { addresses } of document.inNetwork(kind, id)) place(addresses, 'own');
    }
    for (const { addresses } of document.inNetwork('device', id)) {
      for (const address of addresses) place([`${address}/${address.includes(':') ? 128 : 32}`], 'device');
    }
  }

  /** What the network does not carry is allowed. */
  allows(connection: ParsedConnection): boolean {
    const { protocol, port, destination } = connection;
    if (protocol === 'udp' && port === probePort && this.#probed.longest(destination) === true) return true;
    const from = this.#placeOf(connection.source);
    const to = this.#placeOf(connection.sentTo);
    return (
      this.#isCarried(connection, from, to) &&
      this.#isSentAllowed(connection, from, to) &&
      this.#isArrivalAllowed(connection, from, to)
    );
  }

  #placeOf(address: ParsedAddress): Place {
    const place = this.#places.longest(address) ?? 'outside';
    return place === 'outside' && this.#host.addresses.has(address.text) ? 'machine' : place;
  }

  /** Between the network and what is neither in it nor declared to be behind this machine (nftables/chains/forward-chain.ts). */
  #isCarried(connection: ParsedConnection, from: Place, to: Place): boolean {
    if (isThrough(from) && (to === 'outside' || to === 'bridge')) return this.#isPublished(connection);
    if (from === 'bridge' && isThrough(to)) return this.#placeOf(connection.sentFrom) === 'own';
    if (from !== 'outside' || !(isThrough(to) || to === 'own')) return true;
    return connection.isRedirected ? this.#isMapped(connection) : to === 'own';
  }

  /** A port of this machine's own address, which something else leads to a host behind a stated bridge. */
  #isPublished({ destination, isRedirected }: ParsedConnection): boolean {
    return this.#host.hasBridges && isRedirected && this.#placeOf(destination) === 'own';
  }

  #isMapped({ protocol, source, destination, port, sentTo, sentToPort }: ParsedConnection): boolean {
    const mapping = this.#mappings.get(`${protocol} ${destination.text} ${port}`);
    if (mapping === undefined) return false;
    const { source_cidrs: cidrs, target_address: target, target_port: targetPort } = mapping;
    if (target !== sentTo.text || targetPort !== sentToPort) return false;
    return cidrs.length === 0 || cidrs.some((cidr) => isInside(source, cidr));
  }

  /** Egress rules: for what this machine, or a host behind it, sends into the network. */
  #isSentAllowed(connection: ParsedConnection, from: Place, to: Place): boolean {
    if (from !== 'device' && !isThrough(to)) return true;
    if (from === 'overlay' || from === 'outside') return true;
    const isBehind = from === 'bridge' || (from === 'lan' && this.#translatesLans);
    const source = isBehind ? connection.sentFrom : connection.source;
    return this.#evaluates(connection, {
      hook: 'egress',
      source,
      destination: connection.sentTo,
      port: connection.sentToPort,
    });
  }

  /** Ingress rules: for what comes to this machine, or to a host behind it, through the network. */
  #isArrivalAllowed(connection: ParsedConnection, from: Place, to: Place): boolean {
    if (!this.#isFilteredOnArrival(connection, from, to)) return true;
    const { source, destination, port, sentTo, sentToPort } = connection;
    const isBefore =
      (this.#host.hasBridges && this.#placeOf(destination) === 'own') ||
      (this.#translatesLans && this.#known.longest(destination) === true);
    const ends = isBefore ? { destination, port } : { destination: sentTo, port: sentToPort };
    return this.#evaluates(connection, { hook: 'ingress', source, ...ends });
  }

  #isFilteredOnArrival(connection: ParsedConnection, from: Place, to: Place): boolean {
    if (to === 'device') return true;
    if (to === 'overlay') return false;
    if (to === 'own' && from === 'lan') return this.#slices.longest(connection.source) === true;
    // Overlay addresses are closed to everybody outside, but for port mappings.
    if (to === 'own' && from === 'outside') return !connection.isRedirected;
    return isThrough(from);
  }

  #evaluates(
    { protocol }: ParsedConnection,
    packet: {
      readonly hook: Traffic['hook'];
      readonly source: ParsedAddress;
      readonly destination: ParsedAddress;
      readonly port: number | null;
    },
  ): boolean {
    const { hook, source, destination, port } = packet;
    const traffic = { hook, protocol, port };
    const verdict =
      bgpVerdict(this.#bgp, traffic, { source: source.text, destination: destination.text }) ??
      this.#rules.rulesFor(traffic).evaluate({ source, destination }).verdict;
    return verdict === 'accept';
  }
}

/** Packets of it go through the network's interfaces. */
function isThrough(place: Place): boolean {
  return place === 'overlay' || place === 'device';
}

function mappingKey({ protocol, external_address: address, external_port: port }: PortMappingEntry): string {
  return `${protocol} ${address} ${port}`;
}

function isInside(inner: ParsedAddress | string, outer: string): boolean {
  const block = parsePrefix(outer);
  const one = typeof inner === 'string' ? parsePrefix(inner) : inner;
  return block !== null && one !== null && contains(block, one);
}
