// Why one side reaches another, or not: a packet traced through the documents of the nodes, with each object that
// decides. That real kernels agree is tested in suites/e2e.
import { contains, parsePrefix } from '../net/prefix.ts';
import type { PortMappingEntry } from '../wire/document.ts';
import { sendingHolder } from './anycast-path.ts';
import { type End, endAt, endsOf, isDevice, type QuestionEnd, refOf } from './ends.ts';
import { type InUse, inFront, lanAt, outOfLan } from './lan-path.ts';
import { isPeer, type NetworkSnapshot } from './network-snapshot.ts';
import type { NodeView } from './node-view.ts';
import { PacketTracer } from './packet-tracer.ts';
import type { ParsedAddress } from './prefix-map.ts';
import { type Answer, type NameOf, type Packet, Trace } from './trace.ts';

export interface Question {
  readonly source: QuestionEnd;
  readonly destination: QuestionEnd;
  readonly protocol: Packet['protocol'];
  /** null: no port, or any port that no rule matches. */
  readonly port: number | null;
}

export interface ExplainParts {
  readonly snapshot: NetworkSnapshot;
  /** null: the steps are not wanted. */
  readonly nameOf: NameOf | null;
  /** Which interfaces nodes have chosen, where it is known. */
  readonly inUse?: InUse;
}

export function explain(parts: ExplainParts, question: Question): Answer {
  return new Explanation(parts, question).answer();
}

class Explanation {
  readonly #snapshot: NetworkSnapshot;
  readonly #inUse: InUse;
  readonly #question: Question;
  readonly #trace: Trace;

  constructor({ snapshot, nameOf, inUse }: ExplainParts, question: Question) {
    this.#snapshot = snapshot;
    this.#inUse = inUse ?? (() => null);
    this.#question = question;
    this.#trace = new Trace(nameOf);
  }

  answer(): Answer {
    const trace = this.#trace;
    const ends = endsOf(this.#snapshot, this.#question);
    if ('detail' in ends) {
      trace.add({ step: ends.step, peerId: null, object: ends.object }, ends.detail);
      return trace.end('no_route');
    }
    const { source, destination } = ends;
    if (source.owner === null && source.subnets.length === 0) {
      return this.#snapshot.isInside(source.address)
        ? this.#stop(
            'source',
            `${source.address.text} does not belong to any member of the network, so no packets come from it.`,
          )
        : this.#fromOutside(source.address, destination);
    }
    if (!this.#isRouted(destination)) return this.#towardsOutside(destination.address);
    if (
      destination.owner === null &&
      destination.subnets.length === 0 &&
      !this.#snapshot.isProbeAddress(destination.address)
    ) {
      return this.#stop(
        'destination',
        `${destination.address.text} does not belong to any member of the network.`,
      );
    }
    return source.owner === null ? this.#fromLan(source, destination) : this.#inside(source, destination);
  }

  #isRouted({ address, subnets }: End): boolean {
    return subnets.length > 0 || this.#snapshot.isInside(address);
  }

  #inside(source: End, destination: End): Answer {
    const { owner } = source;
    const peerId = owner === null ? null : this.#nodeOf(owner);
    const node = peerId === null ? null : this.#snapshot.node(peerId);
    if (owner === null || node === null) return this.#stop('source', 'No peer sends from this address now.');
    this.#trace.add({ step: 'source', peerId, object: refOf(owner) }, (nameOf) => {
      const at = nameOf({ type: 'peer', id: node.peerId });
      const name = nameOf(refOf(owner));
      return isPeer(owner)
        ? `${name} sends from ${source.address.text}.`
        : `${name} sends from ${source.address.text}, by ${at}.`;
    });
    this.#sayDestination(destination);
    const tracer = this.#tracer({
      source: source.address,
      destination: destination.address,
      port: this.#question.port,
    });
    return isDevice(owner) ? tracer.traceFromDevice(node, owner) : tracer.traceFrom(node);
  }

  /** By the preferred peer in front of the LAN. */
  #fromLan({ address, subnets }: End, destination: End): Answer {
    const [subnet] = subnets;
    const node = subnet === undefined ? null : this.#snapshot.node(subnet.peerId);
    const lan = node === null ? undefined : lanAt(node, address);
    if (subnet === undefined || node === null || lan === undefined) {
      return this.#stop('source', 'No peer forwards from this address now.');
    }
    const object = { type: 'subnet_advertisement', id: subnet.id } as const;
    this.#trace.add({ step: 'source', peerId: node.peerId, object }, (nameOf) =>
      outOfLan(lan, address, {
        peer: nameOf({ type: 'peer', id: node.peerId }),
        isForPods: node.isForPods(lan),
      }),
    );
    this.#sayDestination(destination);
    const { port } = this.#question;
    return this.#tracer({ source: address, destination: destination.address, port }).traceFromLan(node, lan);
  }

  /** The node where the packets of an owner enter the network; null: at none. */
  #nodeOf(owner: NonNullable<End['owner']>): string | null {
    if (isPeer(owner)) return owner.id;
    if (owner.type === 'user_device') return owner.hubPeerId;
    return sendingHolder(this.#snapshot, owner.id, this.#snapshot.holders(owner)) ?? null;
  }

  #sayDestination({ address, owner, subnets }: End): void {
    if (owner === null) {
      this.#saySubnet(address, subnets);
      return;
    }
    const object = refOf(owner);
    const peerId = this.#nodeOf(owner);
    this.#trace.add({ step: 'destination', peerId, object }, (nameOf) => {
      const name = `${address.text} is ${nameOf(object)}`;
      if (isPeer(owner)) return `${name}.`;
      if (peerId === null) return `${name}, which no peer holds now.`;
      const at = nameOf({ type: 'peer', id: peerId });
      if (owner.type === 'user_device') return `${name}, a device of the hub ${at}.`;
      return owner.anycast ? `${name}, an anycast address of several peers.` : `${name}, held by ${at}.`;
    });
    if (!isPeer(owner) && owner.type === 'virtual_ip') this.#sayWithdrawn(owner.id);
  }

  #sayWithdrawn(virtualIpId: string): void {
    for (const [peerId, reason] of this.#snapshot.withdrawnBy(virtualIpId)) {
      const object = { type: 'peer', id: peerId } as const;
      this.#trace.add({ step: 'destination', peerId, object }, (nameOf) => {
        return `${nameOf(object)} is left out, because its health check fails: ${reason}.`;
      });
    }
  }

  #saySubnet(address: ParsedAddress, subnets: End['subnets']): void {
    const [subnet] = subnets;
    if (subnet === undefined) return;
    const object = { type: 'subnet_advertisement', id: subnet.id } as const;
    const peerIds = subnets.map(({ peerId }) => peerId);
    this.#trace.add({ step: 'destination', peerId: subnet.peerId, object }, (nameOf) => {
      return `${address.text} is in ${subnet.prefix}, behind ${inFront(peerIds, nameOf)}.`;
    });
  }

  #towardsOutside(address: ParsedAddress): Answer {
    const portForward = this.#mappingsAt(address).next().value;
    const object = portForward === undefined ? null : ({ type: 'port_mapping', id: portForward.id } as const);
    this.#trace.add({ step: 'destination', peerId: null, object }, (nameOf) => {
      const hint =
        object === null
          ? ''
          : ` The port mapping ${nameOf(object)} serves clients outside the overlay; for clients inside, check its target.`;
      return `${address.text} is outside the overlay, which does not route to it.${hint}`;
    });
    return this.#trace.end('no_route');
  }

  #fromOutside(source: ParsedAddress, destination: End): Answer {
    const isMapped = this.#mappingsAt(destination.address).next().done !== true;
    if (this.#isRouted(destination) && !isMapped) {
      this.#sayDestination(destination);
      return this.#stop(
        'source',
        `${source.text} is outside the overlay; only port mappings admit traffic from there.`,
      );
    }
    const { protocol, port } = this.#question;
    for (const mapping of this.#mappingsAt(destination.address)) {
      if (mapping.protocol !== protocol || mapping.externalPort !== port) continue;
      return this.#throughPortForward(source, mapping.id, mapping.hubPeerId);
    }
    const which = port === null ? protocol : `${protocol} port ${port}`;
    return this.#stop(
      'mapping',
      `No port mapping of the network is at ${destination.address.text}, ${which}.`,
    );
  }

  #throughPortForward(source: ParsedAddress, mappingId: string, hubPeerId: string): Answer {
    const object = { type: 'port_mapping', id: mappingId } as const;
    const node = this.#snapshot.node(hubPeerId);
    const portForward = node?.portForwards.find((one) => one.port_mapping_id === mappingId);
    if (node === null || portForward === undefined) {
      this.#trace.add({ step: 'mapping', peerId: null, object }, (nameOf) => {
        return `The port mapping ${nameOf(object)} has no effect: its hub or its target was deleted.`;
      });
      return this.#trace.end('no_route');
    }
    if (!admits(portForward, source)) {
      this.#trace.add({ step: 'mapping', peerId: hubPeerId, object }, (nameOf) => {
        return `The port mapping ${nameOf(object)} is open to ${portForward.source_cidrs.join(', ')} only.`;
      });
      return this.#trace.end('denied');
    }
    return this.#behindPortForward(node, portForward);
  }

  #behindPortForward(node: NodeView, portForward: PortMappingEntry): Answer {
    const object = { type: 'port_mapping', id: portForward.port_mapping_id } as const;
    const destination = this.#snapshot.address(portForward.target_address);
    const source = this.#snapshot.address(portForward.source_address);
    if (destination === null || source === null)
      throw new Error(`port forward ${portForward.port_mapping_id} has a wrong address`);
    this.#trace.add({ step: 'mapping', peerId: node.peerId, object }, (nameOf) => {
      const limits = [
        ...(portForward.rate_limit === null
          ? []
          : [`at most ${portForward.rate_limit} new connections per second`]),
        ...(portForward.max_connections === null
          ? []
          : [`at most ${portForward.max_connections} connections`]),
      ];
      const within = limits.length === 0 ? '' : ` (${limits.join(', ')})`;
      return `The port mapping ${nameOf(object)} forwards it to ${portForward.target_address} port ${portForward.target_port}, from ${portForward.source_address}${within}.`;
    });
    this.#sayDestination(endAt(this.#snapshot, destination));
    return this.#tracer({ source, destination, port: portForward.target_port }).traceFromPortForward(node);
  }

  *#mappingsAt(address: ParsedAddress) {
    for (const item of this.#snapshot.network.items()) {
      if (item.type === 'port_mapping' && item.externalAddress === address.text) yield item;
    }
  }

  #tracer(packet: Omit<Packet, 'protocol'>): PacketTracer {
    const { protocol } = this.#question;
    return new PacketTracer({
      snapshot: this.#snapshot,
      packet: { ...packet, protocol },
      trace: this.#trace,
      inUse: this.#inUse,
    });
  }

  #stop(step: 'source' | 'destination' | 'mapping', detail: string): Answer {
    this.#trace.add({ step, peerId: null, object: null }, () => detail);
    return this.#trace.end('no_route');
  }
}

function admits(portForward: PortMappingEntry, source: ParsedAddress): boolean {
  if (portForward.source_cidrs.length === 0) return true;
  return portForward.source_cidrs.some((text) => {
    const prefix = parsePrefix(text);
    return prefix !== null && contains(prefix, source);
  });
}
