// Addresses of the overlay are this machine's, and so its kernel answers for them on every interface. From outside they
// are reached by port mappings only, whoever may have sent a packet for them to the machine.
import type { Firewalls } from '@powernode/core/compile/firewall/compile';
import { familyOf } from '@powernode/core/net/address';
import type { RulesetIntent } from '../intent.ts';
import { endedChain, isEnded } from './entrance.ts';
import { addressesOf } from './lease-guard-chains.ts';
import { families, overlaySet, words } from './names.ts';
import { podEntranceRules } from './pod-rules.ts';
import { portMappingRules } from './port-forward-chains.ts';
import type { TableBuilder } from './table-builder.ts';

/** The families of which this machine has addresses in overlays, for which there are sets of them. */
export function ownFamilies(intent: RulesetIntent): (4 | 6)[] {
  const own = ownAddresses(intent);
  return families.filter((family) => own.some((address) => familyOf(address) === family));
}

function ownAddresses(intent: RulesetIntent): string[] {
  return [
    ...intent.interfaces.flatMap((one) =>
      addressesOf({ addresses: [...one.addresses, ...one.probe_addresses] }),
    ),
    ...intent.virtualIps.flatMap(addressesOf),
  ];
}

export function addOutsideChain(table: TableBuilder, intent: RulesetIntent, firewalls: Firewalls): void {
  const own = ownAddresses(intent);
  const ended: string[] = [];
  const closed = families.flatMap((family) => {
    const addresses = own.filter((address) => familyOf(address) === family);
    if (addresses.length === 0) return [];
    const { address, header } = words[family];
    table.set(`pn_own_${family}`, address, addresses);
    if (firewalls.size > 0) ended.push(`${header} daddr @pn_own_${family} ${isEnded} goto ${endedChain}`);
    return [`${header} daddr @pn_own_${family} drop`];
  });
  if (closed.length === 0) return;
  const rules = [
    'iifname "lo" accept',
    `iifname @${overlaySet} accept`,
    ...ended,
    'ct state established,related accept',
    ...portMappingRules(intent.mappings, 'input'),
    ...podEntranceRules(intent.pods, firewalls),
    ...closed,
  ];
  table.chain('pn_outside', rules, 'filter hook input priority -5');
}
