// Why one side reaches another, or not: a packet followed through what the nodes are given, each object named that
// decides. That real kernels agree is tested in suites/e2e.
import { contains, parsePrefix } from '../net/prefix.ts';
import type { PortMappingEntry } from '../wire/document.ts';
import { type Asked, type End, endsOf, isDevice, namedOwner } from './ends.ts';
import type { NodeView } from './node-view.ts';
import type { Spot } from './prefix-map.ts';
import { isPeer, type Sight } from './sight.ts';
import { type Answer, type NameOf, type Packet, Trail } from './trail.ts';
import { type InUse, Walk } from './walk.ts';

export interface Question {
  readonly source: Asked;
  readonly destination: Asked;
  readonly protocol: Packet['protocol'];
  /** null: of no port, or of any that no rule names. */
  readonly port: number | null;
}

export interface ExplainParts {
  readonly sight: Sight;
  /** null: nobody will read the steps. */
  readonly nameOf: NameOf | null;
  /** What nodes have chosen by themselves, where it is known. */
  readonly inUse?: InUse;
}

export function explain(parts: ExplainParts, question: Question): Answer {
  return new Explanation(parts, question).answer();
}

class Explanation {
  readonly #sight: Sight;
  readonly #inUse: InUse;
  readonly #question: Question;
  readonly #trail: Trail;

  constructor({ sight, nameOf, inUse }: ExplainParts, question: Question) {
    this.#sight = sight;
    this.#inUse = inUse ?? (() => null);
    this.#question = question;
    this.#trail = new Trail(nameOf);
  }

  answer(): Answer {
    const trail = this.#trail;
    const ends = endsOf(this.#sight, this.#question);
    if ('detail' in ends) {
      trail.add({ step: ends.step, peerId: null, object: ends.object }, ends.detail);
      return trail.end('no_route');
    }
    const { source, destination } = ends;
    if (source.owner === null) {
      return this.#sight.isInside(source.spot)
        ? this.#stop(
            'source',
            `${source.spot.text} does not belong to any member of the network, so no packets come from it.`,
          )
        : this.#fromOutside(source.spot, destination);
    }
    if (!this.#sight.isInside(destination.spot)) return this.#towardsOutside(destination.spot);
    if (destination.owner === null && !this.#sight.isProbeAddress(destination.spot)) {
      return this.#stop(
        'destination',
        `${destination.spot.text} does not belong to any member of the network.`,
      );
    }
    return this.#inside(source, destination);
  }

  #inside(source: End, destination: End): Answer {
    const { owner } = source;
    const peerId = owner === null ? null : this.#nodeOf(owner);
    const node = peerId === null ? null : this.#sight.node(peerId);
    if (owner === null || node === null) return this.#stop('source', 'No peer sends from this address now.');
    this.#trail.add({ step: 'source', peerId, object: namedOwner(owner) }, (nameOf) => {
      const at = nameOf({ type: 'peer', id: node.peerId });
      const name = nameOf(namedOwner(owner));
      return isPeer(owner)
        ? `${name} sends from ${source.spot.text}.`
        : `${name} sends from ${source.spot.text}, by ${at}.`;
    });
    this.#sayDestination(destination);
    const walk = this.#walk({
      source: source.spot,
      destination: destination.spot,
      port: this.#question.port,
    });
    return isDevice(owner) ? walk.beginAtDevice(node, owner) : walk.begin(node);
  }

  /** The node where the packets of an owner enter the network; null: at none. */
  #nodeOf(owner: NonNullable<End['owner']>): string | null {
    if (isPeer(owner)) return owner.id;
    return owner.type === 'user_device' ? owner.hubPeerId : (this.#sight.holders(owner)[0] ?? null);
  }

  #sayDestination({ spot, owner }: End): void {
    if (owner === null) return;
    const object = namedOwner(owner);
    const peerId = this.#nodeOf(owner);
    this.#trail.add({ step: 'destination', peerId, object }, (nameOf) => {
      const name = `${spot.text} is ${nameOf(object)}`;
      if (isPeer(owner)) return `${name}.`;
      if (peerId === null) return `${name}, which no peer holds now.`;
      const at = nameOf({ type: 'peer', id: peerId });
      if (owner.type === 'user_device') return `${name}, a device of the hub ${at}.`;
      return owner.anycast ? `${name}, an anycast address of several peers.` : `${name}, held by ${at}.`;
    });
  }

  #towardsOutside(spot: Spot): Answer {
    const door = this.#doorsAt(spot).next().value;
    const object = door === undefined ? null : ({ type: 'port_mapping', id: door.id } as const);
    this.#trail.add({ step: 'destination', peerId: null, object }, (nameOf) => {
      const hint =
        object === null
          ? ''
          : ` The port mapping ${nameOf(object)} serves clients outside the overlay; for clients inside, check its target.`;
      return `${spot.text} is outside the overlay, which does not route to it.${hint}`;
    });
    return this.#trail.end('no_route');
  }

  #fromOutside(source: Spot, destination: End): Answer {
    if (this.#sight.isInside(destination.spot)) {
      this.#sayDestination(destination);
      return this.#stop(
        'source',
        `${source.text} is outside the overlay; only port mappings admit traffic from there.`,
      );
    }
    const { protocol, port } = this.#question;
    for (const mapping of this.#doorsAt(destination.spot)) {
      if (mapping.protocol !== protocol || mapping.externalPort !== port) continue;
      return this.#throughDoor(source, mapping.id, mapping.hubPeerId);
    }
    const which = port === null ? protocol : `${protocol} port ${port}`;
    return this.#stop('mapping', `No port mapping of the network is at ${destination.spot.text}, ${which}.`);
  }

  #throughDoor(source: Spot, mappingId: string, hubPeerId: string): Answer {
    const object = { type: 'port_mapping', id: mappingId } as const;
    const node = this.#sight.node(hubPeerId);
    const door = node?.doors.find((one) => one.port_mapping_id === mappingId);
    if (node === null || door === undefined) {
      this.#trail.add({ step: 'mapping', peerId: null, object }, (nameOf) => {
        return `The port mapping ${nameOf(object)} has no effect: its hub or its target was deleted.`;
      });
      return this.#trail.end('no_route');
    }
    if (!letsIn(door, source)) {
      this.#trail.add({ step: 'mapping', peerId: hubPeerId, object }, (nameOf) => {
        return `The port mapping ${nameOf(object)} is open to ${door.source_cidrs.join(', ')} only.`;
      });
      return this.#trail.end('denied');
    }
    return this.#beyondDoor(node, door);
  }

  #beyondDoor(node: NodeView, door: PortMappingEntry): Answer {
    const object = { type: 'port_mapping', id: door.port_mapping_id } as const;
    const destination = this.#sight.spot(door.target_address);
    const source = this.#sight.spot(door.source_address);
    if (destination === null || source === null)
      throw new Error(`door ${door.port_mapping_id} has a wrong address`);
    this.#trail.add({ step: 'mapping', peerId: node.peerId, object }, (nameOf) => {
      const limits = [
        ...(door.rate_limit === null ? [] : [`at most ${door.rate_limit} new connections per second`]),
        ...(door.max_connections === null ? [] : [`at most ${door.max_connections} connections`]),
      ];
      const within = limits.length === 0 ? '' : ` (${limits.join(', ')})`;
      return `The port mapping ${nameOf(object)} forwards it to ${door.target_address} port ${door.target_port}, from ${door.source_address}${within}.`;
    });
    this.#sayDestination({ spot: destination, owner: this.#sight.owner(destination) ?? null });
    return this.#walk({ source, destination, port: door.target_port }).beginAtDoor(node);
  }

  *#doorsAt(spot: Spot) {
    for (const item of this.#sight.network.items()) {
      if (item.type === 'port_mapping' && item.externalAddress === spot.text) yield item;
    }
  }

  #walk(packet: Omit<Packet, 'protocol'>): Walk {
    const { protocol } = this.#question;
    return new Walk({
      sight: this.#sight,
      packet: { ...packet, protocol },
      trail: this.#trail,
      inUse: this.#inUse,
    });
  }

  #stop(step: 'source' | 'destination' | 'mapping', detail: string): Answer {
    this.#trail.add({ step, peerId: null, object: null }, () => detail);
    return this.#trail.end('no_route');
  }
}

function letsIn(door: PortMappingEntry, source: Spot): boolean {
  if (door.source_cidrs.length === 0) return true;
  return door.source_cidrs.some((text) => {
    const prefix = parsePrefix(text);
    return prefix !== null && contains(prefix, source);
  });
}
