// Whether a match of a rule holds for a packet of which only some things are known: yes, no, or it depends.
import { contains, overlaps, type Prefix, parsePrefix } from '@powernode/core/net/prefix';

/** What is known of a packet; null: not known, or any. */
export interface HostPacket {
  readonly family: 4 | 6;
  readonly iif: string | null;
  readonly oif: string | null;
  /** It is from and for addresses of these blocks. */
  readonly source: Prefix | null;
  readonly destination: Prefix | null;
  readonly protocol: 'tcp' | 'udp';
  readonly port: number | null;
  /** It answers a packet of the other direction. */
  readonly isReply?: boolean;
  /** Its destination, or that of what it answers, was translated. */
  readonly isTranslated?: boolean;
}

/** null: it depends on what is not known. */
export type Truth = boolean | null;

const protocolNumbers = { tcp: 6, udp: 17 } as const;

/** `match` of libnftables-json(5). The packet is the first of its connection, unless it is a reply. */
export function holds(match: unknown, packet: HostPacket): Truth {
  if (!isObject(match)) return null;
  const { op, left, right } = match;
  const equal = sameAs(left, right, packet);
  if (op === '==' || op === 'in') return equal;
  return op === '!=' && equal !== null ? !equal : null;
}

function sameAs(left: unknown, right: unknown, packet: HostPacket): Truth {
  if (!isObject(left)) return null;
  const { meta, ct, payload } = left;
  if (isObject(meta)) return sameMeta(String(meta['key']), right, packet);
  if (isObject(ct)) return sameState(String(ct['key']), right, packet);
  return isObject(payload) ? samePayload(payload, right, packet) : null;
}

function sameMeta(key: string, right: unknown, packet: HostPacket): Truth {
  switch (key) {
    case 'iifname':
    case 'iif':
      return packet.iif === null ? notLoopback(right) : anyOf(right, (name) => isNamed(name, packet.iif));
    case 'oifname':
    case 'oif':
      return packet.oif === null ? null : anyOf(right, (name) => isNamed(name, packet.oif));
    case 'nfproto':
      return anyOf(right, (name) => name === (packet.family === 6 ? 'ipv6' : 'ipv4'));
    case 'protocol':
      return anyOf(right, (name) => name === (packet.family === 6 ? 'ip6' : 'ip'));
    case 'l4proto':
      return anyOf(right, (name) => isProtocol(name, packet));
    default:
      return null;
  }
}

/** What comes from another machine does not come in by the loopback interface. */
function notLoopback(right: unknown): Truth {
  return right === 'lo' ? false : null;
}

function isNamed(pattern: unknown, name: string | null): Truth {
  if (typeof pattern !== 'string' || name === null) return null;
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : pattern === name;
}

function isProtocol(value: unknown, { protocol }: HostPacket): boolean {
  return value === protocol || value === protocolNumbers[protocol];
}

function sameState(key: string, right: unknown, packet: HostPacket): Truth {
  const { isReply = false, isTranslated = false } = packet;
  if (key === 'state') return anyOf(right, (state) => state === (isReply ? 'established' : 'new'));
  const [name, number] = isReply ? ['reply', 1] : ['original', 0];
  if (key === 'direction') return anyOf(right, (direction) => direction === name || direction === number);
  if (key !== 'status') return null;
  return anyOf(right, (status) => {
    if (status === 'dnat') return isTranslated;
    return isReply ? null : false;
  });
}

function samePayload(payload: Record<string, unknown>, right: unknown, packet: HostPacket): Truth {
  const { protocol, field } = payload;
  if (protocol === 'ip' || protocol === 'ip6') {
    if (protocol !== (packet.family === 6 ? 'ip6' : 'ip')) return false;
    if (field === 'saddr') return anyOf(right, (block) => isWithin(block, packet.source));
    if (field === 'daddr') return anyOf(right, (block) => isWithin(block, packet.destination));
    if (field === 'protocol' || field === 'nexthdr') return anyOf(right, (one) => isProtocol(one, packet));
    return null;
  }
  if (protocol !== 'th' && protocol !== packet.protocol) return false;
  if (field !== 'dport' || packet.port === null) return null;
  return anyOf(right, (port) => isPort(port, packet.port));
}

function isWithin(value: unknown, block: Prefix | null): Truth {
  if (block === null) return null;
  const given = prefixOf(value);
  if (given === null) return null;
  if (given.family !== block.family) return false;
  if (given.length <= block.length && contains(given, block)) return true;
  return overlaps(given, block) ? null : false;
}

function prefixOf(value: unknown): Prefix | null {
  if (typeof value === 'string') return parsePrefix(`${value}/${value.includes(':') ? 128 : 32}`);
  const prefix = isObject(value) ? value['prefix'] : undefined;
  return isObject(prefix) ? parsePrefix(`${String(prefix['addr'])}/${String(prefix['len'])}`) : null;
}

function isPort(value: unknown, port: number | null): Truth {
  if (typeof value === 'number') return value === port;
  const range = isObject(value) ? value['range'] : undefined;
  if (!Array.isArray(range) || port === null) return null;
  const [first, last] = range as unknown[];
  return typeof first === 'number' && typeof last === 'number' ? first <= port && port <= last : null;
}

/** `right` is one value, a list, or a set of values; a named set (`@name`) is not known. */
function anyOf(right: unknown, test: (value: unknown) => Truth): Truth {
  const set = isObject(right) ? right['set'] : undefined;
  const values: unknown[] = Array.isArray(set) ? set : Array.isArray(right) ? right : [right];
  let truth: Truth = false;
  for (const value of values) {
    if (typeof value === 'string' && value.startsWith('@')) return null;
    const one = test(isObject(value) && 'elem' in value ? elementOf(value['elem']) : value);
    if (one === true) return true;
    if (one === null) truth = null;
  }
  return truth;
}

function elementOf(elem: unknown): unknown {
  return isObject(elem) && 'val' in elem ? elem['val'] : elem;
}

/** The value of a verdict map for a packet. null: it depends. undefined: none. */
export function mapped(vmap: unknown, packet: HostPacket): unknown {
  if (!isObject(vmap)) return null;
  const { key, data } = vmap;
  const set = isObject(data) ? data['set'] : undefined;
  if (!Array.isArray(set)) return null;
  for (const pair of set as unknown[]) {
    if (!Array.isArray(pair)) return null;
    const truth = sameAs(key, pair[0], packet);
    if (truth === null) return null;
    if (truth) return pair[1];
  }
  return undefined;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
