// Handler: who reaches whom in a network.
import type { NetworkIndex } from '@powernode/core/compile/network-index';
import { type MatrixNode, type MatrixRow, matrixNodes, matrixRows } from '@powernode/core/explain/matrix';
import { Sight } from '@powernode/core/explain/sight';
import type { Handler } from '../../context.ts';
import { refusePortOfIcmp } from './explain.ts';
import { loadedNetwork } from './loaded-network.ts';
import { withNames } from './names.ts';
import { inSlices } from './slices.ts';

export const getReachabilityMatrix: Handler<'getReachabilityMatrix'> = async (context, input) => {
  const index = await loadedNetwork(context, input.network_id);
  refusePortOfIcmp(input);
  const { protocol, port = null } = input;
  const { nodes, truncated, rows } = await atOneMoment(index, { protocol, port });
  const named = await withNames(context, (nameOf) =>
    nodes.map((node) => ({ ...node, name: nameOf({ type: node.kind, id: node.id }) })),
  );
  return { matrix: { network_id: input.network_id, protocol, port, nodes: named, rows, truncated } };
};

interface Matrix {
  readonly nodes: readonly MatrixNode[];
  readonly truncated: boolean;
  readonly rows: MatrixRow[];
}

/** Again, when the network has changed meanwhile; not for ever, because some networks change all the time. */
async function atOneMoment(index: NetworkIndex, traffic: Parameters<typeof matrixRows>[2]): Promise<Matrix> {
  for (let left = triesMax; ; left--) {
    const sight = new Sight(index);
    const { nodes, truncated } = matrixNodes(sight);
    const before = digestOf(index, nodes);
    const rows = await inSlices(matrixRows(sight, nodes, traffic));
    if (left <= 1 || digestOf(index, nodes) === before) return { nodes, truncated, rows };
  }
}

const triesMax = 3;

function digestOf(index: NetworkIndex, nodes: readonly MatrixNode[]): string {
  const digests = nodes.map(({ id }) => index.digest(index.peer(id)?.instanceId ?? ''));
  return digests.join(' ');
}
