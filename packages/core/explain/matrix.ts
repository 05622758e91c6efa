// Who reaches whom in a network, for one protocol and port: explain's verdict for every pair.
import type { ReachabilityMatrix } from '../intent/reachability.ts';
import { matrixNodesMax } from '../limits/overlay.ts';
import { firstAddressIn } from '../net/prefix.ts';
import type { QuestionEnd } from './ends.ts';
import type { InUse } from './lan-path.ts';
import { type NetworkSnapshot, subnetsByPrefix } from './network-snapshot.ts';
import { explain, type Question } from './reachability.ts';
import type { Answer } from './trace.ts';

export type MatrixNode = Omit<ReachabilityMatrix['nodes'][number], 'name'>;
export type MatrixRow = ReachabilityMatrix['rows'][number];

/** Peers, then devices, then virtual IPs, then prefixes behind peers, as many as are shown. */
export function matrixNodes({ network }: NetworkSnapshot): {
  readonly nodes: MatrixNode[];
  readonly truncated: boolean;
} {
  const nodes: MatrixNode[] = Array.from(network.peers(), ({ id }) => ({ kind: 'peer', id }));
  const items = [...network.items()];
  for (const kind of ['user_device', 'virtual_ip'] as const) {
    for (const item of items) if (item.type === kind) nodes.push({ kind, id: item.id });
  }
  for (const [first] of subnetsByPrefix(network).values()) {
    if (first !== undefined) nodes.push({ kind: 'subnet_advertisement', id: first.id });
  }
  return { nodes: nodes.slice(0, matrixNodesMax), truncated: nodes.length > matrixNodesMax };
}

/** Row by row, with pauses (null) at which other work can run. Virtual IPs send nothing. */
export function* matrixRows(
  snapshot: NetworkSnapshot,
  nodes: readonly MatrixNode[],
  traffic: Pick<Question, 'protocol' | 'port'>,
  inUse?: InUse,
): Generator<MatrixRow | null> {
  for (const { kind, id } of nodes) {
    if (kind !== 'peer') continue;
    snapshot.node(id);
    yield null;
  }
  for (const source of nodes) {
    if (source.kind === 'virtual_ip') continue;
    const verdicts = nodes.map((destination) => {
      if (destination === source) return '-';
      const question: Question = {
        source: asked(snapshot, source),
        destination: asked(snapshot, destination),
        ...traffic,
      };
      return letterOf(
        explain({ snapshot, nameOf: null, ...(inUse === undefined ? {} : { inUse }) }, question),
      );
    });
    yield { id: source.id, verdicts: verdicts.join('') };
  }
}

function asked({ network }: NetworkSnapshot, { kind, id }: MatrixNode): QuestionEnd {
  if (kind !== 'subnet_advertisement') return { kind, id };
  const item = network.item(id);
  return { kind: 'address', address: item?.type === kind ? firstAddressIn(item.prefix) : '' };
}

function letterOf({ verdict, isUnreachable }: Answer): string {
  return isUnreachable ? 'u' : { allowed: 'a', denied: 'd', no_route: 'n' }[verdict];
}
