// How machines and groups of them look in the topology. Each is a button that opens what it stands for.
import { Handle, type Node, type NodeProps, Position } from '@xyflow/react';
import { count } from '../../../parts/format.ts';
import { Icon } from '../../../parts/icon.tsx';
import { type PeerState, peerStateOf } from '../../../parts/peer-state.ts';
import { StatusShape } from '../../../parts/status.tsx';
import { peerLooks } from '../../../parts/statuses.tsx';
import type { Spot } from './layout.ts';

/** What a machine does for the network beside its tunnels. */
export interface Duties {
  /** Names of the virtual IPs that it holds. */
  readonly virtualIps: readonly string[];
  /** How many devices are at it. */
  readonly devices: number;
}

export interface SpotData extends Record<string, unknown> {
  readonly spot: Spot;
  readonly duties: Duties | null;
  readonly viaHub: string | null;
  readonly chosen: boolean;
  /** The one that Tab reaches. */
  readonly first: boolean;
  readonly onOpen: (spot: Spot) => void;
}
export type SpotNode = Node<SpotData, 'spot'>;

export function SpotView({ data }: NodeProps<SpotNode>) {
  const { spot, chosen } = data;
  const state: PeerState = spot.kind === 'group' ? spot.state : peerStateOf(spot.node);
  const look = peerLooks[state];
  const words = wordsOf(data);
  const detail = spot.kind === 'group' ? 'card' : spot.detail;
  const duties = dutyWords(data.duties);
  return (
    <>
      <button
        type="button"
        className="spot"
        data-spot={spot.id}
        data-kind={spot.kind}
        data-tone={look.tone}
        data-detail={detail}
        data-chosen={chosen ? '' : undefined}
        tabIndex={data.first ? 0 : -1}
        aria-label={detail === 'dot' ? [words.name, words.more, look.text, ...duties].join(', ') : undefined}
        title={[
          words.name,
          words.more,
          ...(words.more.includes(look.text) ? [] : [look.text]),
          ...duties,
        ].join(' · ')}
        onClick={() => data.onOpen(spot)}
      >
        <StatusShape shape={look.shape} moving={look.moving} />
        {detail === 'dot' ? null : (
          <span className="spot-text">
            <span className="spot-name">{words.name}</span>
            <span className={detail === 'pill' ? 'sr-only' : 'spot-more'}>{words.more}</span>
            {words.more.includes(look.text) ? null : <span className="sr-only">{look.text}</span>}
          </span>
        )}
        <Badges duties={data.duties} />
        {detail === 'dot' || duties.length === 0 ? null : (
          <span className="sr-only">{duties.join(', ')}</span>
        )}
      </button>
      <Handle type="source" position={Position.Top} isConnectable={false} />
      <Handle type="target" position={Position.Top} isConnectable={false} />
    </>
  );
}

function Badges({ duties }: { readonly duties: Duties | null }) {
  if (duties === null) return null;
  const { virtualIps, devices } = duties;
  return (
    <span className="spot-badges" aria-hidden="true">
      {virtualIps.length === 0 ? null : (
        <span className="spot-badge" data-badge="virtual-ip">
          <Icon name="swap" />
          {virtualIps.length === 1 ? null : virtualIps.length}
        </span>
      )}
      {devices === 0 ? null : (
        <span className="spot-badge" data-badge="devices">
          <Icon name="device" />
          {devices}
        </span>
      )}
    </span>
  );
}

function dutyWords(duties: Duties | null): string[] {
  if (duties === null) return [];
  const { virtualIps, devices } = duties;
  return [
    ...(virtualIps.length === 0 ? [] : [`holds ${virtualIps.join(', ')}`]),
    ...(devices === 0 ? [] : [count(devices, 'device')]),
  ];
}

function wordsOf({ spot, viaHub }: SpotData): { readonly name: string; readonly more: string } {
  if (spot.kind === 'group') {
    return { name: count(spot.count, spot.role), more: peerLooks[spot.state].text };
  }
  const { node } = spot;
  const state = peerStateOf(node);
  if (spot.kind === 'hub') {
    const at = `hub · ${shortAddress(node.host_address)}`;
    return { name: node.hostname, more: state === 'unreachable' ? `${peerLooks[state].text} · ${at}` : at };
  }
  const path = node.path === 'direct' ? 'direct' : viaHub === null ? 'via hub' : `via ${viaHub}`;
  return {
    name: node.hostname,
    more: state === 'connected' ? path : `${peerLooks[state].text} · ${path}`,
  };
}

/** The part of an address that differs within its network. */
function shortAddress(address: string): string {
  const at = address.lastIndexOf('::');
  return at < 0 ? address : `…${address.slice(at)}`;
}
