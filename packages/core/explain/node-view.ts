// One node's document, looked at as its kernel will: addresses, routes, tunnels, doors. How packets are evaluated by
// its rules: rule-index.ts.
import { withoutLength } from '../net/address.ts';
import type {
  AnycastEntry,
  InterfaceEntry,
  PeerEntry,
  PortMappingEntry,
  RouteEntry,
  VirtualIpEntry,
} from '../wire/document.ts';
import type { NodeDocument } from '../wire/node-document.ts';
import { PrefixMap, type Spot } from './prefix-map.ts';
import { type GroupsOf, RuleIndex } from './rule-index.ts';

/** What an address of the node itself is. */
export type Local =
  | { readonly kind: 'own' | 'probe'; readonly entry: InterfaceEntry }
  | { readonly kind: 'virtual_ip'; readonly entry: VirtualIpEntry };

export class NodeView {
  readonly peerId: string;
  readonly interfaces: ReadonlyMap<string, InterfaceEntry>;
  readonly routes = new PrefixMap<RouteEntry>();
  readonly doors: readonly PortMappingEntry[];
  readonly rules: RuleIndex;
  readonly forwards: boolean;
  readonly #local = new Map<string, Local>();
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
    this.doors = [...document.all('port_mapping').values()];
    this.forwards = document.all('forwarding').size > 0;
    const rules = [...document.all('rule').values()];
    const [firewall] = document.all('firewall').values();
    this.rules = new RuleIndex({ rules, groupsOf, policy: firewall?.default_policy ?? 'accept' });
    for (const entry of this.interfaces.values()) {
      this.#answer(entry.addresses, { kind: 'own', entry });
      this.#answer(entry.probe_addresses, { kind: 'probe', entry });
    }
    for (const entry of document.all('virtual_ip').values()) {
      this.#answer(entry.addresses, { kind: 'virtual_ip', entry });
    }
    for (const entry of document.all('peer').values()) this.#takeTunnel(entry);
    for (const entry of document.all('route').values()) this.routes.set(entry.destination, entry);
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

  local(spot: Spot): Local | undefined {
    return this.#local.get(spot.text);
  }

  /** The device without an agent that has the address and for which this node evaluates. */
  device(spot: Spot): string | undefined {
    return this.#devices.get(spot.text);
  }

  /** The tunnels by which those who answer for an anycast address are met from here, the nearest first. */
  takers(spot: Spot): PeerEntry[] {
    const by = this.#anycast.get(spot.text)?.by ?? [];
    return by.flatMap((one) => {
      const tunnel = this.tunnelByKey(one.interface, one.public_key);
      return tunnel === undefined || tunnel.allowed_ips.length === 0 ? [] : [tunnel];
    });
  }

  /** Whether a tunnel leads to a spoke without a hub, and so carries packets only while it is proven. */
  isDirect(tunnel: PeerEntry): boolean {
    return this.#direct.has(`${tunnel.interface} ${tunnel.public_key}`);
  }

  /** The tunnel that an interface puts a packet for the address into. */
  tunnelTo(interfaceName: string, spot: Spot): PeerEntry | undefined {
    return this.#tunnels.get(interfaceName)?.longest(spot);
  }

  /** The tunnel in which a packet comes from who has a key, sent to one of this node's. */
  tunnelOf(keys: { readonly own: string; readonly other: string }): PeerEntry | undefined {
    return this.#tunnelsByKeys.get(`${keys.own} ${keys.other}`);
  }

  tunnelByKey(interfaceName: string, publicKey: string): PeerEntry | undefined {
    const own = this.interfaces.get(interfaceName)?.public_key ?? '';
    const tunnel = this.tunnelOf({ own, other: publicKey });
    return tunnel?.interface === interfaceName ? tunnel : undefined;
  }

  #answer(addresses: readonly string[], local: Local): void {
    for (const address of addresses) this.#local.set(withoutLength(address), local);
  }

  #takeTunnel(entry: PeerEntry): void {
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
