// Traces a packet through the overlay from node to node: routes, tunnels, forwarding. It follows the documents, and what
// is observed of nodes. Where the packet begins: reachability.ts; where rules are evaluated for it: path-rules.ts.
import type { PeerEntry } from '../wire/document.ts';
import { type NodeProblem, nodeProblemTable, type ProblemStage } from '../wire/node-problems.ts';
import type { LanEntry } from '../wire/routing-entries.ts';
import { interfaceNameShape } from '../wire/texts.ts';
import { anycastHops, anycastRoute } from './anycast-path.ts';
import {
  type InUse,
  intoLan,
  lanAt,
  type SubnetRoute,
  subnetLeafTunnel,
  subnetRoute,
  unannouncedPrefix,
} from './lan-path.ts';
import type { NetworkSnapshot } from './network-snapshot.ts';
import type { NodeView } from './node-view.ts';
import { isAccepted, isAcceptedForDevices } from './path-rules.ts';
import type { Answer, NameOf, ObjectRef, Packet, Trace, Verdict } from './trace.ts';

export interface PacketTracerParts {
  readonly snapshot: NetworkSnapshot;
  readonly packet: Packet;
  readonly trace: Trace;
  readonly inUse: InUse;
}

/** Source, its hub, the hub of the destination, destination; one more each for what a document may get wrong. */
const forwardedMax = 4;

export class PacketTracer {
  readonly #parts: PacketTracerParts;
  readonly #named = new Set<NodeProblem>();
  /** The nodes that the packet left or reached by a tunnel, in their order. */
  readonly #passed: string[] = [];
  #forwarded = 0;

  constructor(parts: PacketTracerParts) {
    this.#parts = parts;
  }

  /** The packet is sent by a node. */
  traceFrom(node: NodeView): Answer {
    const { packet } = this.#parts;
    if (node.local(packet.destination) !== undefined) {
      this.#note(node, 'destination', null, (nameOf) => {
        const name = nameOf({ type: 'peer', id: node.peerId });
        return `${packet.destination.text} is an address of ${name} itself: the packet does not leave the instance, and no rule applies.`;
      });
      return this.#end('allowed', node);
    }
    return this.#send(node);
  }

  /** The packet is sent in a LAN, and enters the network at the peer in front of it. */
  traceFromLan(node: NodeView, lan: LanEntry): Answer {
    const { destination } = this.#parts.packet;
    const local = node.local(destination);
    if (local === undefined) return this.#send(node);
    // Pods reach their own node as those of another one do.
    if (node.isForPods(lan) && local.kind !== 'probe') {
      return this.#end(isAccepted(this.#parts, node, 'ingress') ? 'allowed' : 'denied', node);
    }
    this.#note(node, 'ingress', null, (nameOf) => {
      const name = nameOf({ type: 'peer', id: node.peerId });
      return `${name} answers at ${destination.text} only for packets from the network, not for those from its LAN.`;
    });
    return this.#end('denied', node);
  }

  #send(node: NodeView): Answer {
    const lan = lanAt(node, this.#parts.packet.destination);
    if (lan !== undefined) return this.#staysOutside(node, lan);
    const name = this.#route(node);
    if (name === null) return this.#end('no_route', node);
    if (!isAccepted(this.#parts, node, 'egress')) return this.#end('denied', node);
    if (!isAcceptedForDevices(this.#parts, node)) return this.#end('denied', node);
    return this.#leave(node, name);
  }

  /** The packet is sent by a device without an agent, and comes out of its tunnel at its hub. */
  traceFromDevice(node: NodeView, device: { readonly id: string; readonly publicKey: string }): Answer {
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

  /** From a peer or its LAN to a LAN of the same peer. Only packets from the network are translated. */
  #staysOutside(node: NodeView, lan: LanEntry): Answer {
    const isTranslated = lan.local_prefix !== lan.prefix;
    this.#note(node, 'route', { type: 'subnet_advertisement', id: lan.subnet_id }, (nameOf) => {
      const name = nameOf({ type: 'peer', id: node.peerId });
      return isTranslated
        ? `${lan.prefix} is the LAN ${lan.local_prefix} behind ${name} itself, where only that prefix is known.`
        : `${lan.prefix} is behind ${name} itself: the packet does not enter the network, and no rule applies.`;
    });
    return this.#end(isTranslated ? 'no_route' : 'allowed', node);
  }

  /** A packet that a port forward admits, with its addresses after translation. */
  traceFromPortForward(node: NodeView): Answer {
    this.#pass(node);
    if (node.local(this.#parts.packet.destination) !== undefined) return this.#end('allowed', node);
    const name = this.#route(node);
    return name === null ? this.#end('no_route', node) : this.#leave(node, name);
  }

  /** The interface towards the destination. */
  #route(node: NodeView): string | null {
    const { packet, inUse } = this.#parts;
    const { destination } = packet;
    const hops = anycastHops(this.#parts, node, destination);
    const [anycast] = hops;
    if (anycast !== undefined) {
      this.#note(node, 'route', { type: 'interface', id: anycast.interface }, (nameOf) =>
        anycastRoute(hops, destination, nameOf),
      );
      return anycast.interface;
    }
    const subnet = subnetRoute(this.#parts, node, destination);
    if (subnet !== undefined) {
      this.#noteSubnet(node, subnet);
      return subnet.device;
    }
    const lost = unannouncedPrefix(this.#parts, node, destination);
    if (lost !== undefined) {
      this.#note(node, 'route', null, (nameOf) => {
        const name = nameOf({ type: 'peer', id: node.peerId });
        return `No path to ${lost} arrives at ${name} by BGP (system_sdwan_explain_route says why).`;
      });
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

  #noteSubnet(node: NodeView, { entry, peerId, device, tunnel }: SubnetRoute): void {
    this.#note(node, 'route', { type: 'subnet_advertisement', id: entry.subnet_id }, (nameOf) => {
      const peer = nameOf({ type: 'peer', id: peerId });
      const where =
        peerId === entry.peer_id ? `is behind ${peer}` : `has the next hop ${peer} by a route policy`;
      return tunnel === null
        ? `${entry.prefix} ${where}; it goes to a hub by ${device}.`
        : `${entry.prefix} ${where}; it goes there by ${device}.`;
    });
  }

  #leave(node: NodeView, name: string): Answer {
    this.#pass(node);
    const { snapshot, packet } = this.#parts;
    const { destination } = packet;
    const object = { type: 'interface', id: name } as const;
    const tunnel =
      anycastHops(this.#parts, node, destination)[0] ??
      subnetRoute(this.#parts, node, destination)?.tunnel ??
      node.tunnelTo(name, destination);
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
    const next = snapshot.node(tunnel.peer_id);
    const other = node.interfaces.get(name)?.public_key ?? '';
    const back = next?.tunnelOf({ own: tunnel.public_key, other });
    const fault = tunnelFault(tunnel, back);
    this.#note(node, 'tunnel', object, (nameOf) => {
      const remote = nameOf({ type: 'peer', id: tunnel.peer_id });
      return fault === null
        ? `${name} carries it to ${remote}.`
        : `${name} would carry it to ${remote}, but ${fault}.`;
    });
    if (next === null || back === undefined || fault !== null) return this.#end('no_route', node);
    return this.#arrive(next, back);
  }

  /** WireGuard drops what comes from a peer whose AllowedIPs do not cover the source. */
  #arrive(node: NodeView, tunnel: PeerEntry): Answer {
    this.#pass(node);
    const { source } = this.#parts.packet;
    const name = tunnel.interface;
    const behind = subnetLeafTunnel(this.#parts, node, source);
    const holders = anycastHops(this.#parts, node, source).filter((one) => one.interface === name);
    // Of several holders nobody but the node knows whose packets it takes.
    const taken =
      holders.find((one) => one.public_key === tunnel.public_key) ??
      holders[0] ??
      (behind?.interface === name ? behind : node.tunnelTo(name, source));
    if (taken?.public_key === tunnel.public_key) return this.#arrived(node, tunnel);
    this.#note(node, 'tunnel', { type: 'interface', id: name }, () => {
      return `${name} drops it, because this tunnel does not take packets from ${source.text} (AllowedIPs).`;
    });
    return this.#end('no_route', node);
  }

  /** Out of a tunnel, for this node or for another one. */
  #arrived(node: NodeView, tunnel: PeerEntry): Answer {
    const from = tunnel.interface;
    const { destination } = this.#parts.packet;
    const isHere = node.local(destination) !== undefined;
    const lan = isHere ? undefined : lanAt(node, destination);
    if (lan !== undefined) return this.#enterLan(node, tunnel, lan);
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

  #enterLan(node: NodeView, tunnel: PeerEntry, lan: LanEntry): Answer {
    this.#note(node, 'forward', { type: 'subnet_advertisement', id: lan.subnet_id }, (nameOf) =>
      intoLan(lan, this.#parts.packet.destination, {
        peer: nameOf({ type: 'peer', id: node.peerId }),
        isForPods: node.isForPods(lan),
      }),
    );
    const stopped = this.#stoppedAt(node, 'forward', tunnel);
    if (stopped !== null) return this.#end(stopped, node);
    if (!isAcceptedForDevices(this.#parts, node)) return this.#end('denied', node);
    return this.#end(isAccepted(this.#parts, node, 'ingress') ? 'allowed' : 'denied', node);
  }

  /** Names what the node says is wrong with it. Not null: that ends the packet, and so. */
  #stoppedAt(node: NodeView, stage: ProblemStage, tunnel: PeerEntry): 'denied' | 'no_route' | null {
    let verdict: 'denied' | 'no_route' | null = null;
    for (const problem of this.#parts.snapshot.problemsOf(node.peerId)) {
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
    const network = { type: 'network', id: this.#parts.snapshot.network.network.id } as const;
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

  #note(node: NodeView, step: StepName, object: ObjectRef | null, detail: (nameOf: NameOf) => string): void {
    this.#parts.trace.add({ step, peerId: node.peerId, object }, detail);
  }

  #pass({ peerId }: NodeView): void {
    if (this.#passed.at(-1) !== peerId) this.#passed.push(peerId);
  }

  /**
   * The first node of the path that is unreachable now, by probes, streams and kernels; null: none. Adds a step also
   * for nodes of which that is uncertain.
   */
  #unreached(): string | null {
    const { snapshot, trace } = this.#parts;
    const isByHub = this.#passed.some((id) => snapshot.network.peer(id)?.hubSlot != null);
    for (const [i, peerId] of this.#passed.entries()) {
      const presence = snapshot.presenceOf(peerId);
      if (presence === null || presence.because === null) continue;
      const { code, detail } = presence.because;
      // What fails between a node and its hubs does not concern spokes with a direct path, but a node that is offline
      // or without UDP does; and a hub that does not forward is no obstacle to packets for the hub itself.
      if (!isByHub && code !== 'offline' && code !== 'udp_blocked') continue;
      if (code === 'forwards_nothing' && (i === 0 || i === this.#passed.length - 1)) continue;
      trace.add({ step: 'presence', peerId, object: { type: 'peer', id: peerId } }, () => detail);
      if (presence.reachable === false) return peerId;
    }
    return null;
  }

  #end(verdict: Verdict, node: NodeView): Answer {
    const { trace, packet } = this.#parts;
    const unreached = verdict === 'allowed' ? this.#unreached() : null;
    const object = { type: 'peer', id: unreached ?? node.peerId } as const;
    trace.add({ step: 'verdict', peerId: object.id, object }, (nameOf) =>
      unreached === null
        ? messageOf(verdict, { destination: packet.destination.text, node: nameOf(object) })
        : `Rules and routes allow it, but ${nameOf(object)} is unreachable now, so it does not reach ${packet.destination.text}.`,
    );
    return unreached === null ? trace.end(verdict) : trace.end('no_route', true);
  }
}

type StepName = Parameters<Trace['add']>[0]['step'];

/** Whether a problem concerns packets of one tunnel. Interfaces outside overlays concern all of them. */
function concerns(problem: NodeProblem, tunnel: PeerEntry): boolean {
  const { peer_id, interface: name } = problem;
  if (peer_id !== undefined && peer_id !== tunnel.peer_id) return false;
  return name === undefined || !interfaceNameShape.test(name) || name === tunnel.interface;
}

/** null: the tunnel can be established. */
function tunnelFault(tunnel: PeerEntry, back: PeerEntry | undefined): string | null {
  if (back === undefined) return 'that has no tunnel back';
  const canInitiate = tunnel.endpoint !== null || back.endpoint !== null;
  return canInitiate ? null : 'neither peer has an endpoint for the other';
}

function messageOf(verdict: Verdict, at: { readonly destination: string; readonly node: string }): string {
  switch (verdict) {
    case 'allowed':
      return `It reaches ${at.destination}. Replies return on the same path: rules are stateful.`;
    case 'denied':
      return `It is stopped at ${at.node}.`;
    case 'no_route':
      return `It does not get beyond ${at.node}.`;
  }
}
