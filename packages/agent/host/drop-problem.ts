// What is said of filters that drop packets of overlays: which one, which packets, and what to do about it.
import type { NodeProblemCode } from '@powernode/core/wire/node-problems';
import type { FoundProblem } from '../observe/problems.ts';
import type { Behind } from './behind.ts';
import type { HostDrop, HostNetwork, HostPath } from './drops.ts';
import { chainKey, type HostChain } from './host-rules.ts';

const toolNames = { docker: 'Docker', ufw: 'ufw', firewalld: 'firewalld' } as const;

const codes = {
  forward: 'host_firewall_forward',
  input: 'host_firewall_input',
  port: 'host_firewall_port',
  lan: 'host_firewall_lan',
  port_mapping: 'host_firewall_port_mapping',
  local_mapping: 'host_firewall_port_mapping',
} as const;

/** Where some rules may accept packets, the others are dropped; which are needed is not known, so it is no error. */
export function codeOf({ what, drop }: HostDrop): NodeProblemCode {
  return drop.partly ? 'host_firewall_partly' : codes[what];
}

/** One for all chains, families and interfaces that drop the same. */
export function dropProblem(group: readonly HostDrop[]): FoundProblem {
  const [first] = group;
  if (first === undefined) throw new Error('a group without a drop');
  const { what, network, drop, tool } = first;
  const paths = group.map(({ path }) => path);
  const names = network.interfaces
    .map(({ name }) => name)
    .filter((name) => what === 'port' || paths.some(({ iif, oif }) => iif === name || oif === name));
  const shown = nameList(names);
  const outside = outsideOf(network, paths);
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
    lan: `${families} packets ${lanPath(shown, { outside, paths })}`,
    port_mapping: `${families} packets of port mappings between ${nameList(outside) || 'other interfaces'} and ${shown}`,
    local_mapping: `${families} packets of port mappings to ${portList(group)} of this instance itself${outside.length === 0 ? '' : ` on ${nameList(outside)}`}`,
  }[what];
  const except = drop.partly ? ', except those that earlier rules accept' : '';
  return {
    code: codeOf(first),
    detail: `The local firewall drops ${subject}${except}: ${where}. ${adviceFor(first, { names: shown, outside, paths })}`,
    networkId: network.networkId,
    // One outside of overlays concerns packets by each of these interfaces, as an explanation has it.
    interface: isBehind(what) ? outside[0] : names[0],
  };
}

function isBehind(what: HostDrop['what']): what is Behind['what'] {
  return what === 'lan' || what === 'port_mapping' || what === 'local_mapping';
}

/** Both directions, or the one in which they are dropped. */
function lanPath(
  names: string,
  { outside, paths }: { readonly outside: readonly string[]; readonly paths: readonly HostPath[] },
): string {
  const lans = `LANs or pods behind this instance${outside.length === 0 ? '' : ` on ${nameList(outside)}`}`;
  const isOutside = (name: string | null) => name === null || outside.includes(name);
  if (paths.every(({ iif }) => isOutside(iif))) return `from ${lans} to ${names}`;
  if (paths.every(({ oif }) => isOutside(oif))) return `from ${names} to ${lans}`;
  return `between ${names} and ${lans}`;
}

const portsShownMax = 5;

/** "TCP port 443, UDP port 53, and 3 more". */
function portList(group: readonly HostDrop[]): string {
  const ports = [
    ...new Set(
      group.flatMap(({ port }) =>
        port === undefined ? [] : `${port.protocol.toUpperCase()} port ${port.port}`,
      ),
    ),
  ];
  const left = ports.length - portsShownMax;
  return [...ports.slice(0, portsShownMax), ...(left > 0 ? [`and ${left} more`] : [])].join(', ');
}

function adviceFor(
  { what, tool, network, port: local }: HostDrop,
  {
    names,
    outside,
    paths,
  }: { readonly names: string; readonly outside: readonly string[]; readonly paths: readonly HostPath[] },
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
  if (what === 'local_mapping') {
    const [on] = outside;
    if (tool === 'ufw' && local !== undefined)
      return `Run "ufw allow ${on === undefined ? '' : `in on ${on} `}to OVERLAY_ADDRESS port ${local.port} proto ${local.protocol}" for each port, with the overlay address of this instance.`;
    return 'Accept these ports there, as they are after translation, at the overlay address of this instance.';
  }
  const [from, to, where] = commandPlaces(paths);
  if (tool === 'ufw') return `Run "ufw route allow in on ${from} out on ${to}"${where}, ${flag}.`;
  if (tool === 'docker') return `Accept -i ${from} -o ${to} in chain DOCKER-USER${where}, ${flag}.`;
  if (tool === 'firewalld' && what !== 'forward')
    return `Add a policy that accepts between the zones of ${nameList(outside) || 'the other interface'} and ${names}.`;
  if (tool === 'firewalld') return `Assign ${names} to a zone that forwards, such as trusted, ${flag}.`;
  return `Accept forwarded packets from ${from} to ${to} there${where}.`;
}

/** The interfaces outside of the overlay; empty: none is known. */
function outsideOf({ interfaces }: HostNetwork, paths: readonly HostPath[]): string[] {
  const names = paths.flatMap(({ iif, oif }) => [iif, oif]).filter((name) => name !== null);
  return [...new Set(names)].filter((name) => interfaces.every((one) => one.name !== name));
}

/** An interface that is not known. */
const anyOther = 'any other interface';

/** What stands in a command for both interfaces: their names, or A and B, and which names those are. */
function commandPlaces(paths: readonly HostPath[]): [from: string, to: string, where: string] {
  const targets = new Map<string, Set<string>>();
  for (const { iif, oif } of paths) {
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
