// The lookup keys of a rule, and the lookup tables that they belong to.
import { type Family, familyOf, formatAddress } from '../../net/address.ts';
import { parsePrefix } from '../../net/prefix.ts';
import type { RuleEntry, RuleSide } from '../../wire/document.ts';
import type { Form, LookupKey, Match, Signature } from './model.ts';
import { breadthOf } from './rule-order.ts';

export const protocolNumbers = { tcp: 6, udp: 17, icmp: 1, icmp6: 58 } as const;
/** As the kernel numbers them. */
export const familyNumbers = { 6: 10, 4: 2 } as const satisfies Record<Family, number>;

const known = new WeakMap<RuleEntry, readonly LookupKey[]>();

/** The same for the same entry, however often it is asked. */
export function lookupKeysOf(rule: RuleEntry): readonly LookupKey[] {
  const before = known.get(rule);
  if (before !== undefined) return before;
  const keys = makeLookupKeys(rule);
  known.set(rule, keys);
  return keys;
}

/** One side of a rule: its form, and its part of the key. */
interface Term {
  readonly form: Form;
  readonly family: Family | null;
  readonly key: string | null;
}

function makeLookupKeys(rule: RuleEntry): LookupKey[] {
  const keys: LookupKey[] = [];
  for (const source of termsOf(rule.from)) {
    for (const destination of termsOf(rule.to)) {
      const family = source.family ?? destination.family;
      if (family !== (destination.family ?? source.family)) continue;
      for (const matched of matchesOf(rule, family)) {
        const { match, ports } = matched;
        const signature: Signature = {
          action: rule.action,
          source: source.form,
          destination: destination.form,
          match,
          breadth: breadthOf(rule),
          family,
        };
        const parts = [source.key, destination.key, matched.key].filter((part) => part !== null);
        const lookup = { tableId: tableIdOf(signature), signature, ports, ruleId: rule.rule_id };
        if (parts.length > 0) keys.push({ ...lookup, key: parts.join(' . ') });
        else for (const number of Object.values(familyNumbers)) keys.push({ ...lookup, key: String(number) });
      }
    }
  }
  return keys;
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
  readonly ports: LookupKey['ports'];
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

function tableIdOf(signature: Signature): string {
  const { action, source, destination } = signature;
  return `${action} ${formText(source)} ${formText(destination)} ${matchText(signature)}`;
}

/** The match and the family, with the breadth where the match alone does not say it. */
export function matchText({ match, breadth, family }: Signature): string {
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
