// The lists of the fake platform, in pages as the real one answers them.
import type { World } from './world.ts';

type Row = Record<string, unknown>;

export interface Policies {
  list(): Row[];
}

export interface ListInput extends Row {
  readonly limit: number;
  readonly cursor?: string;
}

/** Rows of a list action, before its filters; null: it is not a list. */
export function rowsOf(
  name: string,
  world: World,
  policies: Policies,
): { readonly noun: string; readonly rows: readonly Row[] } | null {
  const lists: Readonly<Record<string, readonly [noun: string, rows: readonly Row[]]>> = {
    system_list_accounts: ['accounts', world.accounts],
    system_list_operators: ['operators', world.operators],
    system_list_api_tokens: ['api_tokens', world.apiTokens],
    system_list_join_tokens: ['join_tokens', world.joinTokens],
    system_list_instances: ['instances', world.instances],
    system_list_templates: ['templates', world.templates],
    system_list_provider_regions: ['provider_regions', world.regions],
    system_list_instance_types: ['instance_types', world.types],
    system_sdwan_list_networks: ['networks', world.networks],
    system_sdwan_list_peers: ['peers', world.peers],
    system_sdwan_list_virtual_ips: ['virtual_ips', world.virtualIps],
    system_sdwan_list_firewall_rules: ['firewall_rules', world.firewallRules],
    system_sdwan_list_port_mappings: ['port_mappings', world.portMappings],
    system_sdwan_list_subnet_advertisements: ['subnet_advertisements', world.subnets],
    system_sdwan_get_bgp_sessions: ['sessions', world.bgpSessions],
    system_sdwan_list_route_policies: ['route_policies', world.routePolicies],
    system_sdwan_list_access_grants: ['access_grants', world.accessGrants],
    system_sdwan_list_user_devices: ['user_devices', world.userDevices],
    system_list_approvals: ['approvals', world.approvals],
    system_list_operations: ['operations', world.operations],
    system_list_policies: ['policies', policies.list()],
  };
  const found = lists[name];
  return found === undefined ? null : { noun: found[0], rows: found[1] };
}

/** Whether a row passes a filter, which is on the property of its name. */
function fits(row: Row, [name, value]: [string, unknown]): boolean {
  if (name === 'withdrawn') return (row['withdrawn_at'] !== null) === value;
  return row[name] === value;
}

/** One page; every parameter that is no page parameter is a filter. */
export function pageOf(noun: string, rows: readonly Row[], input: ListInput): Row {
  const { limit, cursor, ...filters } = input;
  const fitting = rows.filter((row) => Object.entries(filters).every((filter) => fits(row, filter)));
  const from = cursor === undefined ? 0 : Number(cursor);
  const page = fitting.slice(from, from + limit);
  const end = from + page.length;
  const more = end < fitting.length;
  return { [noun]: page, count: page.length, has_more: more, next_cursor: more ? String(end) : null };
}
