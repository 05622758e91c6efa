// LANs behind this machine. It stands for their hosts: what they send into the network is filtered as if this machine sent
// it, and what they are sent as if it were for this machine, on their way through.
import type { Firewalls } from '@powernode/core/compile/firewall/compile';
import { familyOf } from '@powernode/core/net/address';
import { withoutCovered } from '@powernode/core/net/prefix';
import type { LanEntry } from '@powernode/core/wire/routing-entries';
import type { RulesetIntent } from '../intent.ts';
import { evaluationChain, families, networkSet, overlaySet, words } from './names.ts';
import { podTranslationRules } from './pod-rules.ts';
import type { TableBuilder } from './table-builder.ts';

export function lanSet(handle: string, family: 4 | 6): string {
  return `pn_lan_${handle}_${family}`;
}

/** The LANs of each network, by family; only those that there are. */
function groupsOf(lans: readonly LanEntry[]) {
  const handles = [...new Set(lans.map(({ handle }) => handle))].sort();
  return handles.flatMap((handle) =>
    families.flatMap((family) => {
      const own = lans.filter((lan) => lan.handle === handle && familyOf(lan.prefix) === family);
      return own.length === 0 ? [] : [{ handle, family, lans: own }];
    }),
  );
}

/**
 * In the forward chain: between a network and the LANs of this machine that are in it, and nothing else. Of a translated
 * LAN only what came for its prefix in the network: no rule is about its other addresses.
 */
export function lanRules(lans: readonly LanEntry[]): string[] {
  return groupsOf(lans).flatMap(({ handle, family, lans: own }) => {
    const { header } = words[family];
    const set = `@${lanSet(handle, family)}`;
    const network = `@${networkSet(handle)}`;
    const known = own.some((lan) => lan.prefix !== lan.local_prefix)
      ? ` ct original ${header} daddr { ${knownPrefixes(own)} }`
      : '';
    return [
      `iifname ${network} oifname != @${overlaySet} ${header} daddr ${set}${known} accept`,
      `iifname != @${overlaySet} oifname ${network} ${header} saddr ${set} accept`,
    ];
  });
}

export function addLanChains(table: TableBuilder, intent: RulesetIntent, firewalls: Firewalls): void {
  const { lans } = intent;
  if (lans.length === 0) return;
  for (const { handle, family, lans: own } of groupsOf(lans)) {
    addPrefixes(table, lanSet(handle, family), { family, prefixes: own.map((lan) => lan.local_prefix) });
    const hidden = own.filter((lan) => lan.source_nat).map((lan) => lan.local_prefix);
    if (hidden.length > 0) addPrefixes(table, `${lanSet(handle, family)}_nat`, { family, prefixes: hidden });
  }
  addTranslation(table, intent);
  addFilters(table, lans, firewalls);
}

/** Without those that are inside of others: nft takes no set of intervals that overlap. */
function addPrefixes(
  table: TableBuilder,
  name: string,
  of: { readonly family: 4 | 6; readonly prefixes: readonly string[] },
): void {
  // nft lists a prefix of one address as that address.
  const listed = withoutCovered(of.prefixes).map((prefix) =>
    prefix.replace(of.family === 6 ? /\/128$/ : /\/32$/, ''),
  );
  const elements = new Map(listed.map((prefix) => [prefix, '']));
  const { address } = words[of.family];
  table.add({ name, kind: 'set', type: address, data: null, flags: 'interval', counted: false, elements });
}

/**
 * One to one (nft(8), "NAT statements", `prefix to`): into the LAN before routing, out of it behind. A connection is
 * translated by its first packet, and its answers the other way round.
 */
function addTranslation(table: TableBuilder, { lans, pods }: RulesetIntent): void {
  const arriving: string[] = [];
  const leaving: string[] = [];
  for (const { handle, family, lans: own } of groupsOf(lans)) {
    const { header } = words[family];
    const mapped = own.filter((lan) => lan.prefix !== lan.local_prefix);
    if (mapped.length > 0) {
      const into = mapped.map((lan) => `${lan.prefix} : ${lan.local_prefix}`).sort();
      const out = mapped.map((lan) => `${lan.local_prefix} : ${lan.prefix}`).sort();
      const network = `@${networkSet(handle)}`;
      arriving.push(`iifname ${network} dnat ${header} prefix to ${header} daddr map { ${into.join(', ')} }`);
      leaving.push(`oifname ${network} snat ${header} prefix to ${header} saddr map { ${out.join(', ')} }`);
    }
    if (own.some((lan) => lan.source_nat)) {
      const set = `@${lanSet(handle, family)}_nat`;
      leaving.push(
        `iifname @${networkSet(handle)} oifname != @${overlaySet} ${header} daddr ${set} masquerade`,
      );
    }
  }
  leaving.push(...podTranslationRules(pods));
  if (arriving.length > 0) table.chain('pn_lan_arriving', arriving, 'nat hook prerouting priority -101');
  if (leaving.length > 0) table.chain('pn_lan_leaving', leaving, 'nat hook postrouting priority 99');
}

/**
 * The rules of a network name addresses as the network knows them: packets into a LAN are filtered before they are
 * translated, and those out of it behind. Where nothing is translated both are on the way through.
 */
function addFilters(table: TableBuilder, lans: readonly LanEntry[], firewalls: Firewalls): void {
  const into: string[] = [];
  const out: string[] = [];
  for (const { handle, family, lans: own } of groupsOf(lans)) {
    if (![...firewalls.values()].some((firewall) => firewall.handle === handle)) continue;
    const { header } = words[family];
    const known = knownPrefixes(own);
    into.push(
      `iifname @${networkSet(handle)} ${header} daddr { ${known} } goto ${evaluationChain('ingress', handle)}`,
    );
    out.push(
      `iifname != @${overlaySet} oifname @${networkSet(handle)} ${header} saddr { ${known} } goto ${evaluationChain('egress', handle)}`,
    );
  }
  const isTranslated = lans.some((lan) => lan.prefix !== lan.local_prefix);
  if (into.length === 0) return;
  table.chain(
    'pn_lan_in',
    into,
    isTranslated ? 'filter hook prerouting priority -110' : 'filter hook forward priority 3',
  );
  table.chain(
    'pn_lan_out',
    out,
    isTranslated ? 'filter hook postrouting priority 110' : 'filter hook forward priority 4',
  );
}

function knownPrefixes(lans: readonly LanEntry[]): string {
  return withoutCovered(lans.map((lan) => lan.prefix)).join(', ');
}

/** Whether packets of some LAN are filtered where no refusal can be sent. */
export function isFilteredOutside(lans: readonly LanEntry[]): boolean {
  return lans.some((lan) => lan.prefix !== lan.local_prefix);
}
