// How machines, groups of them, and LANs look in the topology. Each is a button that opens what it stands for.
import { Handle, type Node, type NodeProps, Position } from '@xyflow/react';
import { count } from '../../../parts/format.ts';
import { Icon } from '../../../parts/icon.tsx';
import { type PeerState, peerStateOf } from '../../../parts/peer-state.ts';
import { StatusShape } from '../../../parts/status.tsx';
import { peerLooks } from '../../../parts/statuses.tsx';
import type { Lan } from './lans.ts';
import type { Spot } from './layout.ts';

/** What a machine does for the network beside its tunnels. */
export interface Duties {
  /** Names of the virtual IPs that it holds. */
  readonly virtualIps: readonly string[];
  /** How many devices are at it. */
  readonly devices: number;
  /** Prefixes that it is in front of, with whether other peers use it for them. */
  readonly lans: readonly { readonly prefix: string; readonly best: boolean }[];
}

export interface SpotData extends Record<string, unknown> {
  readonly spot: Spot;
  readonly duties: Duties | null;
  readonly viaHub: string | null;
  /** Of peers, by their ids. */
  readonly names: ReadonlyMap<string, string>;
  readonly chosen: boolean;
  /** The one that Tab reaches. */
  readonly first: boolean;
  readonly onOpen: (spot: Spot) => void;
}
export type SpotNode = Node<SpotData, 'spot'>;

export function SpotView({ data }: NodeProps<SpotNode>) {
  return (
    <>
      {data.spot.kind === 'lan' ? <LanButton data={data} lan={data.spot.lan} /> : <PeerButton data={data} />}
      <Handle type="source" position={Position.Top} isConnectable={false} />
      <Handle type="target" position={Position.Top} isConnectable={false} />
    </>
  );
}

function LanButton({ data, lan }: { readonly data: SpotData; readonly lan: Lan }) {
  const { spot, names } = data;
  const nameOf = (id: string) => names.get(id) ?? 'a peer that is not drawn';
  const used = lan.holders.find(({ best }) => best);
  const others = lan.holders.filter(({ best }) => !best).map(({ peerId }) => nameOf(peerId));
  const behind = [
    used === undefined ? 'no usable path' : `via ${nameOf(used.peerId)}`,
    ...(others.length === 0 ? [] : [`standby: ${others.join(', ')}`]),
  ].join(' · ');
  const title = ['LAN', lan.prefix, ...(lan.description === '' ? [] : [lan.description]), behind].join(' · ');
  return (
    <button
      type="button"
      className="spot"
      data-spot={spot.id}
      data-kind="lan"
      data-tone={used === undefined ? 'bad' : undefined}
      data-detail="card"
      tabIndex={-1}
      title={title}
      onClick={() => data.onOpen(spot)}
    >
      <Icon name="instances" />
      <span className="spot-text">
        <span className="spot-name">
          <span className="sr-only">LAN </span>
          {lan.prefix}
        </span>
        <span className="spot-more">{behind}</span>
      </span>
    </button>
  );
}

function PeerButton({ data }: { readonly data: SpotData }) {
  const { spot, chosen } = data;
  if (spot.kind === 'lan') return null;
  const state: PeerState = spot.kind === 'group' ? spot.state : peerStateOf(spot.node);
  const look = peerLooks[state];
  const words = wordsOf(spot, data.viaHub);
  const detail = spot.kind === 'group' ? 'card' : spot.detail;
  const duties = dutyWords(data.duties);
  return (
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
      title={[words.name, words.more, ...(words.more.includes(look.text) ? [] : [look.text]), ...duties].join(
        ' · ',
      )}
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
      {detail === 'dot' || duties.length === 0 ? null : <span className="sr-only">{duties.join(', ')}</span>}
    </button>
  );
}

function Badges({ duties }: { readonly duties: Duties | null }) {
  if (duties === null) return null;
  const { virtualIps, devices, lans } = duties;
  return (
    <span className="spot-badges" aria-hidden="true">
      {lans.length === 0 ? null : (
        <span className="spot-badge" data-badge="lans">
          <Icon name="instances" />
          {lans.length === 1 ? null : lans.length}
        </span>
      )}
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

/** A text of more is not listened to. */
const lansNamedMax = 5;

function dutyWords(duties: Duties | null): string[] {
  if (duties === null) return [];
  const { virtualIps, devices, lans } = duties;
  const named = lans
    .slice(0, lansNamedMax)
    .map(({ prefix, best }) => `${prefix}${best ? '' : ' as standby'}`);
  const left = lans.length - named.length;
  return [
    ...(named.length === 0 ? [] : [`in front of ${named.join(', ')}${left > 0 ? ` and ${left} more` : ''}`]),
    ...(virtualIps.length === 0 ? [] : [`holds ${virtualIps.join(', ')}`]),
    ...(devices === 0 ? [] : [count(devices, 'device')]),
  ];
}

function wordsOf(
  spot: Exclude<Spot, { kind: 'lan' }>,
  viaHub: string | null,
): { readonly name: string; readonly more: string } {
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
