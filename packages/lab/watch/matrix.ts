// The ping matrix and the status as text for people.

import type { Pair } from '../stage/cut.ts';
import type { PingResult } from './ping.ts';
import type { LabStatus } from './status.ts';

/** Rows are sources, columns destinations; a pair with several networks shows its slowest answer. */
export function formatMatrix(results: readonly PingResult[]): string {
  const names = [...new Set(results.flatMap((result) => [result.from, result.to]))];
  const cells = names.map((from) => [from, ...names.map((to) => cell(results, { from, to }))]);
  return table([['ms', ...names], ...cells], 'right');
}

function cell(results: readonly PingResult[], pair: { from: string; to: string }): string {
  if (pair.from === pair.to) return '·';
  const found = results.filter((result) => result.from === pair.from && result.to === pair.to);
  if (found.length === 0) return '';
  const trips = found.map((result) => result.roundTripMs);
  return trips.some((trip) => trip === null)
    ? 'lost'
    : Math.max(...trips.map((trip) => trip ?? 0)).toFixed(1);
}

/** What is taken apart at present. */
export interface Severed {
  readonly cuts: readonly Pair[];
  /** Who is parted from all others. */
  readonly parted: readonly string[];
}

export function formatStatus(status: LabStatus, { cuts, parted }: Severed): string {
  const platforms = status.platforms.map((platform) => [
    platform.name,
    platform.pid === null ? 'down' : `pid ${platform.pid}`,
    platform.url,
    platform.token_file,
  ]);
  const hosts = status.hosts.map((host) => [
    host.name,
    host.lan_addresses.length === 0
      ? 'off'
      : host.agent_pid === null
        ? 'no agent'
        : `agent ${host.agent_pid}`,
    host.lan_addresses.join(' ') || '-',
    host.overlay_addresses.join(' ') || '-',
    host.instance_id ?? '-',
  ]);
  const parts = [];
  if (platforms.length > 0)
    parts.push(table([['PLATFORM', 'STATE', 'URL', 'TOKEN FILE'], ...platforms], 'left'));
  if (hosts.length > 0) {
    parts.push(table([['HOST', 'STATE', 'UNDERLAY', 'OVERLAY', 'INSTANCE'], ...hosts], 'left'));
  }
  if (cuts.length > 0) parts.push(`cut: ${cuts.map(({ a, b }) => `${a} – ${b}`).join(', ')}`);
  if (parted.length > 0) parts.push(`parted from all others: ${parted.join(', ')}`);
  return parts.join('\n\n');
}

function table(rows: readonly (readonly string[])[], align: 'left' | 'right'): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((text, column) => {
          const width = widths[column] ?? 0;
          return align === 'left' || column === 0 ? text.padEnd(width) : text.padStart(width);
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
