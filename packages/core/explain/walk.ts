// A packet on its way through the overlay, from node to node: routes, tunnels, forwarding. It follows the documents
// and nothing else. Where the packet begins: reachability.ts; how it is evaluated on its way: path-rules.ts.
import type { PeerEntry } from '../wire/document.ts';
import { type NodeProblem, nodeProblemTable, type ProblemStage } from '../wire/node-problems.ts';
import { interfaceNameShape } from '../wire/texts.ts';
import type { NodeView } from './node-view.ts';
import { isAccepted, isAcceptedForDevices } from './path-rules.ts';
import type { Sight } from './sight.ts';
import type { Answer, Named, NameOf, Packet, Trail, Verdict } from './trail.ts';

/** The interface by which a node's route goes now, where it has a choice; null: unknown. */
export type InUse = (peerId: string, destination: string) => string | null;

export interface WalkParts {
  readonly sight: Sight;
  readonly packet: Packet;
  readonly trail: Trail;
  readonly inUse: InUse;
}

/** Source, its hub, the hub of the destination, destination; one more each for what a document may get wrong. */
const forwardedMax = 4;

export class Walk {
  readonly #parts: WalkParts;
  readonly #named = new Set<NodeProblem>();
  /** The nodes that it left or reached by a tunnel, in their order. */
  readonly #passed: string[] = [];
  #forwarded = 0;

  constructor(parts: WalkParts) {
    this.#parts = parts;
  }

  /** The packet begins at a node. */
  begin(node: NodeView): Answer {
    const { packet } = this.#parts;
    if (node.local(packet.destination) !== undefined) {
      this.#note(node, 'destination', null, (nameOf) => {
        const name = nameOf({ type: 'peer', id: node.peerId });
        return `${packet.destination.text} is an address of ${name} itself: the packet does not leave the instance, and no rule applies.`;
      });
      return this.#end('allowed', node);
    }
    const name = this.#route(node);
    if (name === null) return this.#end('no_route', node);
    if (!isAccepted(this.#parts, node, 'egress')) return this.#end('denied', node);
    if (!isAcceptedForDevices(this.#parts, node)) return this.#end('denied', node);
    return this.#leave(node, name);
  }

  /** The packet begins at a device without an agent, and comes out of its tunnel at its hub. */
  beginAtDevice(node: NodeView, device: { readonly id: string; readonly publicKey: string }): Answer {
    const object = { type: 'user_device', id: device.id } as const;
    for (const name of node.interfaces.keys()) {
      const tunnel = node.tunnelByKey(name, device.publicKey);
      if (tunnel === undefined) continue;
      this.#note(
        node,
        'tunnel',
        object,
        (nameOf) => `Its hub is ${nameOf({ type: 'peer', id: node.peerId })}.`,
      );
      return this.#arrive(node, tunnel);
    }
    this.#note(node, 'tunnel', object, () => 'Its hub has no tunnel for it.');
    return this.#end('no_route', node);
  }

  /** A packet that a door lets in, with the addresses that it has inside. */
  beginAtDoor(node: NodeView): Answer {
    this.#pass(node);
    if (node.local(this.#parts.packet.destination) !== undefined) return this.#end('allowed', node);
    const name = this.#route(node);
    return name === null ? this.#end('no_route', node) : this.#leave(node, name);
  }

  /** The tunnel to the nearest of those who answer for the destination, where it is an anycast address. */
  #taker(node: NodeView): PeerEntry | undefined {
    const { packet, inUse } = this.#parts;
    return node.takers(packet.destination).find((one) => {
      const [own = ''] = one.allowed_ips;
      return !node.isDirect(one) || inUse(node.peerId, own) === null;
    });
  }

  /** The interface towards the destination. */
  #route(node: NodeView): string | null {
    const { packet, inUse } = this.#parts;
    const { destination } = packet;
    const anycast = this.#taker(node);
    if (anycast !== undefined) {
      this.#note(node, 'route', { type: 'interface', id: anycast.interface }, () => {
        return `Several peers hold ${destination.text}; it goes to the first one whose path is up, via ${anycast.interface}.`;
      });
      return anycast.interface;
    }
    const route = node.routes.longest(destination);
    if (route === undefined) {
      this.#note(node, 'route', null, () => `The overlay has no route to ${destination.text}.`);
      return null;
    }
    const name = inUse(node.peerId, route.destination) ?? route.via[0] ?? '';
    this.#note(node, 'route', { type: 'route', id: route.destination }, () => {
      const others = route.via.filter((one) => one !== name);
      const otherwise = others.length === 0 ? '' : ` (${others.join(', ')} when that path is down)`;
      return `The route to ${route.destination} goes by ${name}${otherwise}.`;
    });
    return name;
  }

  #leave(node: NodeView, name: string): Answer {
    this.#pass(node);
    const { sight, packet } = this.#parts;
    const { destination } = packet;
    const object = { type: 'interface', id: name } as const;
    const tunnel = this.#taker(node) ?? node.tunnelTo(name, destination);
    if (tunnel === undefined) {
      this.#note(
        node,
        'tunnel',
        object,
        () => `No tunnel on ${name} takes ${destination.text} (AllowedIPs).`,
      );
      return this.#end('no_route', node);
    }
    const stopped = this.#stoppedAt(node, this.#forwarded === 0 ? 'send' : 'forward', tunnel);
    if (stopped !== null) return this.#end(stopped, node);
    if (node.device(destination) !== undefined) {
      this.#note(node, 'tunnel', object, (nameOf) => {
        return `${name} sends it to ${nameOf({ type: 'user_device', id: tunnel.peer_id })}, once that peer has initiated a tunnel.`;
      });
      return this.#end('allowed', node);
    }
    const next = sight.node(tunnel.peer_id);
    const other = node.interfaces.get(name)?.public_key ?? '';
    const back = next?.tunnelOf({ own: tunnel.public_key, other });
    const trouble = troubleOf(tunnel, back);
    this.#note(node, 'tunnel', object, (nameOf) => {
      const far = nameOf({ type: 'peer', id: tunnel.peer_id });
      return trouble === null
        ? `${name} carries it to ${far}.`
        : `${name} would carry it to ${far}, but ${trouble}.`;
    });
    if (next === null || back === undefined || trouble !== null) return this.#end('no_route', node);
    return this.#arrive(next, back);
  }

  /** WireGuard drops what comes from a peer whose AllowedIPs do not cover the source. */
  #arrive(node: NodeView, tunnel: PeerEntry): Answer {
    this.#pass(node);
    const { source } = this.#parts.packet;
    const name = tunnel.interface;
    const taken = node.takers(source).find((one) => one.interface === name) ?? node.tunnelTo(name, source);
    if (taken?.public_key === tunnel.public_key) return this.#arrived(node, tunnel);
    this.#note(node, 'tunnel', { type: 'interface', id: name }, () => {
      return `${name} drops it, because this tunnel does not take packets from ${source.text} (AllowedIPs).`;
    });
    return this.#end('no_route', node);
  }

  /** Out of a tunnel, for this node or for another one. */
  #arrived(node: NodeView, tunnel: PeerEntry): Answer {
    const from = tunnel.interface;
    const isHere = node.local(this.#parts.packet.destination) !== undefined;
    if (!isHere && !this.#mayForward(node)) return this.#end('no_route', node);
    const stopped = this.#stoppedAt(node, isHere ? 'receive' : 'forward', tunnel);
    if (stopped !== null) return this.#end(stopped, node);
    if (isHere) return this.#deliver(node);
    const name = this.#route(node);
    if (name === null) return this.#end('no_route', node);
    const isRelay = (one: string) => node.interfaces.get(one)?.purpose === 'transit';
    if (isRelay(from) && isRelay(name)) {
      this.#note(node, 'forward', null, () => 'Packets from one hub are not forwarded to another.');
      return this.#end('no_route', node);
    }
    if (!isAcceptedForDevices(this.#parts, node)) return this.#end('denied', node);
    return this.#leave(node, name);
  }

  /** Names what the node says is wrong with it. Not null: that ends the packet, and so. */
  #stoppedAt(node: NodeView, stage: ProblemStage, tunnel: PeerEntry): 'denied' | 'no_route' | null {
    let verdict: 'denied' | 'no_route' | null = null;
    for (const problem of this.#parts.sight.problemsOf(node.peerId)) {
      if (!concerns(problem, tunnel)) continue;
      const { stops, subsystem } = nodeProblemTable[problem.code];
      // What another program of the host forbids is a denial; what does not work leads nowhere.
      if (stops.includes(stage)) verdict ??= subsystem === 'host' ? 'denied' : 'no_route';
      if (this.#named.has(problem)) continue;
      this.#named.add(problem);
      const object = { type: 'peer', id: node.peerId } as const;
      this.#note(node, 'problem', object, (nameOf) => `${nameOf(object)} says: ${problem.detail}`);
    }
    return verdict;
  }

  #mayForward(node: NodeView): boolean {
    this.#forwarded++;
    const may = node.forwards && this.#forwarded <= forwardedMax;
    const network = { type: 'network', id: this.#parts.sight.network.network.id } as const;
    this.#note(node, 'forward', network, () =>
      may
        ? 'It forwards between the peers of the network.'
        : 'It is addressed to another peer, and this one does not forward.',
    );
    return may;
  }

  #deliver(node: NodeView): Answer {
    const { packet } = this.#parts;
    if (!isAcceptedForDevices(this.#parts, node)) return this.#end('denied', node);
    if (node.local(packet.destination)?.kind === 'probe') {
      this.#note(node, 'ingress', null, () => 'Only probes from other agents are answered at this address.');
      return this.#end('denied', node);
    }
    return this.#end(isAccepted(this.#parts, node, 'ingress') ? 'allowed' : 'denied', node);
  }

  #note(node: NodeView, step: StepName, object: Named | null, detail: (nameOf: NameOf) => string): void {
    this.#parts.trail.add({ step, peerId: node.peerId, object }, detail);
  }

  #pass({ peerId }: NodeView): void {
    if (this.#passed.at(-1) !== peerId) this.#passed.push(peerId);
  }

  /**
   * The first machine on the way that is not reached now, by what probes, streams and kernels say; null: none. Names
   * also those of which it is in doubt.
   */
  #unreached(): string | null {
    const { sight, trail } = this.#parts;
    const isByHub = this.#passed.some((id) => sight.network.peer(id)?.hubSlot != null);
    for (const [i, peerId] of this.#passed.entries()) {
      const presence = sight.presenceOf(peerId);
      if (presence === null || presence.because === null) continue;
      const { code, detail } = presence.because;
      // What fails between a machine and its hubs does not concern spokes that meet without one, but that it is gone or
      // has no UDP does; and what a hub does not pass on does not concern those who speak to the hub itself.
      if (!isByHub && code !== 'offline' && code !== 'udp_blocked') continue;
      if (code === 'forwards_nothing' && (i === 0 || i === this.#passed.length - 1)) continue;
      trail.add({ step: 'presence', peerId, object: { type: 'peer', id: peerId } }, () => detail);
      if (presence.reachable === false) return peerId;
    }
    return null;
  }

  #end(verdict: Verdict, node: NodeView): Answer {
    const { trail, packet } = this.#parts;
    const lost = verdict === 'allowed' ? this.#unreached() : null;
    const object = { type: 'peer', id: lost ?? node.peerId } as const;
    trail.add({ step: 'verdict', peerId: object.id, object }, (nameOf) =>
      lost === null
        ? sentenceOf(verdict, { destination: packet.destination.text, node: nameOf(object) })
        : `Rules and routes allow it, but ${nameOf(object)} is unreachable now, so it does not reach ${packet.destination.text}.`,
    );
    return lost === null ? trail.end(verdict) : trail.end('no_route', true);
  }
}

type StepName = Parameters<Trail['add']>[0]['step'];

/** Whether a problem concerns packets of one tunnel. Interfaces outside overlays concern all of them. */
function concerns(problem: NodeProblem, tunnel: PeerEntry): boolean {
  const { peer_id, interface: name } = problem;
  if (peer_id !== undefined && peer_id !== tunnel.peer_id) return false;
  return name === undefined || !interfaceNameShape.test(name) || name === tunnel.interface;
}

/** null: the tunnel can come about. */
function troubleOf(tunnel: PeerEntry, back: PeerEntry | undefined): string | null {
  if (back === undefined) return 'that has no tunnel back';
  const canCall = tunnel.endpoint !== null || back.endpoint !== null;
  return canCall ? null : 'neither peer has an endpoint for the other';
}

function sentenceOf(verdict: Verdict, at: { readonly destination: string; readonly node: string }): string {
  switch (verdict) {
    case 'allowed':
      return `It reaches ${at.destination}. Replies return on the same path: rules are stateful.`;
    case 'denied':
      return `It is stopped at ${at.node}.`;
    case 'no_route':
      return `It does not get beyond ${at.node}.`;
  }
}
