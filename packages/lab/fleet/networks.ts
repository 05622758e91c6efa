// The overlays of a lab: created, and their hosts attached, through the platform's public API only. What is
// there already is left as it is, so that it may be done again after half of it.
import { fleetActions } from '@powernode/core/actions/fleet';
import { sdwanActions } from '@powernode/core/actions/sdwan';
import { ProductError } from '@powernode/core/errors';
import { labConnectedMs } from '@powernode/core/limits/lab';
import { pageSizeMax } from '@powernode/core/limits/requests';
import { hostOf, type LabPlan, type NetworkPlan } from '../plan/plan.ts';
import { logTail } from '../stage/folder.ts';
import { waitFor } from '../stage/process.ts';
import { agentLog, findAgent } from './agent.ts';
import { type Call, RefusedError } from './api.ts';

export interface NetworkPlace {
  readonly plan: LabPlan;
  readonly network: NetworkPlan;
  readonly call: Call;
  /** Which instance each host is. */
  readonly instances: Readonly<Record<string, string>>;
  readonly report: (line: string) => void;
}

/** Creates the network if there is none of its name, and attaches its hosts, hubs first. */
export async function setUpNetwork(place: NetworkPlace): Promise<void> {
  const id = await ensureNetwork(place);
  const attached = new Set((await listPeers(place.call, id)).map((peer) => peer.node_instance_id));
  const byRole = [...place.network.hosts].sort((a, b) => rank(place.plan, a) - rank(place.plan, b));
  for (const name of byRole) {
    const instance = instanceId(place, name);
    if (attached.has(instance)) continue;
    const host = hostOf(place.plan, name);
    await waitForKeys(place, { name, instance });
    await place.call(sdwanActions.attachPeer, {
      network_id: id,
      node_instance_id: instance,
      publicly_reachable: host.role === 'hub',
      ...(host.tags.length > 0 ? { tags: [...host.tags] } : {}),
    });
  }
  place.report(`network ${place.network.name}: ${byRole.length} hosts attached`);
}

/** Hubs first: a first handshake that meets no peer is tried again only after 5 s. */
function rank(plan: LabPlan, host: string): number {
  return hostOf(plan, host).role === 'hub' ? 0 : 1;
}

function instanceId(place: NetworkPlace, host: string): string {
  const instance = place.instances[host];
  if (instance === undefined) throw new ProductError('conflict', `host ${host} has not joined`);
  return instance;
}

async function ensureNetwork({ call, network }: NetworkPlace): Promise<string> {
  const found = await call(sdwanActions.listNetworks, { name: network.name });
  const existing = found.networks[0];
  if (existing !== undefined) return existing.id;
  const made = await call(sdwanActions.createNetwork, { ...network.settings, name: network.name });
  return made.network.id;
}

/** A peer gets a key that its node has published; a fresh agent needs a moment for that. */
async function waitForKeys(place: NetworkPlace, host: { name: string; instance: string }): Promise<void> {
  const what = `${host.name} to connect and to publish keys`;
  await within(
    place,
    [host.name],
    waitFor({ what, limitMs: labConnectedMs }, async () => {
      requireAgents(place, [host.name]);
      const { instance } = await place.call(fleetActions.getInstance, { instance_id: host.instance });
      return instance.connected && instance.unused_keys > 0;
    }),
  );
}

/** Returns when every peer of the network has shaken hands. */
export async function waitConnected(place: NetworkPlace): Promise<void> {
  const id = await ensureNetwork(place);
  let waiting: readonly string[] = place.network.hosts;
  let shown = -1;
  const what = `all peers of network ${place.network.name} to be connected`;
  await within(
    place,
    () => waiting,
    waitFor({ what, limitMs: labConnectedMs }, async () => {
      const peers = await listPeers(place.call, id);
      const connected = peers.filter((peer) => peer.status === 'connected');
      if (connected.length !== shown) {
        shown = connected.length;
        place.report(`network ${place.network.name}: ${shown} of ${place.network.hosts.length} connected`);
      }
      const names = new Set(connected.map((peer) => nameOf(place, peer.node_instance_id)));
      waiting = place.network.hosts.filter((host) => !names.has(host));
      requireAgents(place, waiting);
      return waiting.length === 0;
    }),
  );
}

/** What is waited for never comes from an agent that has ended. */
function requireAgents({ plan }: NetworkPlace, hosts: readonly string[]): void {
  const ended = hosts.filter((name) => findAgent({ plan, name }) === null);
  if (ended.length === 0) return;
  throw new ProductError('command_failed', `the agent of ${ended.join(', ')} has ended`);
}

function nameOf(place: NetworkPlace, instance: string): string | undefined {
  return Object.entries(place.instances).find(([, id]) => id === instance)?.[0];
}

/** A wait that fails shows the logs of the hosts that it waited for. */
async function within<T>(
  place: NetworkPlace,
  hosts: readonly string[] | (() => readonly string[]),
  wait: Promise<T>,
): Promise<T> {
  return wait.catch(async (error: unknown) => {
    if (!(error instanceof ProductError) || error instanceof RefusedError) throw error;
    const names = typeof hosts === 'function' ? hosts() : hosts;
    const tails = names.slice(0, 3).map((name) => logTail(agentLog({ plan: place.plan, name })));
    throw new ProductError(
      error.code,
      `${error.detail} (missing: ${names.join(', ')})\n${(await Promise.all(tails)).join('\n')}`,
      { cause: error },
    );
  });
}

async function listPeers(call: Call, network: string) {
  const { peers } = await call(sdwanActions.listPeers, { network_id: network, limit: pageSizeMax });
  return peers;
}
