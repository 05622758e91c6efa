// The chains that evaluate a network's packets by its rules: on their way into this machine, on their way out, and on
// their way through it when they are from or for a device that has this machine for its hub.
import type { Firewalls } from '@powernode/core/compile/firewall/compile';
import { familyOf } from '@powernode/core/net/address';
import type { RulesetIntent } from '../intent.ts';
import { addBgpSet } from './bgp-rules.ts';
import { type BridgeFacts, evaluatedOnArrival } from './bridge-chains.ts';
import { alwaysAccepted, endedChain, endedRules, entranceRules } from './entrance.ts';
import { addBlockSets, addGroupSets } from './group-sets.ts';
import { isFilteredOutside } from './lan-chains.ts';
import { addressField, rejectChain } from './lookups.ts';
import { evaluationChain, families, networkSet, words } from './names.ts';
import { hasBlocks, programRules } from './program-rules.ts';
import type { TableBuilder } from './table-builder.ts';

const refusals = ['meta l4proto tcp reject with tcp reset', 'reject with icmpx admin-prohibited'];

const directions = ['ingress', 'egress'] as const;

export function addFilterChains(
  table: TableBuilder,
  facts: {
    readonly intent: RulesetIntent;
    readonly firewalls: Firewalls;
    readonly bridging: BridgeFacts;
  },
): void {
  const { firewalls, intent, bridging } = facts;
  if (firewalls.size === 0) return;
  table.chain(
    rejectChain,
    bridging.bridges.length > 0 || isFilteredOutside(intent.lans) ? ['drop'] : refusals,
  );
  table.chain(endedChain, endedRules);
  const entries: Record<'ingress' | 'egress', Map<string, string>> = {
    ingress: new Map(),
    egress: new Map(),
  };
  for (const firewall of firewalls.values()) {
    addGroupSets(table, firewall);
    if (directions.some((direction) => hasBlocks({ firewall, direction }))) addBlockSets(table, firewall);
    const bgp = intent.bgp.find(({ networkId }) => networkId === firewall.networkId);
    if (bgp !== undefined) addBgpSet(table, firewall.handle, bgp);
    for (const direction of directions) {
      const head =
        direction === 'ingress' ? entranceRules(firewall, facts) : alwaysAccepted(firewall, intent);
      const rules = programRules(table, { firewall, direction });
      table.chain(evaluationChain(direction, firewall.handle), [...head, ...rules]);
      for (const one of intent.interfaces) {
        if (one.network_id !== firewall.networkId) continue;
        entries[direction].set(one.name, `goto ${evaluationChain(direction, firewall.handle)}`);
      }
    }
  }
  for (const direction of directions) {
    table.map(`pn_${direction}`, { key: 'ifname', data: 'verdict' }, entries[direction]);
  }
  table.chain(
    'pn_input',
    [...evaluatedOnArrival(bridging), 'iifname vmap @pn_ingress'],
    'filter hook input priority 0',
  );
  table.chain('pn_output', ['oifname vmap @pn_egress'], 'filter hook output priority 0');
  addDeviceChains(table, firewalls);
}

/**
 * A hub stands for its devices: it evaluates what they send as if it were they, and what they are sent. In chains of
 * their own beside those for the hub itself, because to accept a packet ends only the chain that does.
 */
function addDeviceChains(table: TableBuilder, firewalls: Firewalls): void {
  const from: string[] = [];
  const to: string[] = [];
  for (const { handle, devices } of firewalls.values()) {
    for (const family of families) {
      const addresses = devices.filter((address) => familyOf(address) === family);
      if (addresses.length === 0) continue;
      const set = `pn_devices_${handle}_${family}`;
      table.set(set, words[family].address, addresses);
      const arriving = `iifname @${networkSet(handle)} ${addressField('source', family)} @${set}`;
      const leaving = `oifname @${networkSet(handle)} ${addressField('destination', family)} @${set}`;
      from.push(`${arriving} goto ${evaluationChain('egress', handle)}`);
      to.push(`${leaving} goto ${evaluationChain('ingress', handle)}`);
    }
  }
  if (from.length === 0) return;
  table.chain('pn_devices_input', from, 'filter hook input priority -1');
  table.chain('pn_devices_sending', from, 'filter hook forward priority 1');
  table.chain('pn_devices_sent', to, 'filter hook forward priority 2');
  table.chain('pn_devices_output', to, 'filter hook output priority 1');
}
