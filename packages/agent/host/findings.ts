// What this host does, beside the agent, to packets of overlays: filters that drop what is forwarded or comes in, a
// filter in front of WireGuard's port, reverse-path filters, bridges that are cut off. Each with what to do about it.
import type { FoundProblem } from '../observe/problems.ts';
import { codeOf, dropProblem } from './drop-problem.ts';
import { familiesOf, type HostNetwork, hostDrops } from './drops.ts';
import type { HostChain, HostRules } from './host-rules.ts';
import { type HostPacket, holds, isObject } from './matches.ts';

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
