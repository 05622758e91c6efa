// The filters of this host, beside the agent's, that drop packets of overlays: of what it forwards, of what comes in, of
// calls of WireGuard, of LANs, pods and port mappings.
import { familyOf } from '@powernode/core/net/address';
import { type Prefix, parsePrefix } from '@powernode/core/net/prefix';
import type { InterfaceEntry } from '@powernode/core/wire/document';
import type { NodeDocument } from '@powernode/core/wire/node-document';
import { type Behind, type BehindPacket, behindOf, type OutsideAddress } from './behind.ts';
import type { HostRules } from './host-rules.ts';
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

/** A filter that drops, certainly or partly, and the tool that wrote it, where it has a place for the agent's accept. */
export interface HostDrop {
  readonly what: 'forward' | 'input' | 'port' | Behind['what'];
  readonly family: 4 | 6;
  readonly network: HostNetwork;
  /** By which interfaces the packet goes; null: by any, by one that is not known, or it is for the machine. */
  readonly path: HostPath;
  readonly tool: HostTool | null;
  /** local_mapping: to which port of the machine. */
  readonly port?: LocalPort;
  readonly drop: Drop;
}

interface LocalPort {
  readonly protocol: 'tcp' | 'udp';
  readonly port: number;
}

export interface HostPath {
  readonly iif: string | null;
  readonly oif: string | null;
  readonly isReply?: boolean;
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
export function hostDrops({
  rules,
  networks,
}: {
  readonly rules: HostRules;
  readonly networks: readonly HostNetwork[];
}): HostDrop[] {
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
  const packet = { source: block, destination: block, protocol: 'tcp', port: null } as const;
  const of = (what: 'forward' | 'input', path: HostPath) =>
    dropsAt(rules, { hook: what, packet, of: { what, family, network, path } });
  return [
    ...(network.forwards ? forwardPaths(network).flatMap((path) => of('forward', path)) : []),
    ...network.interfaces.flatMap(({ name }) => of('input', { iif: name, oif: null })),
  ];
}

/** Of a reply only what is certainly dropped: nearly every filter accepts it by its state, which may not be readable. */
function behindDrops(
  rules: HostRules,
  { network, behind }: { readonly network: HostNetwork; readonly behind: Behind },
): HostDrop[] {
  const { what, family, interface: outside, entering, leaving } = behind;
  if (leaving === null) return localDrops(rules, { network, behind });
  return network.interfaces.flatMap(({ name }) =>
    [
      { path: { iif: outside, oif: name }, packet: entering },
      { path: { iif: name, oif: outside, isReply: leaving.isReply === true }, packet: leaving },
    ].flatMap(({ path, packet }) =>
      dropsAt(rules, { hook: 'forward', packet, of: { what, family, network, path } }).filter(
        ({ drop }) => !(drop.partly && packet.isReply === true),
      ),
    ),
  );
}

/** Packets of a port mapping that are for this machine come in from outside, with the port that they lead to. */
function localDrops(
  rules: HostRules,
  { network, behind }: { readonly network: HostNetwork; readonly behind: Behind },
): HostDrop[] {
  const { what, family, interface: outside, entering } = behind;
  const path = { iif: outside, oif: null };
  const { protocol, port } = entering;
  if (port === null) return [];
  const of = { what, family, network, path, port: { protocol, port } };
  return dropsAt(rules, { hook: 'input', packet: entering, of });
}

/** Between which interfaces a hub passes packets on; what comes from one hub is not passed on to another. */
function forwardPaths({ interfaces }: HostNetwork): HostPath[] {
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
  const packet = { source: null, destination: null, protocol: 'udp', port } as const;
  const path = { iif: null, oif: null };
  return ([6, 4] as const).flatMap((family) =>
    dropsAt(rules, { hook: 'input', packet, of: { what: 'port', family, network, path } }),
  );
}

/** What drops the packet on its path at that hook. */
function dropsAt(
  rules: HostRules,
  {
    hook,
    packet,
    of,
  }: {
    readonly hook: 'forward' | 'input';
    readonly packet: BehindPacket;
    readonly of: Omit<HostDrop, 'tool' | 'drop'>;
  },
): HostDrop[] {
  const { iif, oif } = of.path;
  return dropsOf(rules, hook, { ...packet, iif, oif, family: of.family }).map((drop) => ({
    ...of,
    tool: toolOf(rules, drop),
    drop,
  }));
}

function toolOf(rules: HostRules, { chain }: Drop): HostTool | null {
  if (chain.table === 'firewalld') return 'firewalld';
  const names = [...rules.values()].filter((one) => one.family === chain.family && one.table === chain.table);
  if (names.some(({ name }) => /^ufw6?-/.test(name))) return 'ufw';
  return names.some(({ name }) => name === 'DOCKER-USER') ? 'docker' : null;
}
