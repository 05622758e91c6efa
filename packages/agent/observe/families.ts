// The IP families in which this machine reaches others: those that it has a default route for (proc(5), the files
// net/route and net/ipv6_route of its network namespace).
import { closeSync, openSync, readSync } from 'node:fs';
import { agentRouteFileBytesMax } from '@powernode/core/limits/agent';
import type { Family } from '@powernode/core/net/address';
import { isInterfaceName } from '../subsystems/links/names.ts';

/** RTF_REJECT of linux/route.h: packets that match are refused. */
const rejects = 0x200;

/** Empty: none has one, which says nothing of what is on the machine's own links. */
export function reachableFamilies(read = readHead): Family[] {
  const families: Family[] = [];
  if (hasIpv4Default(read('/proc/self/net/route'))) families.push(4);
  if (hasIpv6Default(read('/proc/self/net/ipv6_route'))) families.push(6);
  return families;
}

/** Iface, Destination, Gateway, Flags, RefCnt, Use, Metric, Mask, … */
function hasIpv4Default(text: string): boolean {
  return text.split('\n').some((line) => {
    const [name = '', destination, , flags = '0', , , , mask] = line.trim().split(/\s+/);
    return destination === '00000000' && mask === '00000000' && leadsOut(name, flags);
  });
}

/** Destination, its length, source, its length, next hop, metric, references, use, flags, device. */
function hasIpv6Default(text: string): boolean {
  return text.split('\n').some((line) => {
    const [destination, length, , , , , , , flags = '0', name = ''] = line.trim().split(/\s+/);
    return destination === '0'.repeat(32) && length === '00' && leadsOut(name, flags);
  });
}

function leadsOut(name: string, flags: string): boolean {
  return name !== 'lo' && !isInterfaceName(name) && (Number.parseInt(flags, 16) & rejects) === 0;
}

/** Default routes come early; the table of a router may be of any size. */
function readHead(file: string): string {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'r');
  } catch {
    // A kernel without that family has no such file.
    return '';
  }
  try {
    const buffer = Buffer.alloc(agentRouteFileBytesMax);
    let length = 0;
    for (;;) {
      const read = readSync(descriptor, buffer, length, buffer.length - length, null);
      length += read;
      if (read === 0 || length === buffer.length) return buffer.toString('latin1', 0, length);
    }
  } finally {
    closeSync(descriptor);
  }
}
