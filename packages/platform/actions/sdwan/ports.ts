// Which UDP ports of a machine are in use, and by what: its tunnels, relays between hubs, and port mappings.
import { relayPort } from '@powernode/core/compile/entries';
import { transitHubsMax } from '@powernode/core/limits/overlay';
import type { ActionContext } from '../context.ts';

/** What is at each port, in words. */
export type PortUse = ReadonlyMap<number, string>;

const slots = Array.from({ length: transitHubsMax }, (_, index) => index + 1);

/** The ports of all tunnels on a machine: of its peers, and of a hub's relays to the other hubs. */
export async function tunnelPorts(
  context: ActionContext,
  of: { readonly instanceId: string; readonly except: string | null },
): Promise<PortUse> {
  const peers = await context.trx
    .selectFrom('peers')
    .select(['id', 'listen_port', 'hub_slot'])
    .where('instance_id', '=', of.instanceId)
    .where('account_id', '=', context.accountId)
    .execute();
  const ports = new Map<number, string>();
  for (const { id, listen_port: listenPort, hub_slot: own } of peers) {
    if (id === of.except) continue;
    ports.set(listenPort, `where WireGuard listens for the peer ${id}`);
    if (own === null) continue;
    for (const slot of slots) {
      if (slot === own) continue;
      ports.set(relayPort({ listenPort }, slot), `where WireGuard listens for relays of the peer ${id}`);
    }
  }
  return ports;
}

/** Ports of a machine that port mappings have for UDP: no tunnel may listen there. */
async function udpPortMappings(context: ActionContext, instanceId: string): Promise<PortUse> {
  const rows = await context.trx
    .selectFrom('port_mappings')
    .select(['id', 'external_port'])
    .where('hub_instance_id', '=', instanceId)
    .where('account_id', '=', context.accountId)
    .where('protocol', '=', 'udp')
    .execute();
  return new Map(rows.map((row) => [row.external_port, `of the port mapping ${row.id}`]));
}

/** All that is in use on a machine, but for one peer's own. */
export async function portsInUse(
  context: ActionContext,
  of: { readonly instanceId: string; readonly except: string | null },
): Promise<PortUse> {
  return new Map([...(await tunnelPorts(context, of)), ...(await udpPortMappings(context, of.instanceId))]);
}

/** All that a peer on that port may listen on: whatever it is today, it may become a hub, and then relays. */
export function portsOf(listenPort: number): number[] {
  return [listenPort, ...slots.map((slot) => relayPort({ listenPort }, slot))];
}
