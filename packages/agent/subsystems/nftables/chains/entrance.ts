// What stands before the rules of a network: packets that are let through whatever the rules say, because without them
// nothing else would work, and those that no rule may let in.
import type { Firewalls } from '@powernode/core/compile/firewall/compile';
import type { NetworkFirewall } from '@powernode/core/compile/firewall/model';
import { endedConnectionMark } from '@powernode/core/limits/agent';
import { probePort } from '@powernode/core/limits/probe';
import { familyOf, withoutLength } from '@powernode/core/net/address';
import { probePrefixOf } from '@powernode/core/net/probe-address';
import type { RulesetIntent } from '../intent.ts';
import { bgpRules } from './bgp-rules.ts';
import { rejectChain } from './lookups.ts';
import { families, words } from './names.ts';

/** Counts the packets that are evaluated, so that a look at it shows whether the counters of rules can have moved. */
export const evaluatedCounter = 'pn_evaluated';

/** Where packets of connections go that the rules no longer allow (connections/rematch.ts). */
export const endedChain = 'pn_ended';
const endedMarkText = `0x${endedConnectionMark.toString(16).padStart(8, '0')}`;

/** A condition for their packets. */
export const isEnded = `ct mark & ${endedMarkText} == ${endedMarkText}`;

/** The ends of such a connection are told so. A reset itself is let through: it is what tells them. */
export const endedRules = ['tcp flags & rst == rst accept', `goto ${rejectChain}`];

/**
 * Answers, errors about packets that were sent, and finding neighbours (RFC 4890 §4.3.1, §4.4.1). Redirects, which
 * count as related to what they are about, never: no peer has routes to give.
 */
const needed = [
  `${isEnded} goto ${endedChain}`,
  'ct state established accept',
  'icmpv6 type nd-redirect drop',
  'icmp type redirect drop',
  'ct state related accept',
  'icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem, nd-neighbor-solicit, nd-neighbor-advert } accept',
  'icmp type { destination-unreachable, time-exceeded, parameter-problem } accept',
];

export function alwaysAccepted(firewall: NetworkFirewall, intent: RulesetIntent): string[] {
  const probed = probePrefixesOf(firewall).map(
    (prefix) => `ip6 daddr ${prefix} udp dport ${probePort} accept`,
  );
  return [
    ...needed,
    ...probed,
    ...sessions('egress', firewall, intent),
    `counter name "${evaluatedCounter}"`,
  ];
}

function sessions(
  direction: 'ingress' | 'egress',
  { handle, networkId }: NetworkFirewall,
  { bgp }: RulesetIntent,
): string[] {
  return bgpRules(direction, { handle, bgp: bgp.find((one) => one.networkId === networkId) });
}

export function entranceRules(
  firewall: NetworkFirewall,
  facts: { readonly intent: RulesetIntent; readonly firewalls: Firewalls },
): string[] {
  const own = facts.intent.interfaces
    .filter((one) => one.network_id === firewall.networkId)
    .flatMap((one) => one.probe_addresses.map(withoutLength));
  const probed =
    own.length === 0
      ? []
      : // Nothing but probes is answered at these.
        [
          `ip6 daddr { ${own.join(', ')} } udp dport ${probePort} accept`,
          `ip6 daddr { ${own.join(', ')} } drop`,
        ];
  return [
    ...needed,
    ...probed,
    ...sessions('ingress', firewall, facts.intent),
    ...foreignRules(firewall, facts.firewalls),
    `counter name "${evaluatedCounter}"`,
  ];
}

/** What comes in by one network must not be for this machine's address in another. */
function foreignRules(firewall: NetworkFirewall, firewalls: Firewalls): string[] {
  const foreign = [...firewalls.values()]
    .filter((other) => other.networkId !== firewall.networkId)
    .flatMap((other) => other.prefixes);
  return families.flatMap((family) => {
    const prefixes = foreign.filter((prefix) => familyOf(prefix) === family).sort();
    return prefixes.length === 0 ? [] : [`${words[family].header} daddr { ${prefixes.join(', ')} } drop`];
  });
}

function probePrefixesOf(firewall: NetworkFirewall): string[] {
  return firewall.prefixes.filter((prefix) => familyOf(prefix) === 6).map(probePrefixOf);
}
