// A tunnel in the topology: a straight line between the middles of its two ends. One that only waits, or that leaves the
// hub out, is bent, so that it does not lie on the straight way through the hub between.
import type { Edge, EdgeProps } from '@xyflow/react';
import type { Line } from './layout.ts';

export interface LineData extends Record<string, unknown> {
  readonly line: Line;
  /** Something else is chosen. */
  readonly faint: boolean;
}
export type LineEdge = Edge<LineData, 'line'>;

/** How far a bent line leaves the straight one, as a part of its length. */
const bend = 0.14;

export function LineView({ data, sourceX, sourceY, targetX, targetY }: EdgeProps<LineEdge>) {
  const [dx, dy] = [targetX - sourceX, targetY - sourceY];
  // Outwards, as seen from the middle of the topology, so that it keeps off what lies between the hubs.
  const outwards = (sourceX + targetX) * dy - (sourceY + targetY) * dx >= 0 ? 1 : -1;
  const kind = data?.line.kind;
  const side = kind === 'standby' || kind === 'shortcut' ? bend * outwards : 0;
  const [middleX, middleY] = [sourceX + dx / 2 + dy * side, sourceY + dy / 2 - dx * side];
  return (
    <path
      className="line"
      d={`M${sourceX} ${sourceY}Q${middleX} ${middleY} ${targetX} ${targetY}`}
      data-kind={data?.line.kind}
      data-health={data?.line.health}
      data-faint={data?.faint === true ? '' : undefined}
    />
  );
}
