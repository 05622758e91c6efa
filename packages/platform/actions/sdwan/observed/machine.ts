// A machine was seen elsewhere than before: what follows from it for its peers. Where a hub is met follows the machine;
// what a peer is (hub or spoke) does not: a change of that is proposed, with what was seen (peers/role-change.ts). An IPv4 prefix that
// covers its surroundings is withdrawn (ipv4-prefix.ts), slices of pods follow what its clusters have (pods/follow.ts), and a
// machine without FRR is met by static routes (routing-daemon.ts).
import type { ObservedMachine } from '../../../deliver/reports/arrival.ts';
import type { ActionContext } from '../../context.ts';
import { overlayPrefixes } from '../peers/endpoint-checks.ts';
import { knownOf } from '../peers/endpoints.ts';
import { proposeRoles } from '../peers/role-change.ts';
import { writePeer } from '../peers/write-peer.ts';
import { followSlices } from '../pods/follow.ts';
import { reachOf } from '../reachability/reach.ts';
import { type InstanceRow, type PeerRow } from '../rows.ts';
import { followIpv4Prefixes } from './ipv4-prefix.ts';
import { followRoutingDaemon } from './routing-daemon.ts';

/** Writes what follows, and answers in how long to look again, or null. Runs inside the account's scope. */
export async function followObservation(context: ActionContext, machine: Machine): Promise<number | null> {
  if ((await moved(context, machine)).length > 0) {
    // Read again under the account's lock: somebody may have changed them meanwhile.
    await context.lock();
    for (const { peer, reach } of await moved(context, machine)) {
      const fallback_endpoints = JSON.stringify(reach.fallback_endpoints);
      await writePeer(context, peer, { endpoint: reach.endpoint, fallback_endpoints });
    }
  }
  const waits = [
    await followIpv4Prefixes(context, machine.instanceId),
    await followRoutingDaemon(context, machine.instanceId),
    await followSlices(context, machine.instanceId),
    await proposeRoles(context, machine.instanceId),
  ].filter((waitMs) => waitMs !== null);
  return waits.length === 0 ? null : Math.min(...waits);
}

type Machine = Pick<ObservedMachine, 'instanceId'>;
type Columns = Pick<PeerRow, 'endpoint' | 'fallback_endpoints'>;

/** Peers of the machine that are met elsewhere now. */
async function moved(
  context: ActionContext,
  machine: Machine,
): Promise<{ readonly peer: PeerRow; readonly reach: Columns }[]> {
  const instance = await context.trx
    .selectFrom('instances')
    .selectAll()
    .where('account_id', '=', context.accountId)
    .where('id', '=', machine.instanceId)
    .where('terminated_at', 'is', null)
    .executeTakeFirst();
  if (instance === undefined) return [];
  const peers = await context.trx
    .selectFrom('peers')
    .selectAll()
    .where('account_id', '=', context.accountId)
    .where('instance_id', '=', instance.id)
    .orderBy('id')
    .execute();
  const overlays = await overlayPrefixes(context.trx, context.accountId);
  return peers.flatMap((peer) => {
    const reach = reachNow(peer, { instance, overlays });
    const same =
      reach.endpoint === peer.endpoint && reach.fallback_endpoints.join() === peer.fallback_endpoints.join();
    return same ? [] : [{ peer, reach }];
  });
}

function reachNow(
  peer: PeerRow,
  at: { readonly instance: InstanceRow; readonly overlays: Parameters<typeof reachOf>[0]['overlays'] },
): Columns {
  const { instance, overlays } = at;
  const hub = peer.hub_slot !== null;
  // A detected hub that is behind a NAT now: others go on calling where it was, until its operator decides.
  const isLost = hub && peer.publicly_reachable === null && !instance.publicly_reachable;
  if (isLost && peer.endpoint_addresses.length === 0) return peer;
  const { endpoint, fallbacks } = reachOf({
    hub,
    endpointAddresses: peer.endpoint_addresses,
    listenPort: peer.listen_port,
    observedAddress: instance.observed_address,
    listed: instance.addresses,
    known: knownOf(peer),
    overlays,
  });
  return { endpoint, fallback_endpoints: [...fallbacks] };
}
