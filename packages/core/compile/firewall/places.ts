// Where a rule is looked up: the keys that it comes to, and the buckets that they are in.

import { type Family, familyOf, formatAddress } from '../../net/address.ts';
import { parsePrefix } from '../../net/prefix.ts';
import type { RuleEntry, RuleSide } from '../../wire/document.ts';
import type { BucketShape, Form, Match, Place } from './model.ts';
import { breadthOf } from './rule-order.ts';

export const protocolNumbers = { tcp: 6, udp: 17, icmp: 1, icmp6: 58 } as const;
/** As the kernel numbers them. */
export const familyNumbers = { 6: 10, 4: 2 } as const satisfies Record<Family, number>;

const known = new WeakMap<RuleEntry, readonly Place[]>();

/** The same for the same entry, however often it is asked. */
export function placesOf(rule: RuleEntry): readonly Place[] {
  const before = known.get(rule);
  if (before !== undefined) return before;
  const places = makePlaces(rule);
  known.set(rule, places);
  return places;
}

/** One side of a rule: its shape, and what of it stands in the key. */
interface Term {
  readonly form: Form;
  readonly family: Family | null;
  readonly key: string | null;
}

function makePlaces(rule: RuleEntry): Place[] {
  const places: Place[] = [];
  for (const source of termsOf(rule.from)) {
    for (const destination of termsOf(rule.to)) {
      const family = source.family ?? destination.family;
      if (family !== (destination.family ?? source.family)) continue;
      for (const matched of matchesOf(rule, family)) {
        const { match, ports } = matched;
        const shape: BucketShape = {
          action: rule.action,
          source: source.form,
          destination: destination.form,
          match,
          breadth: breadthOf(rule),
          family,
        };
        const parts = [source.key, destination.key, matched.key].filter((part) => part !== null);
        const place = { bucketId: bucketIdOf(shape), shape, ports, ruleId: rule.rule_id };
        if (parts.length > 0) places.push({ ...place, cell: parts.join(' . ') });
        else
          for (const number of Object.values(familyNumbers)) places.push({ ...place, cell: String(number) });
      }
    }
  }
  return places;
}

function termsOf(side: RuleSide): Term[] {
  switch (side.kind) {
    case 'all':
      return [{ form: { kind: 'any' }, family: null, key: null }];
    case 'group':
      return [{ form: { kind: 'group', group: side.group }, family: null, key: null }];
    case 'host':
      return side.addresses.map((key) => ({ form: { kind: 'host' }, family: familyOf(key), key }));
    case 'cidr': {
      const prefix = parsePrefix(side.cidr);
      if (prefix === null) throw new Error(`not a prefix: ${side.cidr}`);
      const { family, length } = prefix;
      return [{ form: { kind: 'net', length }, family, key: formatAddress(prefix) }];
    }
  }
}

interface Matched {
  readonly match: Match;
  readonly key: string | null;
  readonly ports: Place['ports'];
}

function matchesOf({ protocol, ports }: RuleEntry, family: Family | null): Matched[] {
  if (protocol === 'icmp6') {
    // It has no ports, so a rule that names some is about nothing.
    if (ports !== null) return [];
    const { icmp, icmp6 } = protocolNumbers;
    const numbers = family === null ? [icmp6, icmp] : [family === 6 ? icmp6 : icmp];
    return numbers.map((number) => ({ match: 'protocol', key: String(number), ports: null }));
  }
  if (protocol === 'any' && ports === null) return [{ match: 'any', key: null, ports: null }];
  const protocols = protocol === 'any' ? (['tcp', 'udp'] as const) : [protocol];
  return protocols.map((one) => matchOfPorts(protocolNumbers[one], ports));
}

function matchOfPorts(number: number, ports: RuleEntry['ports']): Matched {
  if (ports === null) return { match: 'protocol', key: String(number), ports: null };
  const [first, last] = ports;
  if (first === last) return { match: 'port', key: `${number} . ${first}`, ports: null };
  return { match: 'range', key: String(number), ports };
}

function bucketIdOf(shape: BucketShape): string {
  const { action, source, destination } = shape;
  return `${action} ${formText(source)} ${formText(destination)} ${matchText(shape)}`;
}

/** The match and the family, with the breadth where the match alone does not say it. */
export function matchText({ match, breadth, family }: BucketShape): string {
  const isImplied = match === 'any' || match === 'protocol' || (match === 'port' && breadth === 1);
  return `${match}${family ?? ''}${isImplied ? '' : `_${breadth}`}`;
}

function formText(form: Form): string {
  switch (form.kind) {
    case 'any':
    case 'host':
      return form.kind;
    case 'net':
      return `net${form.length}`;
    case 'group':
      return `group:${form.group}`;
  }
}
