// Ports of a rule between what callers write and the two columns that are stored.
import type { RuleModel } from '@powernode/core/compile/model';
import { ProductError } from '@powernode/core/errors';

export interface PortColumns {
  readonly port_first: number | null;
  readonly port_last: number | null;
}

export function portRangeOf({ port_first: first, port_last: last }: PortColumns): string | null {
  if (first === null || last === null) return null;
  return first === last ? String(first) : `${first}-${last}`;
}

/** Only tcp and udp have ports. */
export function portColumns(protocol: RuleModel['protocol'], portRange: string | null): PortColumns {
  if (portRange === null) return { port_first: null, port_last: null };
  if (protocol !== 'tcp' && protocol !== 'udp') {
    const message = `a rule for protocol ${protocol} has no ports`;
    throw new ProductError('validation_failed', `port_range: ${message}. Choose tcp or udp, or give null.`, {
      fields: [{ path: 'port_range', code: 'no_ports', message }],
    });
  }
  const [first = 0, last = first] = portRange.split('-').map(Number);
  return { port_first: first, port_last: last };
}
