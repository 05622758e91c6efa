// Port mappings from outside into an overlay: a port of this machine that leads to an address of the overlay. What comes in is
// sent on from this machine's own overlay address, so that answers come back this way.
import { type Family, familyOf } from '@powernode/core/net/address';
import { withoutCovered } from '@powernode/core/net/prefix';
import type { PortMappingEntry } from '@powernode/core/wire/document';
import { families, overlaySet, words } from './names.ts';
import type { TableBuilder } from './table-builder.ts';

const protocols = ['tcp', 'udp'] as const;
const numbers = { tcp: 6, udp: 17 } as const;

export function addPortMappingChains(table: TableBuilder, mappings: readonly PortMappingEntry[]): void {
  if (mappings.length === 0) return;
  const arriving: string[] = [];
  const leaving: string[] = [];
  for (const family of families) {
    const own = mappings.filter((mapping) => familyOf(mapping.external_address) === family);
    if (own.length === 0) continue;
    addPortMappingMaps(table, family, own);
    const { header } = words[family];
    const mapping = `${header} daddr . meta l4proto . th dport`;
    const outside = `iifname != @${overlaySet} meta l4proto { tcp, udp }`;
    if (own.some(isGuarded)) arriving.push(`${outside} ${mapping} vmap @pn_port_mapping_limits_${family}`);
    arriving.push(`${outside} dnat ${header} to ${mapping} map @pn_port_mappings_${family}`);
    for (const protocol of protocols) {
      const through = `oifname @${overlaySet} ct status dnat meta l4proto ${protocol}`;
      const original = `ct original ${header} daddr . meta l4proto . ct original proto-dst`;
      leaving.push(`${through} snat ${header} to ${original} map @pn_port_mapping_sources_${family}`);
    }
  }
  for (const mapping of mappings)
    if (isGuarded(mapping)) table.chain(guardChain(mapping), guardRules(mapping));
  // Only the first packet of a connection comes by here, so that these rules are about connections.
  table.chain('pn_port_mappings', arriving, 'nat hook prerouting priority -100');
  table.chain('pn_port_mapping_sources', leaving, 'nat hook postrouting priority 100');
}

/** What came through one of the port mappings, and went where that one leads: in the forward chain, and for this machine itself. */
export function portMappingRules(mappings: readonly PortMappingEntry[], hook: 'forward' | 'input'): string[] {
  const into = hook === 'forward' ? `oifname @${overlaySet} ` : '';
  return families.flatMap((family) => {
    if (!mappings.some((mapping) => familyOf(mapping.external_address) === family)) return [];
    const { header } = words[family];
    return protocols.map((protocol) => {
      const through = `${into}ct status dnat meta l4proto ${protocol}`;
      const original = `ct original ${header} daddr . meta l4proto . ct original proto-dst`;
      return `${through} ${original} . ${header} daddr . ${protocol} dport @pn_port_mapping_targets_${family} accept`;
    });
  });
}

function addPortMappingMaps(
  table: TableBuilder,
  family: Family,
  mappings: readonly PortMappingEntry[],
): void {
  const { address } = words[family];
  const key = `${address} . inet_proto . inet_service`;
  const of = (value: (mapping: PortMappingEntry) => string) =>
    new Map(mappings.map((mapping) => [mappingKey(mapping), value(mapping)]));
  const target = (mapping: PortMappingEntry) => `${mapping.target_address} . ${mapping.target_port}`;
  table.map(`pn_port_mappings_${family}`, { key, data: `${address} . inet_service` }, of(target));
  table.map(
    `pn_port_mapping_sources_${family}`,
    { key, data: address },
    of((mapping) => mapping.source_address),
  );
  const ways = mappings.map((mapping) => `${mappingKey(mapping)} . ${target(mapping)}`);
  table.set(`pn_port_mapping_targets_${family}`, `${key} . ${address} . inet_service`, ways);
  const guarded = mappings.filter(isGuarded);
  if (guarded.length === 0) return;
  const guards = new Map(guarded.map((mapping) => [mappingKey(mapping), `jump ${guardChain(mapping)}`]));
  table.map(`pn_port_mapping_limits_${family}`, { key, data: 'verdict' }, guards);
}

function mappingKey(mapping: PortMappingEntry): string {
  return `${mapping.external_address} . ${numbers[mapping.protocol]} . ${mapping.external_port}`;
}

function guardChain(mapping: PortMappingEntry): string {
  return `pn_port_mapping_${mapping.port_mapping_id}`;
}

function isGuarded(mapping: PortMappingEntry): boolean {
  return mapping.source_cidrs.length > 0 || mapping.rate_limit !== null || mapping.max_connections !== null;
}

function guardRules(mapping: PortMappingEntry): string[] {
  const rules: string[] = [];
  if (mapping.source_cidrs.length > 0) {
    const family = familyOf(mapping.external_address);
    const own = withoutCovered(mapping.source_cidrs).filter((cidr) => familyOf(cidr) === family);
    const saddr = `${words[family].header} saddr`;
    rules.push(own.length === 0 ? 'drop' : `${saddr} != { ${own.join(', ')} } drop`);
  }
  const { rate_limit: rate, max_connections: most } = mapping;
  if (rate !== null) rules.push(`limit rate over ${rate}/second burst ${rate} packets drop`);
  if (most !== null) rules.push(`ct count over ${most} drop`);
  return rules;
}
