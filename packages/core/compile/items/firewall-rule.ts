// Firewall rules: which nodes have one, and what they have of it.
import type { PeerId } from '../../ids.ts';
import type { EntryValue, RuleEntry, RuleSide } from '../../wire/document.ts';
import { canonicalJson } from '../digest.ts';
import { hostAddressesOf } from '../entries.ts';
import { unaffected } from '../entry-kind.ts';
import type { RuleModel, Selector } from '../model.ts';
import type { Blocks, Changed, Reverted } from '../take-back.ts';
import { type ItemContribution, type ItemKind, type Lookup, noContribution } from './kind.ts';

export const firewallRule = {
  contribution: ruleContribution,
  tagsNamed,
  entryKinds: {
    rule: { ...unaffected, describe, rollBack: { added: () => [], changed: changedRule } },
  },
} satisfies ItemKind<RuleModel>;

/** The tags that the rule names, while it is in force. */
function tagsNamed(rule: RuleModel): string[] {
  if (!rule.enabled) return [];
  return [rule.selector, rule.destination].flatMap((side) => (side.kind === 'tag' ? [side.tag] : []));
}

/** Nodes of a network. */
type PeerScope = { readonly kind: 'all' } | { readonly kind: 'peers'; readonly peerIds: readonly PeerId[] };

export function ruleContribution(rule: RuleModel, lookup: Lookup): ItemContribution {
  if (!rule.enabled) return noContribution;
  const from = sideOf(rule.selector, lookup);
  const to = sideOf(rule.destination, lookup);
  if (from === null || to === null) return noContribution;
  const entry: EntryValue = {
    kind: 'rule',
    network_id: rule.networkId,
    rule_id: rule.id,
    direction: rule.direction,
    action: rule.action,
    from,
    to,
    protocol: rule.protocol,
    ports: rule.ports === null ? null : [...rule.ports],
  };
  const evaluators = new Set<PeerId>();
  for (const side of evaluatedAt(rule)) {
    const scope = evaluatorsOf(side, lookup);
    if (scope.kind === 'all') return { all: [entry], peers: new Map() };
    for (const id of scope.peerIds) evaluators.add(id);
  }
  return { all: [], peers: new Map([...evaluators].map((id) => [id, [entry]])) };
}

/** A rule is evaluated where packets arrive (ingress) and where they begin (egress). */
function evaluatedAt(rule: RuleModel): Selector[] {
  if (rule.direction === 'ingress') return [rule.destination];
  return rule.direction === 'egress' ? [rule.selector] : [rule.destination, rule.selector];
}

/** Whom a selector means; null: an object that is gone. */
function sideOf(selector: Selector, lookup: Lookup): RuleSide | null {
  switch (selector.kind) {
    case 'all':
      return { kind: 'all' };
    case 'cidr':
      return { kind: 'cidr', cidr: selector.cidr };
    case 'tag':
      return { kind: 'group', group: selector.tag };
    case 'peer': {
      const peer = lookup.peer(selector.id);
      return peer === undefined ? null : { kind: 'host', addresses: hostAddressesOf(peer) };
    }
    case 'user_device':
    case 'virtual_ip': {
      const item = lookup.item(selector.id);
      if (item?.type !== selector.kind || !('addresses' in item)) return null;
      return { kind: 'host', addresses: [...item.addresses] };
    }
    case 'federation_peer':
      // Partners are joined by federation, which gives them their prefixes.
      return null;
  }
}

/** The nodes at which packets from or to these begin and end. A device's hub stands for it. */
function evaluatorsOf(selector: Selector, lookup: Lookup): PeerScope {
  switch (selector.kind) {
    case 'peer':
      return somePeers([selector.id]);
    case 'virtual_ip': {
      const item = lookup.item(selector.id);
      return somePeers(item?.type === 'virtual_ip' ? item.candidates : []);
    }
    case 'user_device': {
      const item = lookup.item(selector.id);
      return somePeers(item?.type === 'user_device' ? [item.hubPeerId] : []);
    }
    case 'all':
    case 'cidr':
    case 'tag':
    case 'federation_peer':
      return { kind: 'all' };
  }
}

function somePeers(peerIds: readonly PeerId[]): PeerScope {
  return { kind: 'peers', peerIds };
}

function describe(rule: RuleEntry): string {
  const where = { ingress: 'where it arrives', egress: 'where it begins', both: 'at both ends' }[
    rule.direction
  ];
  const what = rule.protocol === 'any' ? 'everything' : rule.protocol;
  return `${rule.action} ${what}${portsOf(rule)} from ${describeSide(rule.from)} to ${describeSide(rule.to)}, ${where}`;
}

function portsOf({ ports }: RuleEntry): string {
  if (ports === null) return '';
  const [first, last] = ports;
  return first === last ? ` to port ${first}` : ` to ports ${first} to ${last}`;
}

function describeSide(side: RuleSide): string {
  switch (side.kind) {
    case 'host':
      return side.addresses.join(' and ');
    case 'group':
      return `everything tagged ${side.group}`;
    case 'cidr':
      return side.cidr;
    case 'all':
      return 'everywhere';
  }
}

/** A rule stays as it was made; addresses of a block that went come back to the sides that had them. */
function changedRule(key: string, change: Changed<RuleEntry>, blocks: Blocks): Reverted[] {
  return (['from', 'to'] as const).flatMap((field): Reverted[] => {
    const { was, is } = change;
    const [old, now]: RuleSide[] = [was[field], is[field]];
    if (old?.kind !== 'host' || now?.kind !== 'host' || old.addresses[0] !== now.addresses[0]) return [];
    const dropped = blocks.droppedOf(is.network_id, old.addresses);
    const more = dropped.filter((one) => !now.addresses.includes(one));
    if (more.length === 0) return [];
    const instead: RuleSide = { kind: 'host', addresses: [...now.addresses, ...more] };
    return [{ key, field, rejected: canonicalJson(now), instead, along: null }];
  });
}
