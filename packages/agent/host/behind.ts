// Packets between an overlay and what is behind this machine, as the filters of the host meet them: those of LANs and pods,
// and those of port mappings.
import { networkInterfaces } from 'node:os';
import { type Family, familyOf, parseAddress, withLength, withoutLength } from '@powernode/core/net/address';
import { contains, type Prefix, parsePrefix } from '@powernode/core/net/prefix';
import type { NodeDocument } from '@powernode/core/wire/node-document';
import type { HostPacket } from './matches.ts';

/** An address of an interface outside of overlays, in the prefix of its link. */
export interface OutsideAddress {
  readonly name: string;
  readonly address: string;
  readonly prefixLength: number;
}

/** Which are behind one interface of the machine. */
export interface Behind {
  /** local_mapping: a port mapping that leads to this machine itself, whose packets come in and are not forwarded. */
  readonly what: 'lan' | 'port_mapping' | 'local_mapping';
  readonly family: Family;
  /** null: not known, such as that of a LAN behind another router. */
  readonly interface: string | null;
  /** Of packets that open connections into the overlay, and from it: what is known of them beside interfaces. */
  readonly entering: BehindPacket;
  /** lan: of packets that open connections from the overlay; port_mapping: of replies; null: none are forwarded. */
  readonly leaving: BehindPacket | null;
}

export type BehindPacket = Pick<HostPacket, 'protocol' | 'port' | 'source' | 'destination'> &
  Partial<Pick<HostPacket, 'isReply' | 'isTranslated'>>;

/** As this machine is now. */
export function outsideAddressesOf(): OutsideAddress[] {
  return Object.entries(networkInterfaces()).flatMap(([name, list = []]) =>
    list.flatMap(({ address, cidr }) =>
      cidr === null ? [] : [{ name, address, prefixLength: Number(cidr.slice(cidr.indexOf('/') + 1)) }],
    ),
  );
}

/** One for all that a filter can tell apart by the interface alone: rules of most hosts are about interfaces. */
export function behindOf(
  document: NodeDocument,
  networkId: string,
  outside: readonly OutsideAddress[],
): Behind[] {
  const all = [...lansOf(document, networkId, outside), ...mappingsOf(document, networkId, outside)];
  const groups = Map.groupBy(all, groupOf);
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    return [
      {
        ...first,
        entering: common(group.map(({ entering }) => entering)),
        leaving: first.leaving === null ? null : common(group.flatMap(({ leaving }) => leaving ?? [])),
      },
    ];
  });
}

/** What comes in is filtered by its port on most hosts. */
function groupOf({ what, family, interface: name, entering: { protocol, port } }: Behind): string {
  const ofPort = what === 'local_mapping' ? ` ${protocol} ${port}` : '';
  return `${what} ${family} ${name ?? ''}${ofPort}`;
}

function lansOf(document: NodeDocument, id: string, outside: readonly OutsideAddress[]): Behind[] {
  return document.inNetwork('lan', id).flatMap((lan) => {
    const local = parsePrefix(lan.local_prefix);
    if (local === null) return [];
    const at = outside.find((one) => isOnLink(one, local) || isInside(one, local));
    const any = { protocol: 'tcp', port: null } as const;
    const isTranslated = lan.prefix !== lan.local_prefix;
    return [
      {
        what: 'lan' as const,
        family: local.family,
        interface: at?.name ?? null,
        entering: { ...any, source: local, destination: null },
        leaving: { ...any, source: null, destination: local, isTranslated },
      },
    ];
  });
}

function mappingsOf(document: NodeDocument, id: string, outside: readonly OutsideAddress[]): Behind[] {
  const own = new Set(
    (['interface', 'virtual_ip'] as const).flatMap((kind) =>
      document.inNetwork(kind, id).flatMap(({ addresses }) => addresses.map(withoutLength)),
    ),
  );
  return document.inNetwork('port_mapping', id).flatMap((mapping) => {
    const isLocal = own.has(mapping.target_address);
    const target = parsePrefix(withLength(mapping.target_address));
    const at = outside.find(({ address }) => address === mapping.external_address);
    const { protocol } = mapping;
    return [
      {
        what: isLocal ? ('local_mapping' as const) : ('port_mapping' as const),
        family: familyOf(mapping.external_address),
        interface: at?.name ?? null,
        entering: {
          ...{ protocol, port: mapping.target_port, source: null, destination: target },
          isTranslated: true,
        },
        leaving: isLocal
          ? null
          : {
              ...{ protocol, port: null, source: target, destination: null },
              ...{ isReply: true, isTranslated: true },
            },
      },
    ];
  });
}

/** The prefix is on the link of the interface. */
function isOnLink(one: OutsideAddress, prefix: Prefix): boolean {
  const address = parseAddress(one.address);
  if (address === null || address.family !== prefix.family || one.prefixLength > prefix.length) return false;
  const shift = BigInt((prefix.family === 6 ? 128 : 32) - one.prefixLength);
  return address.bits >> shift === prefix.bits >> shift;
}

/** The address of the interface is in the prefix, of which its link may be a part. */
function isInside(one: OutsideAddress, prefix: Prefix): boolean {
  const address = parseAddress(one.address);
  return address !== null && contains(prefix, address);
}

/** What all of them have alike. Port mappings of both protocols are walked as those of the first. */
function common(packets: readonly BehindPacket[]): BehindPacket {
  const [first] = packets;
  if (first === undefined) throw new Error('a group without a packet');
  const isAlike = (name: 'port' | 'source' | 'destination') =>
    packets.every((one) => JSON.stringify(one[name], jsonBits) === JSON.stringify(first[name], jsonBits));
  return {
    ...first,
    port: isAlike('port') ? first.port : null,
    source: isAlike('source') ? first.source : null,
    destination: isAlike('destination') ? first.destination : null,
    isTranslated: packets.every((one) => one.isTranslated === true),
  };
}

function jsonBits(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}
