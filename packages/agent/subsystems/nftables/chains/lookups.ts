// A table of rules in nftables: its set, and the rules that look packets up in it.

import { localSides } from '@powernode/core/compile/firewall/decision-list';
import { matchText } from '@powernode/core/compile/firewall/lookup-keys';
import type {
  Action,
  Direction,
  Form,
  LookupTable,
  NetworkFirewall,
  Signature,
} from '@powernode/core/compile/firewall/model';
import { type Family, formatAddress, widthOf } from '@powernode/core/net/address';
import { hostMask } from '@powernode/core/net/prefix';
import type { NftSet } from '../model.ts';
import { familiesOf, groupSet } from './group-sets.ts';
import { evaluationChain, formName, words } from './names.ts';

export const rejectChain = 'pn_reject';

const verdicts = {
  accept: 'accept',
  drop: 'drop',
  reject: `goto ${rejectChain}`,
} as const satisfies Record<Action, string>;

/** One direction of one network. */
export interface ChainContext {
  readonly firewall: NetworkFirewall;
  readonly direction: Direction;
}

const sets = new WeakMap<LookupTable, NftSet>();

/** The same for the same table. */
export function setOf(table: LookupTable, context: ChainContext): NftSet {
  const known = sets.get(table);
  if (known !== undefined) return known;
  const { signature } = table;
  const set: NftSet = {
    name: setName(signature, context),
    kind: 'set',
    type: typeOf(signature),
    data: null,
    flags: signature.match === 'range' ? 'interval' : null,
    counted: true,
    elements: table.elements,
  };
  sets.set(table, set);
  return set;
}

function setName(signature: Signature, { firewall, direction }: ChainContext): string {
  const { action, source, destination } = signature;
  const chain = evaluationChain(direction, firewall.handle);
  return `${chain}_${action}_${formName(source)}_${formName(destination)}_${matchText(signature)}`;
}

function typeOf({ source, destination, match, family }: Signature): string {
  const types: string[] = [];
  const address = family === null ? null : words[family].address;
  if (address !== null) types.push(...[source, destination].filter(isInKey).map(() => address));
  if (match !== 'any') types.push('inet_proto');
  if (match === 'port' || match === 'range') types.push('inet_service');
  return types.length === 0 ? 'nf_proto' : types.join(' . ');
}

function isInKey(form: Form): boolean {
  return form.kind === 'host' || form.kind === 'net';
}

/** A rule, or what stands before one. */
export interface Clause {
  /** null: for packets of both. */
  readonly family: Family | null;
  readonly text: string;
}

/** What packets are looked up by. A near side that is a group is a condition before it, for each family. */
export function lookupsOf(table: LookupTable, context: ChainContext): Clause[] {
  const { signature } = table;
  const text = `${keyOf(signature)} @${setOf(table, context).name} ${verdicts[signature.action]}`;
  const lookup: Clause = { family: signature.family, text };
  const side = localSides[context.direction];
  const form = signature[side];
  return form.kind === 'group' ? behind(groupGuards(context, { side, group: form.group }), lookup) : [lookup];
}

/** The rule behind each of the conditions that can hold together with it. */
export function behind(guards: readonly Clause[], rule: Clause): Clause[] {
  return guards
    .filter((guard) => rule.family === null || rule.family === guard.family)
    .map((guard) => ({ family: guard.family, text: `${guard.text} ${rule.text}` }));
}

/** Conditions that an address of the packet is in the group, one for each family of its members. */
export function groupGuards(
  { firewall }: ChainContext,
  { side, group }: { readonly side: 'source' | 'destination'; readonly group: string },
): Clause[] {
  return familiesOf(firewall.groups.get(group)).map((family) => ({
    family,
    text: `${addressField(side, family)} @${groupSet(firewall.handle, group, family)}`,
  }));
}

function keyOf({ source, destination, match, family }: Signature): string {
  const fields: string[] = [];
  if (family !== null) {
    if (isInKey(source)) fields.push(addressField('source', family) + maskOf(source, family));
    if (isInKey(destination)) fields.push(addressField('destination', family) + maskOf(destination, family));
  }
  if (match !== 'any') fields.push('meta l4proto');
  if (match === 'port' || match === 'range') fields.push('th dport');
  return fields.length === 0 ? 'meta nfproto' : fields.join(' . ');
}

export function addressField(side: 'source' | 'destination', family: Family): string {
  return `${words[family].header} ${side === 'source' ? 'saddr' : 'daddr'}`;
}

function maskOf(form: Form, family: Family): string {
  if (form.kind !== 'net' || form.length === widthOf[family]) return '';
  const all = (1n << BigInt(widthOf[family])) - 1n;
  const bits = all & ~hostMask({ family, bits: 0n, length: form.length });
  return ` & ${formatAddress({ family, bits })}`;
}
