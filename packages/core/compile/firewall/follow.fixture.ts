// Test support: evaluates a decision list for a packet, step by step as the kernel does.
import type { EvaluatedPacket } from '../../explain/evaluate.ts';
import { type Address, familyOf, formatAddress, parseAddress, widthOf } from '../../net/address.ts';
import { localSides, remoteSides } from './decision-list.ts';
import { blockNumberOf } from './groups.ts';
import { familyNumbers, protocolNumbers } from './lookup-keys.ts';
import type { Action, Form, LookupTable, NetworkFirewall, Signature } from './model.ts';

export interface Outcome {
  readonly verdict: Action;
  /** Of the rule that is counted; null: none matched. */
  readonly ruleId: string | null;
}

export function follow(firewall: NetworkFirewall, packet: EvaluatedPacket): Outcome {
  const list = firewall[packet.direction];
  const remote = packet[remoteSides[packet.direction]];
  for (const step of list.steps) {
    const ofGroups = [...step.ofGroup].filter(([group]) => isIn(firewall, group, remote));
    for (const table of [...step.common, ...ofGroups.flatMap(([, tables]) => tables)]) {
      const ruleId = found(table, packet, firewall);
      if (ruleId !== undefined) return { verdict: step.action, ruleId };
    }
  }
  return { verdict: list.otherwise, ruleId: null };
}

function isIn(firewall: NetworkFirewall, name: string, address: string): boolean {
  const group = firewall.groups.get(name);
  const isMember = group?.addresses.includes(address) === true;
  if (isMember && firewall.blocks.get(blockNumberOf(name))?.addresses.includes(address) !== true) {
    throw new Error(`${address} is in ${name} and not in its block`);
  }
  return isMember;
}

function found(table: LookupTable, packet: EvaluatedPacket, firewall: NetworkFirewall): string | undefined {
  const { signature, elements } = table;
  const family = familyOf(packet.source);
  if (signature.family !== null && signature.family !== family) return undefined;
  const side = localSides[packet.direction];
  const local = signature[side];
  if (local.kind === 'group' && !isIn(firewall, local.group, packet[side])) return undefined;
  const wanted = keyOf(signature, packet);
  if (signature.match !== 'range') return elements.get(wanted);
  for (const [key, ruleId] of elements) {
    const at = key.lastIndexOf(' . ');
    const [first = 0, last = first] = key
      .slice(at + 3)
      .split('-')
      .map(Number);
    // Where ICMP has no port there is a checksum, which can be anything.
    const port = packet.port ?? 12_345;
    if (key.slice(0, at) === wanted && first <= port && port <= last) return ruleId;
  }
  return undefined;
}

function keyOf(signature: Signature, packet: EvaluatedPacket): string {
  const family = familyOf(packet.source);
  const number =
    packet.protocol === 'icmp6' && family === 4 ? protocolNumbers.icmp : protocolNumbers[packet.protocol];
  const parts = [partOf(signature.source, packet.source), partOf(signature.destination, packet.destination)];
  if (signature.match !== 'any') parts.push(String(number));
  if (signature.match === 'port') parts.push(String(packet.port));
  const key = parts.filter((part) => part !== null).join(' . ');
  return key === '' ? String(familyNumbers[family]) : key;
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
