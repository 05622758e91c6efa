// Test support: connections as the kernel's table has them.
import type { HostEnds } from './host-ends.ts';
import type { Connection, Reply } from './listing.ts';

/** A machine without addresses outside of overlays, and without bridges. */
export const noHostEnds: HostEnds = { addresses: new Set(), hasBridges: false, bridged: [] };

type Ends = Pick<Connection, 'source' | 'destination' | 'protocol' | 'destinationPort'>;

/** `reply`: what is translated. */
export function connection(ends: Ends, reply: Partial<Reply> = {}): Connection {
  return {
    ...ends,
    tuple: JSON.stringify(ends),
    reply: {
      source: ends.destination,
      destination: ends.source,
      sourcePort: ends.destinationPort,
      ...reply,
    },
    isEnded: false,
  };
}
