// Where the platform itself listens on TCP: no port mapping may take these ports of its machine.
import { canonicalAddress, parseAddress } from '@powernode/core/net/address';
import type { PlatformListener } from '../actions/ports.ts';

/** `nodePort` and `operatorUrl` are those that the listeners have, whatever was configured. */
export function ownListeners(of: {
  readonly nodeHost: string;
  readonly nodePort: number;
  readonly operatorHost: string;
  readonly operatorUrl: string;
}): PlatformListener[] {
  const nodes = { what: 'the listener for instances', address: addressOf(of.nodeHost), port: of.nodePort };
  // Before it listens there is nothing to take.
  if (of.operatorUrl === '') return [nodes];
  const { port, protocol } = new URL(of.operatorUrl);
  const operators = {
    what: 'the listener for operators',
    address: addressOf(of.operatorHost),
    port: port === '' ? defaultPorts[protocol === 'https:' ? 'https' : 'http'] : Number(port),
  };
  return [nodes, operators];
}

const defaultPorts = { http: 80, https: 443 } as const;

/** null: at all addresses of the machine. A name counts as its loopback address where it is one. */
function addressOf(host: string): string | null {
  if (host === 'localhost') return '127.0.0.1';
  const address = parseAddress(host);
  return address === null || address.bits === 0n ? null : canonicalAddress(host);
}
