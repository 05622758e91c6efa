// The lab of examples/labs/services.yaml as tests and benchmarks use it: which way packets go in it, and how everything
// comes to rest again after something was broken.
import path from 'node:path';
import { autonomyActions } from '@powernode/core/actions/autonomy';
import { fleetActions } from '@powernode/core/actions/fleet';
import { sdwanActions } from '@powernode/core/actions/sdwan';
import { ProductError } from '@powernode/core/errors';
import type { PolicyMode } from '@powernode/core/intent/autonomy';
import type { Peer, Topology } from '@powernode/core/intent/peer';
import { pageSizeMax } from '@powernode/core/limits/requests';
import type { ProbedPath } from '../fleet/agent.ts';
import type { Call } from '../fleet/api.ts';
import { checkout } from '../fleet/programs.ts';
import { type Lab, upFile } from '../lab.ts';
import { waitFor } from '../stage/process.ts';
import { hubBehind } from './ways.ts';

export const hubs = ['hub1', 'hub2', 'hub3'] as const;
export const spokes = ['server1', 'server2', 'edge1', 'edge2', 'edge3', 'office1', 'office2'] as const;
/** Every machine of the overlay. */
export const members = [...hubs, ...spokes] as const;

const limitMs = 180_000;
/** Routes follow a path within this. */
const restMs = 1500;
const pollMs = 200;
/** A look costs a process. */
const pathsPollMs = 1000;

/** A flow between two spokes that goes through one hub both ways. */
export interface HubFlow {
  readonly from: string;
  readonly to: string;
  readonly hub: string;
  readonly address: string;
}

export class Services {
  readonly lab: Lab;
  readonly call: Call;
  readonly networkId: string;

  private constructor(parts: { readonly lab: Lab; readonly call: Call; readonly networkId: string }) {
    this.lab = parts.lab;
    this.call = parts.call;
    this.networkId = parts.networkId;
  }

  /** Brings the lab up under a name of its own. */
  static async up(name: string, report: (line: string) => void = () => undefined): Promise<Services> {
    const lab = await upFile(path.join(checkout, 'examples/labs/services.yaml'), { name, report });
    const call = await lab.platform('main');
    const { networks } = await call(sdwanActions.listNetworks, {});
    return new Services({ lab, call, networkId: networks[0]?.id ?? '' });
  }

  async peers(): Promise<Map<string, Peer>> {
    const { peers } = await this.call(sdwanActions.listPeers, {
      network_id: this.networkId,
      limit: pageSizeMax,
    });
    return new Map(peers.map((peer) => [peer.hostname, peer]));
  }

  async peer(host: string): Promise<Peer> {
    const peer = (await this.peers()).get(host);
    if (peer === undefined) throw new ProductError('not_found', `${host} is in no network`);
    return peer;
  }

  async topology(): Promise<Topology> {
    return (await this.call(sdwanActions.getTopology, { network_id: this.networkId })).topology;
  }

  /** The hub through which a spoke would send to an address now; null: without one. */
  async hubTowards(from: string, address: string): Promise<string | null> {
    const device = await this.lab.wayTo(from, address);
    const [topology, peers] = [await this.topology(), await this.peers()];
    return hubBehind({ topology, peers, from, device });
  }

  /** Two spokes between which packets go through the same hub both ways. One of them has to be behind a symmetric
   * NAT, or they would meet without a hub. */
  async flowThroughHub(): Promise<HubFlow> {
    const peers = await this.peers();
    for (const from of ['office1', 'office2']) {
      for (const to of spokes) {
        if (from === to) continue;
        const [source, address] = [peers.get(from)?.host_address ?? '', peers.get(to)?.host_address ?? ''];
        const [there, back] = [await this.hubTowards(from, address), await this.hubTowards(to, source)];
        if (there !== null && there === back) return { from, to, hub: there, address };
      }
    }
    throw new ProductError('conflict', 'no two spokes of the lab use the same hub both ways');
  }

  /** Everything runs, and everyone reaches everyone. */
  async healed(): Promise<void> {
    let instead = '';
    const wait = { limitMs, pollMs, instead: () => instead };
    await waitFor({ ...wait, what: 'every node to be in sync' }, async () => {
      const { instances } = await this.call(fleetActions.listInstances, { limit: pageSizeMax });
      const late = instances.filter((one) => !(one.connected && one.in_sync));
      instead = `${instances.length} nodes, and not ${late.map(({ hostname }) => hostname).join(', ')}`;
      return instances.length === members.length && late.length === 0;
    });
    await waitFor({ ...wait, what: 'everyone to reach everyone' }, async () => {
      const results = await this.lab.matrix();
      const lost = results.filter((pair) => pair.roundTripMs === null);
      instead = `of ${results.length} not ${lost.map(({ from, address }) => `${from} ${address}`).join(', ')}`;
      return results.length > 0 && lost.length === 0;
    });
  }

  /**
   * No path is held back any more either, and no route moves. A path that has died again and again is held back for up
   * to two minutes: whoever does not mind that a route moves waits for `healed`.
   */
  async atRest(): Promise<void> {
    await this.healed();
    // The oftener a path has died the longer it is held back, and what uses it by preference goes back to it then.
    for (const host of spokes) {
      await waitFor(
        { what: `the paths of ${host} to be trusted again`, limitMs, pollMs: pathsPollMs },
        async () => {
          const paths = await this.lab.probedPaths(host);
          const isSettled = ({ purpose, state }: ProbedPath) =>
            state === 'alive' || (purpose === 'direct' && state !== 'returning');
          return paths.length > 0 && paths.every(isSettled);
        },
      );
    }
    const watches = await Promise.all(spokes.map((host) => this.lab.watchRoutes(host)));
    try {
      const count = () => watches.reduce((sum, watch) => sum + watch.changes.length, 0);
      let [seen, sinceMs] = [count(), performance.now()];
      await waitFor({ what: 'routes to rest', limitMs, pollMs }, () => {
        if (count() !== seen) [seen, sinceMs] = [count(), performance.now()];
        return performance.now() - sinceMs > restMs;
      });
    } finally {
      await Promise.all(watches.map((watch) => watch.stop()));
    }
  }

  /** What is done about a virtual IP whose holder is dead. */
  async setFailoverPolicy(mode: PolicyMode): Promise<void> {
    await this.call(autonomyActions.setPolicy, {
      category: 'system.sdwan_vip_failover',
      mode,
      approve: true,
    });
  }
}
