// Where a port mapping can be: at an address that a hub of the network has, on a port that nothing else of that machine uses.
import { ProductError } from '@powernode/core/errors';
import { namedInErrorMax } from '@powernode/core/limits/overlay';
import { canonicalAddress, formatAddress, parseEndpoint, withoutLength } from '@powernode/core/net/address';
import { endpointRefusal } from '@powernode/core/net/special-addresses';
import type { ActionContext } from '../../context.ts';
import type { PlatformListener } from '../../ports.ts';
import { platformUnderlay } from '../networks/underlay.ts';
import { tunnelPorts } from '../ports.ts';
import type { PeerRow } from '../rows.ts';

/** A peer with the addresses by which its machine can be reached. */
export interface Place {
  readonly peer: PeerRow;
  readonly hostname: string;
  /** The machine's own, as it says itself. */
  readonly own: readonly string[];
  /** Those at which others meet it; where a NAT is in front of it they are not its own. */
  readonly outer: readonly string[];
}

export async function placesOf(context: ActionContext, networkId: string): Promise<Place[]> {
  const peers = await context.trx
    .selectFrom('peers')
    .selectAll()
    .where('network_id', '=', networkId)
    .where('account_id', '=', context.accountId)
    .orderBy('id')
    .execute();
  if (peers.length === 0) return [];
  const machines = await context.trx
    .selectFrom('instances')
    .select(['id', 'hostname', 'addresses', 'observed_address'])
    .where('account_id', '=', context.accountId)
    .where('id', 'in', [...new Set(peers.map((peer) => peer.instance_id))])
    .execute();
  const machineOf = new Map(machines.map((machine) => [machine.id, machine]));
  return peers.map((peer) => {
    const machine = machineOf.get(peer.instance_id);
    const met = peer.endpoint === null ? null : parseEndpoint(peer.endpoint);
    return {
      peer,
      hostname: machine?.hostname ?? '',
      own: machine?.addresses ?? [],
      outer: [
        ...(machine?.observed_address == null ? [] : [machine.observed_address]),
        ...(met === null ? [] : [formatAddress(met.address)]),
      ],
    };
  });
}

/** No port mapping can be at an address that no other machine can call, even where the platform sees the hub there. */
export function refuseUncallable(address: string): void {
  const refusal = endpointRefusal(address);
  if (refusal === null) return;
  const message = `${address} is ${refusal.why}`;
  throw new ProductError(
    'validation_failed',
    `external_address: ${message}. Give an external address of a hub.`,
    { fields: [{ path: 'external_address', code: refusal.code, message }] },
  );
}

/** The hub that has the address. One that has it itself comes before one that is only met there. */
export function hubAt(places: readonly Place[], address: string): Place {
  const hubs = places.filter(({ peer }) => peer.hub_slot !== null);
  const found =
    hubs.find(({ own }) => own.includes(address)) ?? hubs.find(({ outer }) => outer.includes(address));
  if (found !== undefined) return found;
  const spoke = places.find(({ own, outer }) => [...own, ...outer].includes(address));
  const why =
    spoke === undefined
      ? `no hub of this network has ${address}`
      : `${address} is an address of "${spoke.hostname}", which is a spoke; port mappings are on hubs (powernode peer update --publicly-reachable makes it one)`;
  throw new ProductError('conflict', `external_address: ${why}. ${hubsInWords(hubs)}`, {
    fields: [{ path: 'external_address', code: 'not_at_a_hub', message: why }],
    members: {
      hubs: hubs.slice(0, namedInErrorMax).map((hub) => ({
        hub_peer_id: hub.peer.id,
        hostname: hub.hostname,
        addresses: addressesOf(hub),
      })),
    },
  });
}

/** What is to be said of a port mapping whose hub does not have the address itself; null: it has it. */
export function addressNoteOf(place: Place, address: string): string | null {
  if (place.own.length === 0 || place.own.includes(address)) return null;
  return `The instance is reached at ${address} but does not have that address itself: NAT in front of it rewrites packets, so they may not reach this port mapping. Use one of its own addresses: ${place.own.slice(0, namedInErrorMax).join(', ')}.`;
}

function addressesOf({ own, outer }: Place): string[] {
  return [...new Set([...own, ...outer])].slice(0, namedInErrorMax);
}

function hubsInWords(hubs: readonly Place[]): string {
  if (hubs.length === 0) {
    return 'The network has no hub: attach an instance that is publicly reachable (powernode peer attach --publicly-reachable).';
  }
  const listed = hubs
    .slice(0, namedInErrorMax)
    .map((hub) => `${hub.hostname}: ${addressesOf(hub).join(', ') || 'none known'}`);
  return `Addresses of its hubs: ${listed.join('; ')}.`;
}

export interface ExternalPort {
  readonly instanceId: string;
  readonly hostname: string;
  readonly address: string;
  readonly port: number;
  readonly protocol: 'tcp' | 'udp';
  /** The mapping that it is for; null: a new one. */
  readonly mappingId: string | null;
}

/** Refuses an external port that is taken on the machine, in whichever network. */
export async function refuseTakenPort(context: ActionContext, mapping: ExternalPort): Promise<void> {
  const other = await context.trx
    .selectFrom('port_mappings')
    .select(['id', 'network_id'])
    .where('hub_instance_id', '=', mapping.instanceId)
    .where('external_address', '=', mapping.address)
    .where('protocol', '=', mapping.protocol)
    .where('external_port', '=', mapping.port)
    .executeTakeFirst();
  if (other !== undefined && other.id !== mapping.mappingId) {
    throw taken(mapping, `is the port mapping ${other.id}`, { port_mapping_id: other.id });
  }
  if (mapping.protocol === 'tcp') {
    const listener = await platformListenerAt(context, mapping);
    if (listener !== null) throw taken(mapping, `is ${listener.what} of the platform itself`, {});
    return;
  }
  const tunnels = await tunnelPorts(context, { instanceId: mapping.instanceId, except: null });
  const use = tunnels.get(mapping.port);
  if (use !== undefined) throw taken(mapping, `is ${use}`, {});
}

/** What listens there, where the address is the platform's: as its machines reach it, or as it says that it is reached. */
async function platformListenerAt(
  context: ActionContext,
  mapping: ExternalPort,
): Promise<PlatformListener | null> {
  const { services, trx, accountId } = context;
  const listener = services
    .listeners()
    .find(({ address, port }) => port === mapping.port && (address === null || address === mapping.address));
  if (listener === undefined) return null;
  const known = [services.nodeUrl(), services.consoleUrl()].map((url) =>
    canonicalAddress(new URL(url).hostname.replace(/^\[|\]$/g, '')),
  );
  if (known.includes(mapping.address)) return listener;
  const reached = (await platformUnderlay(trx, accountId)).flatMap(({ facts }) => facts);
  return reached.some(({ at }) => withoutLength(at) === mapping.address) ? listener : null;
}

function taken(mapping: ExternalPort, by: string, members: Record<string, unknown>): ProductError {
  const where = `${mapping.protocol} port ${mapping.port} at ${mapping.address} of "${mapping.hostname}"`;
  return new ProductError('conflict', `external_port: ${where} ${by}. Choose another port.`, {
    fields: [{ path: 'external_port', code: 'taken', message: by }],
    members,
  });
}
