// From a checked specification to a plan: every address, bridge and interface of the lab, decided once and
// kept for its life, so that a host that is booted again is the same machine on the same wire. Pure.
import { ProductError } from '@powernode/core/errors';
import { labNodesMax } from '@powernode/core/limits/lab';
import { formatAddress } from '@powernode/core/net/address';
import { type Prefix, parsePrefix } from '@powernode/core/net/prefix';
import { platformOf } from './check.ts';
import { type LabSpec, publicSegment } from './spec.ts';

/** A wire that nodes hang on: a bridge in the fabric. */
export interface SegmentPlan {
  readonly name: string;
  readonly bridge: string;
  readonly prefix4: string;
  readonly prefix6: string | null;
  /** Where a node on it sends what is for elsewhere; null on a LAN without a NAT. */
  readonly gateway4: string | null;
  readonly gateway6: string | null;
}

/** One node's place on one segment. */
export interface Attachment {
  readonly segment: string;
  /** The interface in the fabric; `device` is the one in the node. */
  readonly port: string;
  readonly device: string;
  readonly mac: string;
  /** null: the node does not speak it. */
  readonly address4: string | null;
  /** null: neither the segment nor the node need have it. */
  readonly address6: string | null;
}

/** A place that has an IPv4 address for certain, as NATs have. */
type Wired = Attachment & { readonly address4: string };

export interface PlatformPlan {
  readonly name: string;
  readonly address4: string;
  readonly address6: string;
  /** The group that its process runs in, by which a cut between two platforms knows them apart. */
  readonly groupId: number;
}
export interface NatPlan {
  readonly name: string;
  readonly kind: 'cone' | 'symmetric';
  readonly wan: Wired;
  readonly lan: Wired;
}
export interface HostPlan {
  readonly name: string;
  /** null: it runs no agent. */
  readonly platform: string | null;
  readonly role: 'hub' | 'spoke';
  readonly tags: readonly string[];
  readonly attachments: readonly Attachment[];
  /** Addresses of the host that is its gateway; null: it has none, and takes the gateway of its segment. */
  readonly gateway: Pick<Attachment, 'address4' | 'address6'> | null;
}
/** A prefix behind a host, as the action takes it. */
export interface SubnetPlan {
  readonly prefix: string;
  readonly description?: string | undefined;
  readonly preference: number;
  readonly source_nat: boolean;
}
/** A LAN behind a host of a network, with its prefix of each family that the network has. */
export interface DeclaredLan {
  readonly host: string;
  readonly lan: string;
  readonly subnets: readonly SubnetPlan[];
}
export interface NetworkPlan {
  readonly name: string;
  readonly platform: string;
  readonly hosts: readonly string[];
  readonly lans: readonly DeclaredLan[];
  /** What else the file says of it, as the action's parameters. */
  readonly settings: Readonly<Record<string, unknown>>;
}
export interface LabPlan {
  readonly name: string;
  readonly segments: readonly SegmentPlan[];
  readonly platforms: readonly PlatformPlan[];
  /** The port by which this machine itself, where the platforms run, hangs on the public segment. */
  readonly platformPort: string;
  readonly nats: readonly NatPlan[];
  readonly hosts: readonly HostPlan[];
  readonly networks: readonly NetworkPlan[];
}

/** The blocks of the public segment. */
export interface PublicBlocks {
  readonly prefix4: string;
  readonly prefix6: string;
}

/** Documentation blocks (RFC 5737, RFC 3849): nobody's, and not private, so nodes take them for the internet. */
export const usualPublic: PublicBlocks = { prefix4: '198.51.100.0/24', prefix6: '2001:db8:51::/64' };

/** Another public block, from the range for benchmarks (RFC 2544); the first is number 0. */
export function benchmarkBlocks(number: number): PublicBlocks {
  const [second, third] = [18 + Math.floor(number / 256), number % 256];
  return { prefix4: `198.${second}.${third}.0/24`, prefix6: `2001:db8:${second}:${third}::/64` };
}

const firstPlatformGroup = 64_100;
/** Numbers of nodes on the public segment begin here, above those of platforms. */
const firstPublicNumber = 11;
const gatewayNumber = { public: 254, lan: 1 } as const;
const firstLanNumber = 10;
const platformPort = 'p0';
/** Nodes and partner platforms come to this port of a platform of a lab. At 7443 the platform of this computer listens. */
export const nodePort = 17_443;

export function planLab(spec: LabSpec, blocks: PublicBlocks): LabPlan {
  const segments = planSegments(spec, blocks);
  const wiring = new Wiring(segments, reservedNumbers(spec, blocks));
  const nats = spec.nats.map((nat) => ({
    name: nat.name,
    kind: nat.kind,
    wan: wiring.attach(nat.on, 'wan'),
    lan: wiring.attach(nat.lan, 'lan', gatewayNumber.lan),
  }));
  return {
    name: spec.name,
    segments,
    platforms: planPlatforms(spec, blocks),
    platformPort,
    nats,
    hosts: withGateways(
      spec,
      spec.hosts.map((host) => ({
        name: host.name,
        platform: host.agent === 'none' ? null : platformOf(spec, host),
        role: host.role,
        tags: host.tags ?? [],
        attachments: host.on.map((segment, index) =>
          speaking(host.families, wiring.attach(segment, `eth${index}`)),
        ),
      })),
    ),
    networks: spec.networks.map(({ name, platform, hosts, lan_subnets, ...settings }) => ({
      name,
      platform: platformOf(spec, { platform }) ?? '',
      hosts,
      lans: lan_subnets.map((declared) => declaredLan(segments, declared, settings.ipv4_prefix !== null)),
      settings,
    })),
  };
}

function declaredLan(
  segments: readonly SegmentPlan[],
  declared: LabSpec['networks'][number]['lan_subnets'][number],
  hasIpv4: boolean,
): DeclaredLan {
  const { host, lan, ...how } = declared;
  const segment = segments.find(({ name }) => name === lan);
  const prefixes = [hasIpv4 ? segment?.prefix4 : null, segment?.prefix6];
  return {
    host,
    lan,
    subnets: prefixes.flatMap((prefix) => (prefix == null ? [] : [{ prefix, ...how }])),
  };
}

function withGateways(spec: LabSpec, hosts: readonly Omit<HostPlan, 'gateway'>[]): HostPlan[] {
  return hosts.map((host, index) => {
    const named = spec.hosts[index]?.gateway;
    const segments = host.attachments.map(({ segment }) => segment);
    const gateway = hosts
      .find(({ name }) => name === named)
      ?.attachments.find(({ segment }) => segments.includes(segment));
    return { ...host, gateway: gateway ?? null };
  });
}

function planSegments(spec: LabSpec, blocks: PublicBlocks): SegmentPlan[] {
  const outside: SegmentPlan = {
    name: publicSegment,
    bridge: 'br0',
    ...blocks,
    gateway4: numbered(blocks.prefix4, gatewayNumber.public),
    gateway6: numbered(blocks.prefix6, gatewayNumber.public),
  };
  const lans = spec.lans.map((lan, index): SegmentPlan => {
    const prefix4 = lan.prefix4 ?? `192.168.${index + 1}.0/24`;
    const way = spec.nats.some((nat) => nat.lan === lan.name);
    return {
      name: lan.name,
      bridge: `br${index + 1}`,
      prefix4,
      prefix6: lan.prefix6 ?? null,
      gateway4: way ? numbered(prefix4, gatewayNumber.lan) : null,
      gateway6: null,
    };
  });
  return [outside, ...lans];
}

function planPlatforms(spec: LabSpec, blocks: PublicBlocks): PlatformPlan[] {
  const given = new Set(spec.platforms.map((platform) => platform.address));
  let next = 1;
  return spec.platforms.map((platform, index) => {
    while (platform.address === undefined && given.has(numbered(blocks.prefix4, next))) next++;
    const address4 = platform.address ?? numbered(blocks.prefix4, next++);
    const number = Number(address4.split('.')[3]);
    return {
      name: platform.name,
      address4,
      address6: numbered(blocks.prefix6, number),
      groupId: firstPlatformGroup + index,
    };
  });
}

function reservedNumbers(spec: LabSpec, blocks: PublicBlocks): Set<string> {
  return new Set(planPlatforms(spec, blocks).map((platform) => platform.address4));
}

function speaking(families: readonly ('ipv4' | 'ipv6')[], wired: Wired): Attachment {
  return {
    ...wired,
    address4: families.includes('ipv4') ? wired.address4 : null,
    address6: families.includes('ipv6') ? wired.address6 : null,
  };
}

/** Hands out ports and addresses in the order of the file. */
class Wiring {
  readonly #segments: ReadonlyMap<string, SegmentPlan>;
  readonly #reserved: ReadonlySet<string>;
  readonly #nextNumber = new Map<string, number>();
  #nextPort = 1;

  constructor(segments: readonly SegmentPlan[], reserved: ReadonlySet<string>) {
    this.#segments = new Map(segments.map((segment) => [segment.name, segment]));
    this.#reserved = reserved;
  }

  attach(segmentName: string, device: string, fixed?: number): Wired {
    const segment = this.#segments.get(segmentName);
    if (segment === undefined)
      throw new Error(`the specification was not checked: no segment ${segmentName}`);
    const number = fixed ?? this.#number(segment);
    const port = this.#nextPort++;
    return {
      segment: segmentName,
      port: `p${port}`,
      device,
      mac: `02:50:4e:00:${hex(port >> 8)}:${hex(port & 255)}`,
      address4: numbered(segment.prefix4, number),
      address6: segment.prefix6 === null ? null : numbered(segment.prefix6, number),
    };
  }

  #number(segment: SegmentPlan): number {
    const first = segment.name === publicSegment ? firstPublicNumber : firstLanNumber;
    let number = this.#nextNumber.get(segment.name) ?? first;
    while (this.#reserved.has(numbered(segment.prefix4, number))) number++;
    if (number >= first + labNodesMax) {
      throw new ProductError('limit_reached', `${segment.name} has more than ${labNodesMax} nodes`);
    }
    this.#nextNumber.set(segment.name, number + 1);
    return number;
  }
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}

/** The nth address of a block. In IPv6 the digits are kept as they are read: 12 becomes `::12`. */
function numbered(prefixText: string, number: number): string {
  const prefix: Prefix | null = parsePrefix(prefixText);
  if (prefix === null) throw new Error(`the specification was not checked: ${prefixText} is no prefix`);
  const offset = prefix.family === 4 ? BigInt(number) : BigInt(`0x${number}`);
  return formatAddress({ family: prefix.family, bits: prefix.bits + offset });
}

/** `address/length`, as `ip addr add` wants it. */
export function withLength(address: string, prefixText: string): string {
  return `${address}/${prefixText.split('/')[1]}`;
}

export function segmentOf(plan: LabPlan, name: string): SegmentPlan {
  const segment = plan.segments.find((candidate) => candidate.name === name);
  if (segment === undefined) throw new ProductError('not_found', `lab ${plan.name} has no segment "${name}"`);
  return segment;
}

export function hostOf(plan: LabPlan, name: string): HostPlan {
  const host = plan.hosts.find((candidate) => candidate.name === name);
  if (host === undefined) {
    const known = plan.hosts.map((candidate) => candidate.name).join(', ') || 'none';
    throw new ProductError('not_found', `lab ${plan.name} has no host "${name}" (its hosts: ${known})`);
  }
  return host;
}

export function platformNamed(plan: LabPlan, name: string): PlatformPlan {
  const platform = plan.platforms.find((candidate) => candidate.name === name);
  if (platform !== undefined) return platform;
  const known = plan.platforms.map((candidate) => candidate.name).join(', ') || 'none';
  throw new ProductError('not_found', `lab ${plan.name} has no platform "${name}" (its platforms: ${known})`);
}
