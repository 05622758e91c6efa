// Lists as tables: the columns that say most about each noun, as many of them as the terminal is wide.
import { isRecord } from '@powernode/core/json';
import { at, label, valueText } from './text.ts';

type Row = Readonly<Record<string, unknown>>;

/** What people look for in a list, in the order of how much it matters; the last ones go where space is short. */
export const columnsByNoun: Readonly<Record<string, readonly string[]>> = {
  networks: ['id', 'name', 'prefix', 'peer_count', 'hub_count', 'topology_strategy'],
  peers: [
    'id',
    'hostname',
    'role',
    'status',
    'reachable',
    'path',
    'host_address',
    'tags',
    'last_handshake_at',
  ],
  virtual_ips: ['id', 'name', 'address', 'state', 'current_holder_peer_id', 'ipv4_address', 'state_detail'],
  port_mappings: [
    'id',
    'external_address',
    'external_port',
    'protocol',
    'internal_address',
    'internal_port',
    'status',
    'hub_hostname',
  ],
  firewall_rules: [
    'id',
    'direction',
    'action',
    'selector.label',
    'destination.label',
    'protocol',
    'port_range',
    'enabled',
    'packets',
    'name',
  ],
  findings: ['kind', 'severity', 'object.name', 'detail'],
  because: ['step', 'detail'],
  access_grants: ['id', 'device_name_hint', 'status', 'expires_at', 'user_device_id'],
  user_devices: ['id', 'name', 'status', 'host_address', 'hub_hostname', 'tags', 'last_handshake_at'],
  transitions: ['at', 'from_peer_id', 'to_peer_id', 'reason', 'detail', 'took_ms'],
  candidates: ['peer_id', 'hostname', 'score', 'reasons'],
  moves: ['object', 'id', 'detail'],
  instances: ['id', 'hostname', 'status', 'connected', 'in_sync', 'observed_address', 'last_heard_at'],
  templates: ['id', 'name', 'provider', 'description'],
  provider_regions: ['id', 'name', 'provider', 'description'],
  instance_types: ['id', 'name', 'provider', 'description'],
  join_tokens: ['id', 'name_hint', 'status', 'expires_at', 'instance_id'],
  changes: ['sequence', 'at', 'action', 'actor.name', 'node_count', 'correlation_id'],
  operations: ['id', 'kind', 'state', 'step', 'detail', 'summary', 'created_at'],
  events: ['at', 'kind', 'severity', 'actor.name', 'id'],
  policies: ['category', 'mode', 'default_mode', 'description'],
  approvals: ['id', 'status', 'summary', 'requested_by.name', 'expires_at'],
  accounts: ['id', 'name', 'pool_prefix', 'created_at'],
  operators: ['id', 'name', 'role', 'disabled', 'platform_admin'],
  api_tokens: ['id', 'name', 'status', 'operator_id', 'last_used_at', 'expires_at'],
  nodes: [
    'hostname',
    'role',
    'status',
    'reachable',
    'path',
    'host_address',
    'applied_revision',
    'desired_revision',
  ],
  links: ['peer_id', 'remote_peer_id', 'interface', 'purpose', 'endpoint', 'last_handshake_at'],
};

const gap = '  ';
/** Where the width is not known: a pipe, a file. Everything is shown there. */
const unlimited = Number.POSITIVE_INFINITY;

export function table(noun: string, rows: readonly Row[], width: number | undefined): string {
  const columns = (columnsByNoun[noun] ?? plainColumns(rows)).map((path) => {
    const cells = rows.map((row) => valueText(at(row, path)));
    const head = label(path.replace(/\.name$/, '')).toUpperCase();
    return { head, cells, width: Math.max(head.length, ...cells.map((cell) => cell.length)) };
  });
  const shown = fitting(columns, width ?? unlimited);
  const line = (texts: readonly string[]) =>
    texts
      .map((text, index) => text.padEnd(shown[index]?.width ?? 0))
      .join(gap)
      .trimEnd();
  const lines = rows.map((_, row) => line(shown.map((column) => column.cells[row] ?? '')));
  return `${[line(shown.map((column) => column.head)), ...lines].join('\n')}\n`;
}

/** As many columns from the left as fit; the first always. */
function fitting<C extends { readonly width: number }>(columns: readonly C[], width: number): readonly C[] {
  let used = 0;
  const count = columns.findIndex((column, index) => {
    used += column.width + (index === 0 ? 0 : gap.length);
    return index > 0 && used > width;
  });
  return count === -1 ? columns : columns.slice(0, count);
}

/** For nouns that the list above does not know: what is short and its own, not what every object carries. */
function plainColumns(rows: readonly Row[]): readonly string[] {
  const names = Object.keys(rows[0] ?? {});
  const everywhere = new Set(['account_id', 'created_at', 'updated_at', 'revision']);
  return names.filter((name) => !everywhere.has(name) && rows.every((row) => !isRecord(row[name])));
}
