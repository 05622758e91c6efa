// Every kind of item, by its type. The compiler, audits and delivery ask an item by these functions and know no kind of it.
import type { PublicKey } from '../../ids.ts';
import type { Item } from '../model.ts';
import { firewallRule } from './firewall-rule.ts';
import type {
  Advertisement,
  ItemContribution,
  ItemKind,
  Lookup,
  Member,
  MissingTarget,
  RuleSideKind,
} from './kind.ts';
import { portMapping } from './port-mapping.ts';
import { routePolicy } from './route-policy.ts';
import { sessionReset } from './session-reset.ts';
import { subnet } from './subnet.ts';
import { userDevice } from './user-device.ts';
import { virtualIp } from './virtual-ip.ts';

type Kinds = { readonly [T in Item['type']]: ItemKind<Extract<Item, { readonly type: T }>> };

const kinds = {
  firewall_rule: firewallRule,
  virtual_ip: virtualIp,
  port_mapping: portMapping,
  user_device: userDevice,
  subnet_advertisement: subnet,
  route_policy: routePolicy,
  session_reset: sessionReset,
} satisfies Kinds;

export const itemEntryKinds = {
  ...kinds.firewall_rule.entryKinds,
  ...kinds.virtual_ip.entryKinds,
  ...kinds.port_mapping.entryKinds,
  ...kinds.user_device.entryKinds,
  ...kinds.subnet_advertisement.entryKinds,
  ...kinds.route_policy.entryKinds,
  ...kinds.session_reset.entryKinds,
};

/** The kind takes exactly the items of its type. */
function kindOf(item: Item): ItemKind<Item> {
  return kinds[item.type] as ItemKind<Item>;
}

export function contributionOf(item: Item, lookup: Lookup): ItemContribution {
  return kindOf(item).contribution(item, lookup);
}

export function advertisedBy(item: Item): readonly Advertisement[] {
  return kindOf(item).advertised?.(item) ?? [];
}

/** Tags of which every node has to know the members because of the item. */
export function tagsNamed(item: Item): readonly string[] {
  return kindOf(item).tagsNamed?.(item) ?? [];
}

/** null: it is in no group, whatever rules name. */
export function memberOf(item: Item): Member | null {
  return kindOf(item).member?.(item) ?? null;
}

/** null: it has no tunnel of its own. */
export function publicKeyOf(item: Item): PublicKey | null {
  return kindOf(item).publicKey?.(item) ?? null;
}

/** null: rules cannot name items of the type. */
export function ruleSideOf(type: Item['type']): RuleSideKind<Item> | null {
  return (kinds[type] as ItemKind<Item>).side ?? null;
}

/** null: it names nothing that is gone. */
export function missingTargetOf(item: Item, lookup: Pick<Lookup, 'peer' | 'item'>): MissingTarget | null {
  return kindOf(item).missingTarget?.(item, lookup) ?? null;
}
