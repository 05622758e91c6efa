// The live topology of a network. Loaded only when it is looked at: it brings a drawing library.
import './topology.css';
import type { Topology } from '@powernode/core/intent/peer';
import {
  Background,
  BackgroundVariant,
  type Edge,
  type EdgeProps,
  ReactFlow,
  ReactFlowProvider,
  useReactFlow,
} from '@xyflow/react';
import { type KeyboardEvent, useEffect, useMemo, useSyncExternalStore } from 'react';
import { IconButton } from '../../../parts/button.tsx';
import { useNow } from '../../../parts/clock.ts';
import { count } from '../../../parts/format.ts';
import type { Lan } from './lans.ts';
import { type Format, type Layout, type Line, layoutTopology, type Spot } from './layout.ts';
import { Legend } from './legend.tsx';
import { type Duties, type SpotNode, SpotView } from './spots.tsx';

export interface TopologyMapProps {
  readonly topology: Topology;
  /** By the identifier of the peer. */
  readonly duties: ReadonlyMap<string, Duties>;
  readonly lans: readonly Lan[];
  readonly chosen: string | null;
  readonly onOpen: (spot: Spot) => void;
}

const nodeTypes = { spot: SpotView };
const edgeTypes = { line: LineView };
/** Small networks are not blown up. */
const fit = { padding: { top: '48px', x: '24px', bottom: '28px' }, maxZoom: 1.1 } as const;
/** Tunnels grow old without an event: their health is looked at again so often. */
const ageMs = 15_000;

export function TopologyMap(props: TopologyMapProps) {
  return (
    <ReactFlowProvider>
      <Canvas {...props} />
    </ReactFlowProvider>
  );
}

function Canvas({ topology, duties, lans, chosen, onOpen }: TopologyMapProps) {
  const now = Math.floor(useNow() / ageMs) * ageMs;
  const format = useFormat();
  const layout = useMemo(
    () => layoutTopology(topology, { now, format, lans }),
    [topology, now, format, lans],
  );
  const nodes = useMemo(
    () => nodesOf(layout, { topology, duties, lans, chosen, onOpen }),
    [layout, topology, duties, lans, chosen, onOpen],
  );
  const edges = useMemo(() => layout.lines.map((line) => edgeOf(line, chosen)), [layout, chosen]);
  const flow = useReactFlow();
  const places = [format, ...layout.spots.map((spot) => spot.id)].join();
  useEffect(() => {
    if (places !== format) void flow.fitView(fit);
  }, [flow, places, format]);
  return (
    <div className="topology">
      <div className="topology-canvas" role="group" aria-label="Network topology" onKeyDown={moveFocus}>
        <ReactFlow
          nodes={nodes}
          edges={edges}
          nodeTypes={nodeTypes}
          edgeTypes={edgeTypes}
          fitView
          fitViewOptions={fit}
          minZoom={0.05}
          maxZoom={2}
          nodesDraggable={false}
          nodesConnectable={false}
          nodesFocusable={false}
          edgesFocusable={false}
          elementsSelectable={false}
          zoomOnScroll={false}
          preventScrolling={false}
          zoomOnDoubleClick={false}
        >
          <Background variant={BackgroundVariant.Dots} gap={22} size={1.4} />
        </ReactFlow>
        <div className="topology-tools">
          <IconButton icon="join" label="Zoom in" size="small" onClick={() => void flow.zoomIn()} />
          <IconButton icon="minus" label="Zoom out" size="small" onClick={() => void flow.zoomOut()} />
          <IconButton icon="fit" label="Fit to view" size="small" onClick={() => void flow.fitView(fit)} />
        </div>
      </div>
      <Legend hasLans={lans.length > 0} />
      {layout.lansLeftOut === 0 ? null : (
        <p className="topology-note hint">
          {count(layout.lansLeftOut, 'LAN')} of {lans.length.toLocaleString('en-US')} not drawn: Routing lists
          all routes.
        </p>
      )}
    </div>
  );
}

const narrow = window.matchMedia('(max-width: 40rem)');

function useFormat(): Format {
  return useSyncExternalStore(
    (listener) => {
      narrow.addEventListener('change', listener);
      return () => narrow.removeEventListener('change', listener);
    },
    () => (narrow.matches ? 'tall' : 'wide'),
  );
}

function nodesOf(layout: Layout, parts: TopologyMapProps): SpotNode[] {
  const names = new Map(parts.topology.nodes.map((node) => [node.peer_id, node.hostname]));
  return layout.spots.map((spot, i) => {
    const via = spot.kind === 'hub' || spot.kind === 'spoke' ? spot.node.via_hub_peer_id : null;
    return {
      id: spot.id,
      type: 'spot',
      position: { x: spot.x - spot.width / 2, y: spot.y - spot.height / 2 },
      width: spot.width,
      height: spot.height,
      data: {
        spot,
        duties: parts.duties.get(spot.id) ?? null,
        names,
        viaHub: via === null ? null : (names.get(via) ?? null),
        chosen: spot.id === parts.chosen,
        first: i === 0,
        onOpen: parts.onOpen,
      },
    };
  });
}

function edgeOf(line: Line, chosen: string | null): LineEdge {
  const faint = chosen !== null && line.from !== chosen && line.to !== chosen;
  return { id: line.id, source: line.from, target: line.to, type: 'line', data: { line, faint } };
}

/** Arrows go from machine to machine, so that Tab does not have to pass them all. */
function moveFocus(event: KeyboardEvent<HTMLElement>): void {
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (step === undefined || !(event.target instanceof HTMLElement) || !event.target.matches('[data-spot]'))
    return;
  event.preventDefault();
  const all = [...event.currentTarget.querySelectorAll<HTMLElement>('[data-spot]')];
  all[(all.indexOf(event.target) + step + all.length) % all.length]?.focus();
}

interface LineData extends Record<string, unknown> {
  readonly line: Line;
  /** Something else is chosen. */
  readonly faint: boolean;
}
type LineEdge = Edge<LineData, 'line'>;

/** How far a bent line leaves the straight one, as a part of its length. */
const bend = 0.14;

/** A tunnel as a straight line between its ends. One that is on standby, or that leaves out the hub, is bent, so that it
 * does not cover the line through the hub. */
function LineView({ data, sourceX, sourceY, targetX, targetY }: EdgeProps<LineEdge>) {
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
