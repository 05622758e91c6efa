// One node's document as its kernel applies it: addresses, routes, tunnels, port forwards. How packets are
// evaluated by its rules: rule-index.ts.
import { withoutLength } from '../net/address.ts';
import { contains, type Prefix, parsePrefix } from '../net/prefix.ts';
import { prefixesFrom } from '../net/special-addresses.ts';
import type {
  AnycastEntry,
  InterfaceEntry,
  PeerEntry,
  PortMappingEntry,
  RouteEntry,
  VirtualIpEntry,
} from '../wire/document.ts';
import type { NodeDocument } from '../wire/node-document.ts';
import type { LanEntry, SubnetEntry } from '../wire/routing-entries.ts';
import { type BgpSpeaker, bgpSpeakerOf } from './bgp-ports.ts';
import { type ParsedAddress, PrefixMap } from './prefix-map.ts';
import { type GroupsOf, RuleIndex } from './rule-index.ts';

/** What an address of the node itself is. */
export type LocalAddress =
  | { readonly kind: 'own' | 'probe'; readonly entry: InterfaceEntry }
  | { readonly kind: 'virtual_ip'; readonly entry: VirtualIpEntry };

export class NodeView {
  readonly peerId: string;
  readonly interfaces: ReadonlyMap<string, InterfaceEntry>;
  readonly routes = new PrefixMap<RouteEntry>();
  /** The routes of the network's own prefixes. */
  readonly networkRoutes: readonly RouteEntry[];
  /** The LANs that this node is in front of, as the network knows them. */
  readonly lans = new PrefixMap<LanEntry>();
  /** What those of them that are slices for pods are parts of. */
  readonly #podPrefixes: readonly Prefix[];
  /** All other prefixes behind peers, each with the peers in front of it, the preferred one first. */
  readonly subnets = new PrefixMap<readonly SubnetEntry[]>();
  readonly portForwards: readonly PortMappingEntry[];
  readonly rules: RuleIndex;
  /** null: the network has static routes. */
  readonly bgp: BgpSpeaker | null;
  readonly forwards: boolean;
  readonly #local = new Map<string, LocalAddress>();
  readonly #devices = new Map<string, string>();
  readonly #anycast = new Map<string, AnycastEntry>();
  readonly #direct = new Set<string>();
  readonly #tunnels = new Map<string, PrefixMap<PeerEntry>>();
  readonly #tunnelsByKeys = new Map<string, PeerEntry>();

  constructor(parts: {
    readonly peerId: string;
    /** Of one network alone. */
    readonly document: NodeDocument;
    /** By the `member` entries, which all nodes of a network have alike. */
    readonly groupsOf: GroupsOf;
  }) {
    const { peerId, document, groupsOf } = parts;
    this.peerId = peerId;
    this.interfaces = document.all('interface');
    this.portForwards = [...document.all('port_mapping').values()];
    this.forwards = document.all('forwarding').size > 0;
    this.#podPrefixes = prefixesFrom(Array.from(document.all('pods').values(), ({ prefix }) => prefix));
    const rules = [...document.all('rule').values()];
    const [firewall] = document.all('firewall').values();
    const [speaker] = document.all('bgp').values();
    this.bgp = speaker === undefined ? null : bgpSpeakerOf(document, speaker.network_id);
    this.rules = new RuleIndex({ rules, groupsOf, policy: firewall?.default_policy ?? 'accept' });
    for (const entry of this.interfaces.values()) {
      this.#addLocal(entry.addresses, { kind: 'own', entry });
      this.#addLocal(entry.probe_addresses, { kind: 'probe', entry });
    }
    for (const entry of document.all('virtual_ip').values()) {
      this.#addLocal(entry.addresses, { kind: 'virtual_ip', entry });
    }
    for (const entry of document.all('peer').values()) this.#addTunnel(entry);
    for (const entry of document.all('route').values()) this.routes.set(entry.destination, entry);
    this.networkRoutes = (firewall?.prefixes ?? []).flatMap(
      (prefix) => document.all('route').get(prefix) ?? [],
    );
    this.#addSubnets(document);
    for (const entry of document.all('anycast').values()) {
      for (const destination of entry.destinations) this.#anycast.set(withoutLength(destination), entry);
    }
    for (const entry of document.all('device').values()) {
      for (const address of entry.addresses) this.#devices.set(address, entry.user_device_id);
    }
    for (const entry of document.all('probe').values()) {
      if (entry.purpose === 'direct') this.#direct.add(`${entry.interface} ${entry.public_key}`);
    }
  }

  local(address: ParsedAddress): LocalAddress | undefined {
    return this.#local.get(address.text);
  }

  /** The device without an agent that has the address and for which this node evaluates rules. */
  device(address: ParsedAddress): string | undefined {
    return this.#devices.get(address.text);
  }

  /** The virtual IP of an anycast address that this node sends to holders by itself. */
  anycastAt(address: ParsedAddress): string | undefined {
    return this.#anycast.get(address.text)?.virtual_ip_id;
  }

  /** The tunnels from here to the holders of an anycast address, in the operator's order. */
  anycastNextHops(address: ParsedAddress): PeerEntry[] {
    const by = this.#anycast.get(address.text)?.by ?? [];
    return by.flatMap((one) => {
      const tunnel = this.tunnelByKey(one.interface, one.public_key);
      return tunnel === undefined || tunnel.allowed_ips.length === 0 ? [] : [tunnel];
    });
  }

  /** Whether a tunnel is a direct path to a spoke, and so carries packets only while probes are answered. */
  isDirect(tunnel: PeerEntry): boolean {
    return this.#direct.has(`${tunnel.interface} ${tunnel.public_key}`);
  }

  /** The tunnel by which an interface sends a packet for the address. */
  tunnelTo(interfaceName: string, address: ParsedAddress): PeerEntry | undefined {
    return this.#tunnels.get(interfaceName)?.longest(address);
  }

  /** The tunnel in which a packet of the other key arrives at one of this node's keys. */
  tunnelOf(keys: { readonly own: string; readonly other: string }): PeerEntry | undefined {
    return this.#tunnelsByKeys.get(`${keys.own} ${keys.other}`);
  }

  tunnelByKey(interfaceName: string, publicKey: string): PeerEntry | undefined {
    const own = this.interfaces.get(interfaceName)?.public_key ?? '';
    const tunnel = this.tunnelOf({ own, other: publicKey });
    return tunnel?.interface === interfaceName ? tunnel : undefined;
  }

  /** Whether a LAN of the node is its slice for pods. */
  isForPods({ prefix: text }: LanEntry): boolean {
    const prefix = parsePrefix(text);
    return prefix !== null && this.#podPrefixes.some((pods) => contains(pods, prefix));
  }

  #addLocal(addresses: readonly string[], local: LocalAddress): void {
    for (const address of addresses) this.#local.set(withoutLength(address), local);
  }

  #addSubnets(document: NodeDocument): void {
    const own = new Set<string>();
    for (const entry of document.all('lan').values()) {
      own.add(entry.prefix);
      this.lans.set(entry.prefix, entry);
    }
    const others = [...document.all('subnet').values()].filter(({ prefix }) => !own.has(prefix));
    for (const [prefix, entries] of Map.groupBy(others, (entry) => entry.prefix)) {
      this.subnets.set(
        prefix,
        entries.sort((a, b) => b.preference - a.preference || (a.subnet_id < b.subnet_id ? -1 : 1)),
      );
    }
  }

  #addTunnel(entry: PeerEntry): void {
    let tunnels = this.#tunnels.get(entry.interface);
    if (tunnels === undefined) {
      tunnels = new PrefixMap();
      this.#tunnels.set(entry.interface, tunnels);
    }
    for (const prefix of entry.allowed_ips) tunnels.set(prefix, entry);
    const own = this.interfaces.get(entry.interface)?.public_key ?? '';
    this.#tunnelsByKeys.set(`${own} ${entry.public_key}`, entry);
  }
}
