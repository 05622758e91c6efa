// Which nodes have a firewall rule, and what they have of it. A pure function of the rule and of what it names.
import type { EntryValue, RuleSide } from '../wire/document.ts';
import { hostAddressesOf } from './entries.ts';
import type { ItemViews, Lookup } from './items.ts';
import type { RuleModel, Selector } from './model.ts';

const nobody: ItemViews = { everyone: [], peers: new Map() };

export function ruleViews(rule: RuleModel, lookup: Lookup): ItemViews {
  if (!rule.enabled) return nobody;
  const from = sideOf(rule.selector, lookup);
  const to = sideOf(rule.destination, lookup);
  if (from === null || to === null) return nobody;
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
  const judges = new Set<string>();
  for (const side of judgedAt(rule)) {
    const peers = peersOf(side, lookup);
    if (peers === 'everyone') return { everyone: [entry], peers: new Map() };
    for (const id of peers) judges.add(id);
  }
  return { everyone: [], peers: new Map([...judges].map((id) => [id, [entry]])) };
}

/** A rule is judged where packets arrive (ingress) and where they begin (egress). */
function judgedAt(rule: RuleModel): Selector[] {
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
function peersOf(selector: Selector, lookup: Lookup): readonly string[] | 'everyone' {
  switch (selector.kind) {
    case 'peer':
      return [selector.id];
    case 'virtual_ip': {
      const item = lookup.item(selector.id);
      return item?.type === 'virtual_ip' ? item.candidates : [];
    }
    case 'user_device': {
      const item = lookup.item(selector.id);
      return item?.type === 'user_device' ? [item.hubPeerId] : [];
    }
    case 'all':
    case 'cidr':
    case 'tag':
    case 'federation_peer':
      return 'everyone';
  }
}
