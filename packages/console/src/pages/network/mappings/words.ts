// What is said of a port mapping in a few words. No elements here.
import type { PortMapping } from '@powernode/core/intent/port-mapping';
import type { NameOf } from '../names.ts';

/** `[2001:db8::1]:443`, `203.0.113.5:443`. */
function endpointText(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

export function externalText(
  mapping: Pick<PortMapping, 'external_address' | 'external_port' | 'protocol'>,
): string {
  return `${mapping.protocol} ${endpointText(mapping.external_address, mapping.external_port)}`;
}

interface Names {
  readonly peer: NameOf;
  readonly virtualIp: NameOf;
}

/** What it leads to, by name: `edge1, port 443`. */
export function targetWords(
  { internal_peer_id, internal_virtual_ip_id, internal_port }: PortMapping,
  names: Names,
): string {
  const name = names.peer(internal_peer_id) ?? names.virtualIp(internal_virtual_ip_id) ?? 'deleted';
  return `${name}, port ${internal_port}`;
}

export function limitWords({ source_cidrs, rate_limit, max_connections }: PortMapping): string {
  const limits = [
    source_cidrs.length === 0 ? '' : `from ${source_cidrs.join(', ')}`,
    rate_limit === null ? '' : `${rate_limit.toLocaleString('en-US')} new/s`,
    max_connections === null ? '' : `${max_connections.toLocaleString('en-US')} concurrent`,
  ].filter((words) => words !== '');
  return limits.length === 0 ? 'none' : limits.join('; ');
}
