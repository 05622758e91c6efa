// A packet on its way through the overlay, from node to node: routes, tunnels, forwarding. It follows the documents
// and nothing else. Where the packet begins: reachability.ts; how it is judged on its way: judgement.ts.
import type { PeerEntry } from '../wire/document.ts';
import { isAccepted, isAcceptedForDevices } from './judgement.ts';
import type { NodeView } from './node-view.ts';
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
        return `${packet.destination.text} is an address of ${name} itself: it does not leave the machine, and no rule judges it.`;
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
        (nameOf) => `It calls ${nameOf({ type: 'peer', id: node.peerId })}.`,
      );
      return this.#arrive(node, tunnel);
    }
    this.#note(node, 'tunnel', object, () => 'Its hub has no tunnel for it.');
    return this.#end('no_route', node);
  }

  /** A packet that a door lets in, with the addresses that it has inside. */
  beginAtDoor(node: NodeView): Answer {
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
        return `Several peers answer for ${destination.text}; it goes to the first whose path is alive, by ${anycast.interface}.`;
      });
      return anycast.interface;
    }
    const route = node.routes.longest(destination);
    if (route === undefined) {
      this.#note(node, 'route', null, () => `No route of the overlay leads to ${destination.text}.`);
      return null;
    }
    const name = inUse(node.peerId, route.destination) ?? route.via[0] ?? '';
    this.#note(node, 'route', { type: 'route', id: route.destination }, () => {
      const others = route.via.filter((one) => one !== name);
      const otherwise = others.length === 0 ? '' : ` (${others.join(', ')} when that path is dead)`;
      return `The route to ${route.destination} goes by ${name}${otherwise}.`;
    });
    return name;
  }

  #leave(node: NodeView, name: string): Answer {
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
    if (node.device(destination) !== undefined) {
      this.#note(node, 'tunnel', object, (nameOf) => {
        return `${name} hands it to ${nameOf({ type: 'user_device', id: tunnel.peer_id })}, once that has called.`;
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
    const { source } = this.#parts.packet;
    const name = tunnel.interface;
    const taken = node.takers(source).find((one) => one.interface === name) ?? node.tunnelTo(name, source);
    if (taken?.public_key === tunnel.public_key) return this.#arrived(node, name);
    this.#note(node, 'tunnel', { type: 'interface', id: name }, () => {
      return `${name} drops it, because this tunnel does not take packets from ${source.text} (AllowedIPs).`;
    });
    return this.#end('no_route', node);
  }

  /** Out of a tunnel, for this node or for another one. */
  #arrived(node: NodeView, from: string): Answer {
    if (node.local(this.#parts.packet.destination) !== undefined) return this.#deliver(node);
    if (!this.#mayForward(node)) return this.#end('no_route', node);
    const name = this.#route(node);
    if (name === null) return this.#end('no_route', node);
    const isRelay = (one: string) => node.interfaces.get(one)?.purpose === 'transit';
    if (isRelay(from) && isRelay(name)) {
      this.#note(node, 'forward', null, () => 'What comes from one hub is not passed on to another.');
      return this.#end('no_route', node);
    }
    if (!isAcceptedForDevices(this.#parts, node)) return this.#end('denied', node);
    return this.#leave(node, name);
  }

  #mayForward(node: NodeView): boolean {
    this.#forwarded++;
    const may = node.forwards && this.#forwarded <= forwardedMax;
    const network = { type: 'network', id: this.#parts.sight.network.network.id } as const;
    this.#note(node, 'forward', network, () =>
      may
        ? 'It forwards between the peers of the network.'
        : 'It is for another node, and this one does not forward.',
    );
    return may;
  }

  #deliver(node: NodeView): Answer {
    const { packet } = this.#parts;
    if (!isAcceptedForDevices(this.#parts, node)) return this.#end('denied', node);
    if (node.local(packet.destination)?.kind === 'probe') {
      this.#note(node, 'ingress', null, () => 'At this address only probes of other agents are answered.');
      return this.#end('denied', node);
    }
    return this.#end(isAccepted(this.#parts, node, 'ingress') ? 'allowed' : 'denied', node);
  }

  #note(node: NodeView, step: StepName, object: Named | null, detail: (nameOf: NameOf) => string): void {
    this.#parts.trail.add({ step, peerId: node.peerId, object }, detail);
  }

  #end(verdict: Verdict, node: NodeView): Answer {
    const { trail, packet } = this.#parts;
    const object = { type: 'peer', id: node.peerId } as const;
    trail.add({ step: 'verdict', peerId: node.peerId, object }, (nameOf) =>
      sentenceOf(verdict, { destination: packet.destination.text, node: nameOf(object) }),
    );
    return trail.end(verdict);
  }
}

type StepName = Parameters<Trail['add']>[0]['step'];

/** null: the tunnel can come about. */
function troubleOf(tunnel: PeerEntry, back: PeerEntry | undefined): string | null {
  if (back === undefined) return 'that has no tunnel back';
  const canCall = tunnel.endpoint !== null || back.endpoint !== null;
  return canCall ? null : 'neither side knows where to call the other';
}

function sentenceOf(verdict: Verdict, at: { readonly destination: string; readonly node: string }): string {
  switch (verdict) {
    case 'allowed':
      return `It reaches ${at.destination}. Answers come back the same way: connections that were let in are remembered.`;
    case 'denied':
      return `It is stopped at ${at.node}.`;
    case 'no_route':
      return `It gets no further than ${at.node}.`;
  }
}
