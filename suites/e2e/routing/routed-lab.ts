// The lab of examples/labs/routing.yaml as its tests use it: who sends where in it, and how it comes to rest.
import path from 'node:path';
import { fleetActions } from '@powernode/core/actions/fleet';
import { routingActions } from '@powernode/core/actions/routing';
import { sdwanActions } from '@powernode/core/actions/sdwan';
import { ProductError } from '@powernode/core/errors';
import type { BgpSession } from '@powernode/core/intent/bgp';
import type { Peer } from '@powernode/core/intent/peer';
import { pageSizeMax } from '@powernode/core/limits/requests';
import type { Call } from '../../../packages/lab/fleet/api.ts';
import { checkout } from '../../../packages/lab/fleet/programs.ts';
import { type Lab, upFile } from '../../../packages/lab/lab.ts';
import { lanPairs, type PingPair } from '../../../packages/lab/plan/lan-pairs.ts';
import { waitFor } from '../../../packages/lab/stage/process.ts';
import { hubBehind } from '../../../packages/lab/testing/ways.ts';

export const hubs = ['hub1', 'hub2'] as const;
export const edges = ['edge1', 'edge2', 'edge3', 'edge4', 'edge5'] as const;
export const members = [...hubs, ...edges] as const;
export type Family = 4 | 6;
export const routingFile = path.join(checkout, 'examples/labs/routing.yaml');

const limitMs = 120_000;
const pollMs = 200;

export class RoutedLab {
  readonly lab: Lab;
  readonly call: Call;
  readonly networkId: string;
  readonly #leaf: string;

  private constructor(parts: { lab: Lab; call: Call; networkId: string; leaf: string }) {
    this.lab = parts.lab;
    this.call = parts.call;
    this.networkId = parts.networkId;
    this.#leaf = parts.leaf;
  }

  /** Brings the lab up under a name of its own. */
  static async up(name: string, report: (line: string) => void): Promise<RoutedLab> {
    const lab = await upFile(routingFile, { name, report });
    const call = await lab.platform('main');
    const { networks } = await call(sdwanActions.listNetworks, {});
    const [network] = networks;
    if (network === undefined) throw new ProductError('not_found', 'the lab has no network');
    return new RoutedLab({ lab, call, networkId: network.id, leaf: `wg-${network.handle}` });
  }

  async peers(): Promise<Map<string, Peer>> {
    const { peers } = await this.call(sdwanActions.listPeers, {
      network_id: this.networkId,
      limit: pageSizeMax,
    });
    return new Map(peers.map((peer) => [peer.hostname, peer]));
  }

  /** The address of a host in the LAN that it is in. */
  lanAddress(host: string, family: Family): string {
    const wire = this.lab.plan.hosts.find(({ name }) => name === host)?.attachments.at(-1);
    const address = family === 4 ? wire?.address4 : wire?.address6;
    if (address == null) throw new ProductError('not_found', `${host} has no IPv${family} address`);
    return address;
  }

  /** Each end of each session, by `<peer> <neighbor>`. */
  async sessions(): Promise<Map<string, BgpSession>> {
    const { sessions } = await this.call(routingActions.getBgpSessions, {
      network_id: this.networkId,
      limit: pageSizeMax,
    });
    return new Map(sessions.map((one) => [`${one.hostname} ${one.neighbor_hostname}`, one]));
  }

  /** Every peer of the network has every session that it is to have. */
  async established(): Promise<void> {
    let instead = '';
    const wait = { what: 'all BGP sessions to be established', limitMs, pollMs, instead: () => instead };
    await waitFor(wait, async () => {
      const sessions = [...(await this.sessions())];
      const missing = sessions.filter(([, { state }]) => state !== 'Established');
      instead = missing.map(([ends, one]) => `${ends}: ${one.state} (${one.last_error})`).join(', ');
      return sessions.length > 0 && missing.length === 0;
    });
  }

  /** Every node has what the platform wants. */
  async inSync(): Promise<void> {
    let instead = '';
    const wait = { what: 'every node to be in sync', limitMs, pollMs: 50, instead: () => instead };
    await waitFor(wait, async () => {
      const { instances } = await this.call(fleetActions.listInstances, { limit: pageSizeMax });
      const late = instances.filter((one) => !(one.connected && one.in_sync));
      instead = late.map(({ hostname }) => hostname).join(', ');
      return late.length === 0;
    });
  }

  /** The pairs of hosts in LANs, each by its addresses of both families. */
  get pairs(): readonly PingPair[] {
    return lanPairs(this.lab.plan);
  }

  /** Every host of a LAN, and every peer, reaches every other one. */
  async reachable(): Promise<void> {
    let instead = '';
    const wait = { what: 'everyone to reach everyone', limitMs, pollMs, instead: () => instead };
    await waitFor(wait, async () => {
      const results = await this.lab.matrix();
      const lost = results.filter(({ roundTripMs }) => roundTripMs === null);
      instead = `of ${results.length} not ${lost.map(({ from, to, address }) => `${from} ${to} (${address})`).join(', ')}`;
      return results.length > this.pairs.length && lost.length === 0;
    });
  }

  /** Everything runs, and everyone reaches everyone. */
  async healed(): Promise<void> {
    await this.inSync();
    await this.established();
    await this.reachable();
  }

  /** Whether an edge would send to an address without a hub. */
  async isDirect(edge: string, address: string): Promise<boolean> {
    return (await this.lab.wayTo(edge, address)) === this.#leaf;
  }

  /** The hub through which an edge would send to an address now; null: none. */
  async hubTowards(edge: string, address: string): Promise<string | null> {
    return (await this.hubsTowards([{ edge, address }]))[0] ?? null;
  }

  /** The same of several edges and addresses. */
  async hubsTowards(
    ways: readonly { readonly edge: string; readonly address: string }[],
  ): Promise<(string | null)[]> {
    const { topology } = await this.call(sdwanActions.getTopology, { network_id: this.networkId });
    const peers = await this.peers();
    return Promise.all(
      ways.map(async ({ edge, address }) => {
        const device = await this.lab.wayTo(edge, address);
        return hubBehind({ topology, peers, from: edge, device });
      }),
    );
  }

  /**
   * The edge to which a hub would send what is for each prefix: WireGuard takes it from that one alone. An edge is known by
   * its overlay address beside the prefix.
   */
  async holdersAt(hub: string, peers: ReadonlyMap<string, Peer>): Promise<Map<string, string>> {
    const command = { program: 'wg', args: ['show', this.#leaf, 'allowed-ips'] };
    const { stdout } = await this.lab.exec(hub, command);
    const holders = new Map<string, string>();
    for (const line of stdout.split('\n')) {
      const [, ...prefixes] = line.split(/\s+/);
      const holder = [...peers.values()].find((one) => prefixes.includes(`${one.host_address}/128`));
      if (holder !== undefined) for (const prefix of prefixes) holders.set(prefix, holder.hostname);
    }
    return holders;
  }

  /** What the bgpd of a host runs; empty: it runs none. */
  async runningConfig(host: string): Promise<string> {
    const show = `cd /run/powernode-frr/*/bgpd-${this.networkId} && exec vtysh --vty_socket "$PWD" -d bgpd -c 'show running-config'`;
    const { exitCode, stdout } = await this.lab.exec(host, { program: 'sh', args: ['-c', show] });
    return exitCode === 0 ? stdout : '';
  }
}
