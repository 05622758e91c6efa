// Who reaches whom, as rows and columns that can be filtered. No elements here.
import type { reachabilityMatrix } from '@powernode/core/intent/reachability';
import type { PairState } from '../../../parts/service-statuses.tsx';

export type MatrixAnswer = (typeof reachabilityMatrix)['_output'];
export type MatrixNode = MatrixAnswer['nodes'][number];
/** null: itself, or unknown. */
export type Cell = PairState | null;

export interface MatrixRow {
  readonly node: MatrixNode;
  /** For each column that is shown. */
  readonly cells: readonly Cell[];
}
export interface MatrixShown {
  readonly columns: readonly MatrixNode[];
  readonly rows: readonly MatrixRow[];
  readonly counts: Readonly<Record<PairState, number>>;
}

const letters: Readonly<Record<string, PairState>> = {
  a: 'allowed',
  d: 'denied',
  n: 'no_route',
  u: 'unreachable',
};

const kinds: readonly MatrixNode['kind'][] = ['peer', 'user_device', 'virtual_ip', 'subnet_advertisement'];
const collator = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });
const byName = (a: MatrixNode, b: MatrixNode) => collator.compare(a.name, b.name);

/** Machines, devices, virtual IPs, prefixes behind peers, each by name. Rows and columns whose name has every word of the filter. */
export function shownOf(matrix: MatrixAnswer, filter: string): MatrixShown {
  const words = filter
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  const fits = (node: MatrixNode) => words.every((word) => node.name.toLowerCase().includes(word));
  const kept = matrix.nodes
    .flatMap((node, i) => (fits(node) ? [{ node, i }] : []))
    .sort((a, b) => kinds.indexOf(a.node.kind) - kinds.indexOf(b.node.kind) || byName(a.node, b.node));
  const verdictsOf = new Map(matrix.rows.map(({ id, verdicts }) => [id, verdicts]));
  const counts = { allowed: 0, denied: 0, no_route: 0, unreachable: 0 };
  const rows = kept.flatMap(({ node }): MatrixRow[] => {
    const verdicts = verdictsOf.get(node.id);
    if (verdicts === undefined) return [];
    const cells = kept.map(({ i }) => letters[verdicts[i] ?? ''] ?? null);
    for (const cell of cells) if (cell !== null) counts[cell] += 1;
    return [{ node, cells }];
  });
  return { columns: kept.map(({ node }) => node), rows, counts };
}
