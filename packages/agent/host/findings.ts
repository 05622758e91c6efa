// What this host does, beside the agent, to packets of overlays: filters that drop what is forwarded or comes in, a
// filter in front of WireGuard's port, reverse-path filters, bridges that are cut off. Each with what to do about it.
import { familyOf } from '@powernode/core/net/address';
import { type Prefix, parsePrefix } from '@powernode/core/net/prefix';
import type { InterfaceEntry } from '@powernode/core/wire/document';
import type { NodeDocument } from '@powernode/core/wire/node-document';
import type { NodeProblemCode } from '@powernode/core/wire/node-problems';
import type { FoundProblem } from '../observe/problems.ts';
import { type Behind, behindOf, type OutsideAddress } from './behind.ts';
import { chainKey, type HostChain, type HostRules } from './host-rules.ts';
import { type HostPacket, holds, isObject } from './matches.ts';
import { type Drop, dropsOf } from './walk.ts';

/** One overlay of this machine as its filters meet it. */
export interface HostNetwork {
  readonly networkId: string;
  /** Leaf first. */
  readonly interfaces: readonly InterfaceEntry[];
  readonly forwards: boolean;
  readonly prefixes: readonly Prefix[];
  /** Where WireGuard has to be called; null: nobody calls this machine. */
  readonly listenPort: number | null;
  /** What this machine forwards to and from, beside peers. */
  readonly behind: readonly Behind[];
}

export type HostTool = 'docker' | 'ufw' | 'firewalld';

/** A filter that certainly drops, and the tool that wrote it, where it has a place for the agent's accept. */
export interface HostDrop {
  readonly what: 'forward' | 'input' | 'port' | Behind['what'];
  readonly family: 4 | 6;
  readonly network: HostNetwork;
  /** By which interfaces the packet goes; null: by any, by one that is not known, or it is for the machine. */
  readonly way: Way;
  readonly tool: HostTool | null;
  readonly drop: Drop;
}

interface Way {
  readonly iif: string | null;
  readonly oif: string | null;
  readonly isReply?: boolean;
}

export interface HostFacts {
  readonly rules: HostRules;
  readonly networks: readonly HostNetwork[];
  /** `net.ipv4.conf.all.rp_filter`; null: the kernel has no such setting. */
  readonly reversePathFilter: string | null;
  /** Families of which iptables-legacy has a table of filters, which nft does not list. */
  readonly legacyTables: readonly (4 | 6)[];
  /** Bridges of the machine, and those of them whose hosts may use the overlays. */
  readonly bridges: readonly string[];
  readonly statedBridges: readonly string[];
}

export function networksOf(document: NodeDocument, outside: readonly OutsideAddress[] = []): HostNetwork[] {
  const interfaces = [...document.all('interface').values()];
  return interfaces
    .filter((one) => one.purpose === 'leaf')
    .map((leaf) => {
      const id = leaf.network_id;
      const [firewall] = document.inNetwork('firewall', id);
      const prefixes = firewall?.prefixes ?? leaf.addresses;
      return {
        networkId: id,
        interfaces: [leaf, ...interfaces.filter((one) => one.network_id === id && one !== leaf)],
        forwards: document.inNetwork('forwarding', id).length > 0,
        prefixes: prefixes.flatMap((text) => parsePrefix(text) ?? []),
        listenPort: leaf.listen_port === 0 ? null : leaf.listen_port,
        behind: behindOf(document, id, outside),
      };
    });
}

export function familiesOf(network: HostNetwork): (4 | 6)[] {
  const [leaf] = network.interfaces;
  return ([6, 4] as const).filter((family) => leaf?.addresses.some((one) => familyOf(one) === family));
}

/** Everything that drops packets of overlays, certainly or partly. */
export function hostDrops({ rules, networks }: Pick<HostFacts, 'rules' | 'networks'>): HostDrop[] {
  return networks.flatMap((network) => [
    ...familiesOf(network).flatMap((family) => overlayDrops(rules, { network, family })),
    ...network.behind.flatMap((behind) => behindDrops(rules, { network, behind })),
    ...portDrops(rules, network),
  ]);
}

function overlayDrops(
  rules: HostRules,
  { network, family }: { readonly network: HostNetwork; readonly family: 4 | 6 },
): HostDrop[] {
  const block = network.prefixes.find((prefix) => prefix.family === family) ?? null;
  const packet = {
    family,
    source: block,
    destination: block,
    protocol: 'tcp',
    port: null,
  } as const;
  const of = (what: 'forward' | 'input', way: Way) =>
    dropsOf(rules, what, { ...packet, ...way }).map((drop) => ({
      what,
      family,
      network,
      way,
      tool: toolOf(rules, drop),
      drop,
    }));
  return [
    ...(network.forwards ? forwardWays(network).flatMap((way) => of('forward', way)) : []),
    ...network.interfaces.flatMap(({ name }) => of('input', { iif: name, oif: null })),
  ];
}

/** Of a reply only what is certainly dropped: nearly every filter accepts it by its state, which may not be readable. */
function behindDrops(
  rules: HostRules,
  { network, behind }: { readonly network: HostNetwork; readonly behind: Behind },
): HostDrop[] {
  const { what, family, interface: outside, entering, leaving } = behind;
  return network.interfaces.flatMap(({ name }) =>
    [
      { way: { iif: outside, oif: name }, packet: entering },
      { way: { iif: name, oif: outside, isReply: leaving.isReply === true }, packet: leaving },
    ].flatMap(({ way, packet }) =>
      dropsOf(rules, 'forward', { ...packet, iif: way.iif, oif: way.oif, family })
        .filter(({ partly }) => !(partly && packet.isReply === true))
        .map((drop) => ({ what, family, network, way, tool: toolOf(rules, drop), drop })),
    ),
  );
}

/** Between which interfaces a hub passes packets on; what comes from one hub is not passed on to another. */
function forwardWays({ interfaces }: HostNetwork): Way[] {
  return interfaces.flatMap((from) =>
    interfaces
      .filter((to) => from.purpose === 'leaf' || to.purpose === 'leaf')
      .map((to) => ({ iif: from.name, oif: to.name })),
  );
}

/** Calls of WireGuard come by UDP from outside, over either family. */
function portDrops(rules: HostRules, network: HostNetwork): HostDrop[] {
  const { listenPort: port } = network;
  if (port === null) return [];
  return ([6, 4] as const).flatMap((family) => {
    const packet: HostPacket = {
      family,
      iif: null,
      oif: null,
      source: null,
      destination: null,
      protocol: 'udp',
      port,
    };
    return dropsOf(rules, 'input', packet).map((drop) => ({
      what: 'port' as const,
      family,
      network,
      way: { iif: null, oif: null },
      tool: toolOf(rules, drop),
      drop,
    }));
  });
}

function toolOf(rules: HostRules, { chain }: Drop): HostTool | null {
  if (chain.table === 'firewalld') return 'firewalld';
  const names = [...rules.values()].filter((one) => one.family === chain.family && one.table === chain.table);
  if (names.some(({ name }) => /^ufw6?-/.test(name))) return 'ufw';
  return names.some(({ name }) => name === 'DOCKER-USER') ? 'docker' : null;
}

const toolNames = { docker: 'Docker', ufw: 'ufw', firewalld: 'firewalld' } as const;

export function hostProblems(facts: HostFacts): FoundProblem[] {
  const groups = Map.groupBy(
    hostDrops(facts),
    (one) => `${codeOf(one)} ${one.what} ${one.network.networkId}`,
  );
  return [
    ...Array.from(groups.values(), dropProblem),
    ...facts.networks.flatMap((network) => reversePathProblem(facts, network) ?? []),
    ...bridgeProblems(facts),
    ...legacyProblems(facts),
  ];
}

/** What is in these tables is not known, so that packets may be dropped there. */
function legacyProblems({ networks, legacyTables }: HostFacts): FoundProblem[] {
  if (networks.length === 0 || legacyTables.length === 0) return [];
  const families = legacyTables.map((family) => `IPv${family}`).join(' and ');
  const commands = legacyTables.map((family) =>
    family === 6 ? 'ip6tables-legacy -S' : 'iptables-legacy -S',
  );
  return [
    {
      code: 'host_firewall_partly',
      detail: `The kernel has a filter table of iptables-legacy for ${families}, which the agent cannot read: rules in it may drop overlay packets. Check "${commands.join('" and "')}", and move the rules to nftables (iptables-nft).`,
    },
  ];
}

const codes = {
  forward: 'host_firewall_forward',
  input: 'host_firewall_input',
  port: 'host_firewall_port',
  lan: 'host_firewall_lan',
  port_mapping: 'host_firewall_port_mapping',
} as const;

function codeOf({ what, drop }: HostDrop): NodeProblemCode {
  if (what === 'lan' || what === 'port_mapping') return codes[what];
  return drop.partly ? 'host_firewall_partly' : codes[what];
}

/** One for all chains, families and interfaces that drop the same. */
function dropProblem(group: readonly HostDrop[]): FoundProblem {
  const [first] = group;
  if (first === undefined) throw new Error('a group without a drop');
  const { what, network, drop, tool } = first;
  const ways = group.map(({ way }) => way);
  const names = network.interfaces
    .map(({ name }) => name)
    .filter((name) => what === 'port' || ways.some(({ iif, oif }) => iif === name || oif === name));
  const shown = nameList(names);
  const outside = outsideOf(network, ways);
  const families = [...new Set(group.map(({ family }) => `IPv${family}`))].join(' and ');
  const by = tool === null ? ownerOf(drop.at) : ` (${toolNames[tool]})`;
  const place = drop.by === 'policy' ? 'the policy of chain' : 'a rule in chain';
  const places = new Set(group.map(({ drop: { at, by } }) => `${by} ${chainKey(at)}`));
  const others = places.size > 1 ? `, and ${places.size - 1} more` : '';
  const where = `${place} ${drop.at.name} of table ${drop.at.family} ${drop.at.table}${by}${others}`;
  const subject = {
    forward: `${families} packets that this instance should forward between peers on ${shown}`,
    input: `${families} incoming overlay packets on ${shown}`,
    port: `WireGuard packets over ${families} to UDP port ${network.listenPort}`,
    lan: `${families} packets between ${shown} and LANs or pods behind this instance${outside.length === 0 ? '' : ` on ${nameList(outside)}`}`,
    port_mapping: `${families} packets of port mappings between ${nameList(outside) || 'other interfaces'} and ${shown}`,
  }[what];
  const verb = group.every((one) => one.drop.partly) ? 'drops most' : 'drops';
  return {
    code: codeOf(first),
    detail: `The local firewall ${verb} ${subject}: ${where}. ${adviceFor(first, { names: shown, outside, ways })}`,
    networkId: network.networkId,
    // One outside of overlays concerns packets by each of these interfaces, as an explanation has it.
    interface: what === 'lan' || what === 'port_mapping' ? outside[0] : names[0],
  };
}

function adviceFor(
  { what, tool, network }: HostDrop,
  {
    names,
    outside,
    ways,
  }: { readonly names: string; readonly outside: readonly string[]; readonly ways: readonly Way[] },
): string {
  const flag = 'or run the agent with --host-firewall accept';
  const { listenPort: port } = network;
  if (what === 'port') {
    if (tool === 'ufw') return `Run "ufw allow ${port}/udp", ${flag}.`;
    if (tool === 'firewalld')
      return `Run "firewall-cmd --permanent --add-port=${port}/udp" and reload, ${flag}.`;
    return `Accept UDP port ${port} there.`;
  }
  if (what === 'input') {
    if (tool === 'firewalld') return `Assign ${names} to a zone that accepts incoming packets, ${flag}.`;
    return `Accept packets that arrive on ${names} there; the firewall rules of the network still apply.`;
  }
  const [from, to, where] = commandPlaces(ways);
  if (tool === 'ufw') return `Run "ufw route allow in on ${from} out on ${to}"${where}, ${flag}.`;
  if (tool === 'docker') return `Accept -i ${from} -o ${to} in chain DOCKER-USER${where}, ${flag}.`;
  if (tool === 'firewalld' && what !== 'forward')
    return `Add a policy that accepts between the zones of ${nameList(outside) || 'the other interface'} and ${names}.`;
  if (tool === 'firewalld') return `Assign ${names} to a zone that forwards, such as trusted, ${flag}.`;
  return `Accept forwarded packets from ${from} to ${to} there${where}.`;
}

/** The interfaces outside of the overlay; empty: none is known. */
function outsideOf({ interfaces }: HostNetwork, ways: readonly Way[]): string[] {
  const names = ways.flatMap(({ iif, oif }) => [iif, oif]).filter((name) => name !== null);
  return [...new Set(names)].filter((name) => interfaces.every((one) => one.name !== name));
}

/** An interface that is not known. */
const anyOther = 'any other interface';

/** What stands in a command for both interfaces: their names, or A and B, and which names those are. */
function commandPlaces(ways: readonly Way[]): [from: string, to: string, where: string] {
  const targets = new Map<string, Set<string>>();
  for (const { iif, oif } of ways) {
    const [from, to] = [iif ?? anyOther, oif ?? anyOther];
    targets.set(from, (targets.get(from) ?? new Set()).add(to));
  }
  const groups = Map.groupBy(targets.keys(), (iif) => nameList([...(targets.get(iif) ?? [])]));
  const [only] = targets;
  const [from, to] = [only?.[0] ?? anyOther, [...(only?.[1] ?? [])].join()];
  if (targets.size === 1 && only?.[1].size === 1 && from !== anyOther && to !== anyOther)
    return [from, to, ''];
  const pairs = Array.from(groups, ([to, from]) => `A ${nameList(from)} to B ${to}`);
  return ['A', 'B', ` (${pairs.join('; ')})`];
}

/** All names, as a shell would take many of them: `wg-office, wg-office-{1,2,3}`. A sentence has room for that. */
function nameList(names: readonly string[]): string {
  const stems = Map.groupBy(names, (name) => /^.*-(?=\d+$)/.exec(name)?.[0] ?? name);
  return Array.from(stems, ([stem, those]) =>
    those.length > 2
      ? `${stem}{${those.map((name) => name.slice(stem.length)).join(',')}}`
      : those.join(', '),
  ).join(', ');
}

/** Others that are known by the names of their chains. */
function ownerOf({ name, table }: HostChain): string {
  if (name.startsWith('ts-')) return ' (Tailscale)';
  if (table.startsWith('wg-quick')) return ' (wg-quick)';
  return /^(?:cali-|KUBE-|CNI-)/.test(name) ? ' (Kubernetes)' : '';
}

/** While a hub is offline packets come by another one than they go, and a filter by the way back drops them. */
function reversePathProblem(facts: HostFacts, network: HostNetwork): FoundProblem | null {
  const transit = network.interfaces.filter(({ purpose }) => purpose === 'transit');
  if (network.forwards || transit.length < 2) return null;
  const who: string[] = [];
  const chain = fibChain(facts.rules, transit[0]?.name ?? '');
  if (chain !== null) {
    const advice =
      chain.table === 'firewalld'
        ? 'set IPv6_rpfilter to no or loose in /etc/firewalld/firewalld.conf'
        : 'exempt the interfaces wg-* there';
    who.push(`a rule in chain ${chain.name} of table ${chain.family} ${chain.table} (${advice})`);
  }
  // Loose (2) is enough: every interface of the overlay has an IPv4 address.
  if (familiesOf(network).includes(4) && facts.reversePathFilter === '1') {
    who.push('net.ipv4.conf.all.rp_filter = 1 (set it to 2, which is loose)');
  }
  if (who.length === 0) return null;
  return {
    code: 'reverse_path_filter',
    detail: `While a hub is offline, routing is asymmetric: packets arrive through another hub than the return route, and the reverse path filter drops them: ${who.join('; ')}.`,
    networkId: network.networkId,
    interface: transit[0]?.name,
  };
}

/** The chain with a rule that drops what has no route back by the interface that it came in on. */
function fibChain(rules: HostRules, name: string): HostChain | null {
  const packet: HostPacket = {
    family: 6,
    iif: name,
    oif: null,
    source: null,
    destination: null,
    protocol: 'tcp',
    port: null,
  };
  for (const chain of rules.values()) {
    if (chain.hook !== 'prerouting' && chain.hook !== 'input') continue;
    for (const rule of chain.rules) {
      const matches = rule.filter(isObject).flatMap((one) => ('match' in one ? [one['match']] : []));
      const drops = rule.some((one) => isObject(one) && 'drop' in one);
      if (
        drops &&
        matches.some(isReversePath) &&
        matches.every((one) => isReversePath(one) || holds(one, packet) !== false)
      ) {
        return chain;
      }
    }
  }
  return null;
}

/** `fib saddr . iif oif missing`, as libnftables-json(5) has it. */
function isReversePath(match: unknown): boolean {
  if (!isObject(match) || !isObject(match['left'])) return false;
  const { fib } = match['left'];
  if (!isObject(fib) || fib['result'] !== 'oif' || match['op'] !== '==') return false;
  const flags = Array.isArray(fib['flags']) ? fib['flags'] : [fib['flags']];
  return (
    flags.includes('saddr') && flags.includes('iif') && (match['right'] === false || match['right'] === 0)
  );
}

/** Bridges whose hosts something translates addresses for: they are cut off from overlays unless their owner said so. */
function bridgeProblems({ rules, networks, bridges, statedBridges }: HostFacts): FoundProblem[] {
  if (networks.length === 0) return [];
  const named = new Set<unknown>();
  for (const chain of rules.values()) {
    if (chain.type !== 'nat' && chain.hook !== null) continue;
    for (const rule of chain.rules) for (const statement of rule) nameInterfaces(statement, named);
  }
  return bridges
    .filter((bridge) => named.has(bridge) && !statedBridges.includes(bridge))
    .map((bridge) => ({
      code: 'bridge_cut_off',
      detail: `Containers and virtual machines behind ${bridge} cannot use an overlay. If they should, run the agent with --bridge ${bridge}; the firewall rules of the network then apply to them.`,
      interface: bridge,
    }));
}

function nameInterfaces(statement: unknown, into: Set<unknown>): void {
  const match = isObject(statement) ? statement['match'] : undefined;
  const left = isObject(match) ? match['left'] : undefined;
  const meta = isObject(left) ? left['meta'] : undefined;
  if (isObject(match) && isObject(meta) && /^[io]ifname$/.test(String(meta['key']))) into.add(match['right']);
}
