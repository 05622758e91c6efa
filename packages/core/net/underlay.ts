// Whether a block of an overlay covers something that a machine needs outside of it. Pure; who is asked, and what
// follows, is decided by the platform's actions.
import { formatAddress, parseAddress, parseEndpoint, widthOf, withLength } from './address.ts';
import { contains, overlaps, type Prefix, parsePrefix } from './prefix.ts';

export const underlayKinds = ['platform', 'gateway', 'resolver', 'dhcp_server', 'network'] as const;

/** Something that a machine has outside its overlays. */
export interface UnderlayFact {
  readonly kind: (typeof underlayKinds)[number];
  /** A block, or an address with the length of its family. */
  readonly at: string;
  /** The machine's interface that it is behind; null: not known. */
  readonly interface: string | null;
}

/** What is known of one machine outside its overlays. All texts are canonical. */
export interface MachineUnderlay {
  /** Its own addresses, as it says. */
  readonly addresses: readonly string[];
  /** Where its stream comes from. */
  readonly observedAddress: string | null;
  readonly facts: readonly UnderlayFact[];
  /** Where it meets others, and where others meet it: address and port. */
  readonly endpoints: readonly string[];
}

/** What a block would take from a machine. */
export interface Covered {
  /** The address or network that is covered. */
  readonly at: string;
  /** What that is to the machine, to be followed by "of the machine …". */
  readonly what: string;
}

const names = {
  platform: 'the address by which the platform is reached',
  gateway: 'the gateway',
  resolver: 'a DNS server',
  dhcp_server: 'the DHCP server',
  network: 'a network',
} as const satisfies Record<UnderlayFact['kind'], string>;

/** The gravest that the block covers, or null. */
export function coveredBy(block: Prefix, machine: MachineUnderlay): Covered | null {
  for (const { kind, at, interface: name } of machine.facts) {
    const prefix = parsePrefix(at);
    if (prefix === null || !overlaps(block, prefix)) continue;
    const where = name === null || kind === 'platform' ? '' : ` (${name})`;
    return { at: kind === 'network' ? at : hostOf(prefix), what: `${names[kind]}${where}` };
  }
  for (const text of machine.addresses) {
    const address = parseAddress(text);
    if (address !== null && contains(block, address)) return { at: text, what: 'an address' };
  }
  const observed = machine.observedAddress === null ? null : parseAddress(machine.observedAddress);
  if (observed !== null && contains(block, observed)) {
    return { at: formatAddress(observed), what: 'the address at which the platform sees the stream' };
  }
  for (const text of machine.endpoints) {
    const endpoint = parseEndpoint(text);
    if (endpoint !== null && contains(block, endpoint.address)) return { at: text, what: 'an endpoint' };
  }
  return null;
}

/**
 * What a route to a prefix behind a peer would take from a machine, or null. A network that the machine is connected to is
 * not taken: a route of its own goes before those of overlays. So neither is what it reaches there.
 */
export function takenBySubnet(prefix: Prefix, machine: MachineUnderlay): Covered | null {
  const connected = machine.facts.flatMap(({ kind, at }) =>
    kind === 'network' ? (parsePrefix(at) ?? []) : [],
  );
  const isOwn = (host: Prefix) => connected.some((network) => contains(network, host));
  const facts = machine.facts.filter(({ kind, at }) => {
    const host = parsePrefix(at);
    return kind !== 'network' && host !== null && !isOwn(host);
  });
  const endpoints = machine.endpoints.filter((text) => {
    const endpoint = parseEndpoint(text);
    return endpoint !== null && !isOwn({ ...endpoint.address, length: widthOf[endpoint.address.family] });
  });
  return coveredBy(prefix, { ...machine, addresses: [], observedAddress: null, facts, endpoints });
}

function hostOf(prefix: Prefix): string {
  return formatAddress({ family: prefix.family, bits: prefix.bits });
}

const shared: Prefix = { family: 4, bits: (100n << 24n) | (64n << 16n), length: 10 };

/**
 * The blocks that an automatic choice keeps out of. A machine with anything in the shared address space (RFC 6598) has
 * it from a carrier or another VPN, who may put its servers anywhere there: then all of that space is kept out of.
 */
export function blocksInUse(machine: MachineUnderlay): Prefix[] {
  const hosts = [
    ...machine.addresses,
    ...(machine.observedAddress === null ? [] : [machine.observedAddress]),
    ...machine.endpoints.flatMap((text) => {
      const endpoint = parseEndpoint(text);
      return endpoint === null ? [] : [formatAddress(endpoint.address)];
    }),
  ].flatMap((text) => parsePrefix(withLength(text)) ?? []);
  const blocks = [...machine.facts.flatMap(({ at }) => parsePrefix(at) ?? []), ...hosts];
  return blocks.some((block) => overlaps(shared, block)) ? [...blocks, shared] : blocks;
}
