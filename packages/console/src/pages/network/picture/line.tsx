// A tunnel in the picture: a straight line between the middles of its two ends.
import { type Edge, type EdgeProps, getStraightPath } from '@xyflow/react';
import type { Line } from './layout.ts';

export interface LineData extends Record<string, unknown> {
  readonly line: Line;
  /** Something else is chosen. */
  readonly faint: boolean;
}
export type LineEdge = Edge<LineData, 'line'>;

export function LineView({ data, ...ends }: EdgeProps<LineEdge>) {
  const [path] = getStraightPath(ends);
  return (
    <path
      className="line"
      d={path}
      data-kind={data?.line.kind}
      data-health={data?.line.health}
      data-faint={data?.faint === true ? '' : undefined}
    />
  );
}
