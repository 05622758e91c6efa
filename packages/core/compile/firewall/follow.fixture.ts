// Test support: what a program says of a packet, followed step by step as the kernel would.
import type { JudgedPacket } from '../../explain/judge.ts';
import { type Address, familyOf, formatAddress, parseAddress, widthOf } from '../../net/address.ts';
import { blockNumberOf } from './groups.ts';
import type { Action, Bucket, BucketShape, Form, NetworkFirewall } from './model.ts';
import { familyNumbers, protocolNumbers } from './places.ts';
import { farSides, nearSides } from './program.ts';

export interface Outcome {
  readonly verdict: Action;
  /** Of the rule that is counted; null: none matched. */
  readonly ruleId: string | null;
}

export function follow(firewall: NetworkFirewall, packet: JudgedPacket): Outcome {
  const program = firewall[packet.direction];
  const far = packet[farSides[packet.direction]];
  for (const step of program.steps) {
    const ofGroups = [...step.ofGroup].filter(([group]) => isIn(firewall, group, far));
    for (const bucket of [...step.common, ...ofGroups.flatMap(([, buckets]) => buckets)]) {
      const ruleId = found(bucket, packet, firewall);
      if (ruleId !== undefined) return { verdict: step.action, ruleId };
    }
  }
  return { verdict: program.otherwise, ruleId: null };
}

function isIn(firewall: NetworkFirewall, name: string, address: string): boolean {
  const group = firewall.groups.get(name);
  const isMember = group?.addresses.includes(address) === true;
  if (isMember && firewall.blocks.get(blockNumberOf(name))?.addresses.includes(address) !== true) {
    throw new Error(`${address} is in ${name} and not in its block`);
  }
  return isMember;
}

function found(bucket: Bucket, packet: JudgedPacket, firewall: NetworkFirewall): string | undefined {
  const { shape, elements } = bucket;
  const family = familyOf(packet.source);
  if (shape.family !== null && shape.family !== family) return undefined;
  const side = nearSides[packet.direction];
  const near = shape[side];
  if (near.kind === 'group' && !isIn(firewall, near.group, packet[side])) return undefined;
  const cell = cellOf(shape, packet);
  if (shape.match !== 'range') return elements.get(cell);
  for (const [key, ruleId] of elements) {
    const at = key.lastIndexOf(' . ');
    const [first = 0, last = first] = key
      .slice(at + 3)
      .split('-')
      .map(Number);
    // Where ICMP has no port there is a checksum, which can be anything.
    const port = packet.port ?? 12_345;
    if (key.slice(0, at) === cell && first <= port && port <= last) return ruleId;
  }
  return undefined;
}

function cellOf(shape: BucketShape, packet: JudgedPacket): string {
  const family = familyOf(packet.source);
  const number =
    packet.protocol === 'icmp6' && family === 4 ? protocolNumbers.icmp : protocolNumbers[packet.protocol];
  const parts = [partOf(shape.source, packet.source), partOf(shape.destination, packet.destination)];
  if (shape.match !== 'any') parts.push(String(number));
  if (shape.match === 'port') parts.push(String(packet.port));
  const cell = parts.filter((part) => part !== null).join(' . ');
  return cell === '' ? String(familyNumbers[family]) : cell;
}

function partOf(form: Form, text: string): string | null {
  if (form.kind === 'host') return text;
  if (form.kind !== 'net') return null;
  const address = parseAddress(text);
  if (address === null) throw new Error(`not an address: ${text}`);
  const hostBits = BigInt(widthOf[address.family] - form.length);
  const net: Address = { family: address.family, bits: (address.bits >> hostBits) << hostBits };
  return formatAddress(net);
}
