// Bridges of this machine whose hosts (containers, virtual machines) may use its overlays, because its owner said so.
// To the overlay they are this machine: what comes in is for its own addresses and is evaluated before something else
// (Docker, a virtual network) translates it; what goes out is evaluated once it has this machine's address. A packet
// can be answered with a refusal at neither place on every kernel, so that on such a machine to reject is to drop.
import { overlaySet, words } from './names.ts';
import type { TableBuilder } from './table-builder.ts';

const bridgeSet = 'pn_bridges';

export interface BridgeFacts {
  readonly bridges: readonly string[];
  /** The families of which this machine has addresses in overlays. */
  readonly families: readonly (4 | 6)[];
  readonly hasFirewalls: boolean;
}

/** In the forward chain: what was evaluated on its way in, and what is evaluated on its way out. */
export function bridgeRules({ bridges, families }: BridgeFacts): string[] {
  if (bridges.length === 0) return [];
  return [
    ...families.map((family) => {
      const original = `ct original ${words[family].header} daddr @pn_own_${family}`;
      return `iifname @${overlaySet} oifname @${bridgeSet} ct status dnat ${original} accept`;
    }),
    `iifname @${bridgeSet} oifname @${overlaySet} accept`,
  ];
}

/** Rules before those of the input chain: what is for this machine's own addresses was evaluated on arrival. */
export function evaluatedOnArrival({ bridges, families }: BridgeFacts): string[] {
  if (bridges.length === 0) return [];
  return families.map(
    (family) => `iifname @${overlaySet} ${words[family].header} daddr @pn_own_${family} accept`,
  );
}

export function addBridgeChains(table: TableBuilder, facts: BridgeFacts): void {
  const { bridges, families, hasFirewalls } = facts;
  if (bridges.length === 0) return;
  table.set(bridgeSet, 'ifname', bridges);
  if (hasFirewalls) {
    const arriving = families.map(
      (family) => `${words[family].header} daddr @pn_own_${family} iifname vmap @pn_ingress`,
    );
    table.chain('pn_bridge_arriving', arriving, 'filter hook prerouting priority -110');
  }
  const leaving = `iifname @${bridgeSet} oifname @${overlaySet}`;
  const translated = families.map(
    (family) => `${leaving} ${words[family].header} saddr != @pn_own_${family} drop`,
  );
  const others = ([6, 4] as const)
    .filter((family) => !families.includes(family))
    .map((family) => `${leaving} meta nfproto ipv${family} drop`);
  const filtered = hasFirewalls ? [`iifname @${bridgeSet} oifname vmap @pn_egress`] : [];
  table.chain(
    'pn_bridge_leaving',
    [...translated, ...others, ...filtered],
    'filter hook postrouting priority 110',
  );
}
