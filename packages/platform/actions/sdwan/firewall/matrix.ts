// Handler: who reaches whom in a network.
import type { NetworkIndex } from '@powernode/core/compile/network-index';
import type { InUse } from '@powernode/core/explain/lan-path';
import { type MatrixNode, type MatrixRow, matrixNodes, matrixRows } from '@powernode/core/explain/matrix';
import { type LiveState, NetworkSnapshot } from '@powernode/core/explain/network-snapshot';
import type { Handler } from '../../context.ts';
import { problemsOfPeers } from '../../fleet/problems.ts';
import { bestOf } from '../routing/best-of.ts';
import { interfacesInUse, presenceOf, refusePortOfIcmp, withdrawnBy } from './explain.ts';
import { loadedNetwork } from './loaded-network.ts';
import { namesOf } from './names.ts';
import { inSlices } from './slices.ts';

export const getReachabilityMatrix: Handler<'getReachabilityMatrix'> = async (context, input) => {
  const index = await loadedNetwork(context, input.network_id);
  refusePortOfIcmp(input);
  const { protocol, port = null } = input;
  const problems = await problemsOfPeers(context, index.network.id);
  const best = await bestOf(context, index.network.id);
  const live: LiveState = {
    problemsOf: (peerId) => problems.get(peerId) ?? [],
    withdrawnBy: await withdrawnBy(context, index.network.id),
    presenceOf: presenceOf(context),
    ...(best === undefined ? {} : { bestOf: best }),
  };
  const inUse = interfacesInUse(context, index);
  const { nodes, truncated, rows } = await atOneMoment({ index, live, inUse }, { protocol, port });
  const objects = nodes.map(({ kind: type, id }) => ({ type, id }));
  const nameOf = await namesOf(context, objects);
  const named = nodes.map((node) => ({ ...node, name: nameOf({ type: node.kind, id: node.id }) }));
  return { matrix: { network_id: input.network_id, protocol, port, nodes: named, rows, truncated } };
};

interface Matrix {
  readonly nodes: readonly MatrixNode[];
  readonly truncated: boolean;
  readonly rows: MatrixRow[];
}

/** Again, when the network has changed meanwhile; not for ever, because some networks change all the time. */
async function atOneMoment(
  { index, live, inUse }: { readonly index: NetworkIndex; readonly live: LiveState; readonly inUse: InUse },
  traffic: Parameters<typeof matrixRows>[2],
): Promise<Matrix> {
  for (let left = triesMax; ; left--) {
    const snapshot = new NetworkSnapshot(index, live);
    const { nodes, truncated } = matrixNodes(snapshot);
    const before = digestOf(index, nodes);
    const rows = await inSlices(matrixRows(snapshot, nodes, traffic, inUse));
    if (left <= 1 || digestOf(index, nodes) === before) return { nodes, truncated, rows };
  }
}

const triesMax = 3;

function digestOf(index: NetworkIndex, nodes: readonly MatrixNode[]): string {
  const digests = nodes.map(({ id }) => {
    const peer = index.peer(id);
    return peer === undefined ? 'gone' : index.digest(peer.instanceId);
  });
  return digests.join(' ');
}
