// Who reaches whom in a network, for one protocol and port: explain's verdict for every pair.
import type { ReachabilityMatrix } from '../intent/reachability.ts';
import { matrixNodesMax } from '../limits/overlay.ts';
import type { Asked } from './ends.ts';
import { explain, type Question } from './reachability.ts';
import type { Sight } from './sight.ts';
import type { Answer } from './trail.ts';
import type { InUse } from './walk.ts';

export type MatrixNode = Omit<ReachabilityMatrix['nodes'][number], 'name'>;
export type MatrixRow = ReachabilityMatrix['rows'][number];

/** Peers, then devices, then virtual IPs, as many as are shown. */
export function matrixNodes({ network }: Sight): {
  readonly nodes: MatrixNode[];
  readonly truncated: boolean;
} {
  const nodes: MatrixNode[] = Array.from(network.peers(), ({ id }) => ({ kind: 'peer', id }));
  const items = [...network.items()];
  for (const kind of ['user_device', 'virtual_ip'] as const) {
    for (const item of items) if (item.type === kind) nodes.push({ kind, id: item.id });
  }
  return { nodes: nodes.slice(0, matrixNodesMax), truncated: nodes.length > matrixNodesMax };
}

/** Row by row, with rests (null) where whoever shows it can do other work. Virtual IPs send nothing. */
export function* matrixRows(
  sight: Sight,
  nodes: readonly MatrixNode[],
  traffic: Pick<Question, 'protocol' | 'port'>,
  inUse?: InUse,
): Generator<MatrixRow | null> {
  for (const { kind, id } of nodes) {
    if (kind !== 'peer') continue;
    sight.node(id);
    yield null;
  }
  for (const source of nodes) {
    if (source.kind === 'virtual_ip') continue;
    const verdicts = nodes.map((destination) => {
      if (destination === source) return '-';
      const question: Question = { source: asked(source), destination: asked(destination), ...traffic };
      return letterOf(explain({ sight, nameOf: null, ...(inUse === undefined ? {} : { inUse }) }, question));
    });
    yield { id: source.id, verdicts: verdicts.join('') };
  }
}

function asked({ kind, id }: MatrixNode): Asked {
  return { kind, id };
}

function letterOf({ verdict, isUnreachable }: Answer): string {
  return isUnreachable ? 'u' : { allowed: 'a', denied: 'd', no_route: 'n' }[verdict];
}
