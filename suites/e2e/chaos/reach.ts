// Who must reach whom, by the promise of the topology and not by the compiler's rules; and whether they do.
import type { PeerModel } from '@powernode/core/compile/model';
import type { Lab } from '../../../packages/lab/lab.ts';
import type { NetworkRows, Rows } from './rows.ts';

export interface ExpectedPair {
  readonly from: string;
  readonly to: string;
  readonly address: string;
}

/** Every ordered pair of hosts with a way between them in a network. `hosts`: the host of each instance. */
export function expectedPairs(rows: Rows, hosts: ReadonlyMap<string, string>): ExpectedPair[] {
  return rows.networks.flatMap((network) =>
    network.peers.flatMap((from) =>
      network.peers
        .filter((to) => to.id !== from.id && hasWay(network, from, to))
        .map((to) => ({
          from: hosts.get(from.instanceId) ?? '',
          to: hosts.get(to.instanceId) ?? '',
          address: to.hostAddress,
        })),
    ),
  );
}

/** A hub can be called by everyone, and any hub joins any two; in a full mesh whoever can be called is met directly. */
function hasWay({ network, peers }: NetworkRows, a: PeerModel, b: PeerModel): boolean {
  if (peers.some((peer) => peer.hubSlot !== null && peer.endpoint !== null)) return true;
  return network.topologyStrategy === 'full_mesh' && (a.endpoint !== null || b.endpoint !== null);
}

/** Pings each pair, hosts beside each other; answers those without an answer. */
export async function silentPairs(lab: Lab, pairs: readonly ExpectedPair[]): Promise<ExpectedPair[]> {
  const rows = await Promise.all(
    [...Map.groupBy(pairs, (pair) => pair.from).values()].map(async (row) => {
      const silent: ExpectedPair[] = [];
      for (const pair of row) if (!(await answers(lab, pair))) silent.push(pair);
      return silent;
    }),
  );
  return rows.flat();
}

async function answers(lab: Lab, { from, address }: ExpectedPair): Promise<boolean> {
  const args = ['-n', '-c', '1', '-w', '2', '-W', '1', '-i', '0.5', address];
  return (await lab.exec(from, { program: 'ping', args })).exitCode === 0;
}
