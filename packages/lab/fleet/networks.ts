// The overlays of a lab: created, and their hosts attached, through the platform's public API only. What is
// there already is left as it is, so that it may be done again after half of it.
import type { OutputOf } from '@powernode/core/actions/define';
import { fleetActions } from '@powernode/core/actions/fleet';
import { routingActions } from '@powernode/core/actions/routing';
import { sdwanActions } from '@powernode/core/actions/sdwan';
import { subnetActions } from '@powernode/core/actions/subnets';
import { ProductError } from '@powernode/core/errors';
import type { BgpSession } from '@powernode/core/intent/bgp';
import type { Network } from '@powernode/core/intent/network';
import type { Peer } from '@powernode/core/intent/peer';
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

/** Creates the network if there is none of its name, attaches its hosts, hubs first, and declares the LANs behind them. */
export async function setUpNetwork(place: NetworkPlace): Promise<void> {
  const { id } = await ensureNetwork(place);
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
  await declareLans(place, await listPeers(place.call, id));
}

/** Only of peers that have none: what an operator has changed stays. */
async function declareLans(place: NetworkPlace, peers: readonly Peer[]): Promise<void> {
  const byHost = Map.groupBy(place.network.lans, ({ host }) => host);
  for (const [host, lans] of byHost) {
    const instance = instanceId(place, host);
    const peer = peers.find(({ node_instance_id }) => node_instance_id === instance);
    if (peer === undefined || peer.lan_subnets.length > 0) continue;
    const subnets = lans.flatMap((one) => one.subnets.map((subnet) => ({ ...subnet })));
    await place.call(subnetActions.declareLanSubnets, { peer_id: peer.id, subnets });
  }
  if (byHost.size > 0)
    place.report(`network ${place.network.name}: LANs behind ${byHost.size} hosts declared`);
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

async function ensureNetwork({ call, network }: NetworkPlace): Promise<Network> {
  const found = await call(sdwanActions.listNetworks, { name: network.name });
  const existing = found.networks[0];
  if (existing !== undefined) return existing;
  const made = await call(sdwanActions.createNetwork, { ...network.settings, name: network.name });
  return made.network;
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

/** Returns when every peer of the network has shaken hands and, where it uses iBGP, every session is established. */
export async function waitConnected(place: NetworkPlace): Promise<void> {
  const { id, routing_mode } = await ensureNetwork(place);
  await waitForHandshakes(place, id);
  if (routing_mode === 'ibgp') await waitForSessions(place, id);
}

/** Peers without FRR route statically, which is said; sessions with them are not waited for. */
async function waitForSessions(place: NetworkPlace, id: string): Promise<void> {
  const { call, network, report } = place;
  const what = `all BGP sessions of network ${network.name} to be established`;
  let instead = '';
  await waitFor({ what, limitMs: labConnectedMs, instead: () => instead }, async () => {
    const without = (await listPeers(call, id)).filter(
      ({ problem }) => problem?.code === 'routing_daemon_missing',
    );
    const isWithout = (hostname: string) => without.some((peer) => peer.hostname === hostname);
    const sessions = (await allSessions(call, id)).filter(
      ({ hostname, neighbor_hostname: neighbor }) => !isWithout(hostname) && !isWithout(neighbor),
    );
    const missing = sessions.filter(({ state }) => state !== 'Established');
    const named = missing
      .slice(0, 3)
      .map((one) => `${one.hostname} to ${one.neighbor_hostname} is ${one.state}`);
    instead = `${sessions.length - missing.length} of ${sessions.length}; ${named.join(', ')}`;
    if (missing.length > 0) return false;
    for (const { hostname, problem } of without) {
      const where = sessions.length === 0 ? 'its routes are static' : `routes at ${hostname} are static`;
      report(`network ${network.name}: ${where}. ${hostname}: ${problem?.detail}`);
    }
    return sessions.length + without.length > 0;
  });
}

async function allSessions(call: Call, network: string): Promise<BgpSession[]> {
  const sessions: BgpSession[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const page: OutputOf<typeof routingActions.getBgpSessions> = await call(routingActions.getBgpSessions, {
      network_id: network,
      limit: pageSizeMax,
      ...(cursor === '' ? {} : { cursor }),
    });
    sessions.push(...page.sessions);
    cursor = page.next_cursor;
  }
  return sessions;
}

async function waitForHandshakes(place: NetworkPlace, id: string): Promise<void> {
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
