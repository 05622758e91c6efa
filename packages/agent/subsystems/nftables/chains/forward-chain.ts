// What this machine forwards: packets between peers of one network, and what comes in by a port mapping. Networks are kept
// apart, and nothing of them leaks into anything else that the machine forwards.
import type { Firewalls } from '@powernode/core/compile/firewall/compile';
import type { InterfaceEntry } from '@powernode/core/wire/document';
import type { ByFamily } from '../../observed.ts';
import type { RulesetIntent } from '../intent.ts';
import { type BridgeFacts, bridgeRules } from './bridge-chains.ts';
import { endedChain, isEnded } from './entrance.ts';
import { lanRules } from './lan-chains.ts';
import { networkSet, overlaySet } from './names.ts';
import { podForwardRules } from './pod-rules.ts';
import { portMappingRules } from './port-forward-chains.ts';
import type { TableBuilder } from './table-builder.ts';

export const forwardChain = 'pn_forward';

/**
 * A host behind this machine announces what fits its own link, and errors about larger packets may be filtered on their
 * way to the other end. The kernel takes the smaller MTU of the routes in both directions, and never raises what is
 * announced (nft(8), "EXTENSION HEADER EXPRESSIONS").
 */
const segmentSizeRules = ['iifname', 'oifname'].map(
  (way) => `tcp flags & syn == syn ${way} @${overlaySet} tcp option maxseg size set rt mtu`,
);

/** Between peers, the ends of a connection refuse it themselves. */
const endedRules = ['iifname', 'oifname'].map((way) => {
  const other = way === 'iifname' ? 'oifname' : 'iifname';
  return `${way} @${overlaySet} ${other} != @${overlaySet} ${isEnded} goto ${endedChain}`;
});

interface Facts {
  readonly intent: RulesetIntent;
  readonly firewalls: Firewalls;
  readonly closedOtherwise: ByFamily;
  readonly bridging: BridgeFacts;
}

export function addForwardChain(table: TableBuilder, facts: Facts): void {
  const { intent, firewalls, closedOtherwise, bridging } = facts;
  const { interfaces, forwarding, forwarded } = intent;
  table.set(overlaySet, 'ifname', namesOf(interfaces));
  const handles = new Map([...firewalls.values()].map((one) => [one.handle, one.networkId]));
  for (const entry of forwarding) handles.set(entry.handle, entry.network_id);
  for (const [handle, id] of [...handles].sort(([a], [b]) => (a < b ? -1 : 1))) {
    table.set(networkSet(handle), 'ifname', namesOf(interfaces.filter((one) => one.network_id === id)));
  }
  const between: string[] = [];
  const loops: string[] = [];
  for (const { handle, network_id: id } of forwarding) {
    const set = networkSet(handle);
    between.push(`iifname @${set} oifname @${set} accept`);
    const relays = interfaces.filter((one) => one.network_id === id && one.purpose === 'transit');
    if (relays.length === 0) continue;
    table.set(`pn_relay_${handle}`, 'ifname', namesOf(relays));
    // Two hubs that have both lost a peer would send its packets to each other until they die.
    loops.push(`iifname @pn_relay_${handle} oifname @pn_relay_${handle} drop`);
  }
  const closed = (['ipv6', 'ipv4'] as const).filter((family) => forwarded[family] && closedOtherwise[family]);
  const rules = [
    ...segmentSizeRules,
    ...loops,
    ...(firewalls.size > 0 ? endedRules : []),
    'ct state established,related accept',
    ...between,
    ...bridgeRules(bridging),
    ...lanRules(intent.lans),
    `iifname @${overlaySet} drop`,
    ...portMappingRules(intent.mappings, 'forward'),
    `oifname @${overlaySet} drop`,
    ...podForwardRules(intent.pods),
    ...closed.map((family) => `meta nfproto ${family} drop`),
  ];
  table.chain(forwardChain, rules, 'filter hook forward priority 0');
}

function namesOf(interfaces: readonly InterfaceEntry[]): string[] {
  return interfaces.map((one) => one.name);
}
