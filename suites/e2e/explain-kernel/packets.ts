// Packets drawn at random for a network of real hosts, each with what the explanation says of it.
import type { Item, PortMappingModel, VirtualIpModel } from '@powernode/core/compile/model';
import { NetworkSnapshot } from '@powernode/core/explain/network-snapshot';
import type { Dice } from '@powernode/core/explain/random-network.fixture';
import { explain } from '@powernode/core/explain/reachability';
import type { Answer } from '@powernode/core/explain/trace';
import { probeAddressVia } from '@powernode/core/net/probe-address';
import { underlayOf } from './kernel-network.ts';
import { connectionPort, type Flow, type Outcome, type Shot, servedPorts } from './wire.ts';
import {
  addressesOf,
  deviceName,
  familyOf,
  firstMarkerPort,
  outsideName,
  type World,
  type WorldParts,
} from './world.ts';

/** A packet, who sends it, and what is said of it beforehand. */
export interface Case {
  readonly shot: Shot;
  readonly sender: string;
  readonly answer: Answer;
  readonly expected: Outcome['outcome'];
}

interface Place {
  /** null: nobody's. */
  readonly at: string | null;
  readonly address: string;
  readonly isAnycast: boolean;
}

export class Packets {
  readonly #world: World;
  readonly #parts: Pick<WorldParts, 'fleet' | 'network' | 'device'>;
  #shots = 0;

  constructor(world: World, parts: Pick<WorldParts, 'fleet' | 'network' | 'device'>) {
    this.#world = world;
    this.#parts = parts;
  }

  draw(dice: Dice): Case {
    const drawn = dice.share(0.15) ? this.#drawFromOutside(dice) : this.#drawInside(dice);
    return drawn ?? this.draw(dice);
  }

  /** The same packet once more, from a port of its own. */
  again(one: Case): Case {
    return { ...one, shot: { ...one.shot, id: ++this.#shots } };
  }

  /** What is said of a packet that would begin the connection now. */
  ofConnection({ source, destination }: Flow): Answer {
    return this.#explain({ source, destination, protocol: 'udp', port: connectionPort });
  }

  #families(): (6 | 4)[] {
    return this.#parts.network.shape.ipv4Prefix === null ? [6] : [6, 4];
  }

  #items<T extends Item['type']>(type: T): Extract<Item, { type: T }>[] {
    return [...this.#parts.network.index.items()].filter(
      (item): item is Extract<Item, { type: T }> => item.type === type,
    );
  }

  #drawInside(dice: Dice): Case | null {
    const family = dice.one(this.#families());
    const source = dice.one(this.#owners(family).filter(({ isAnycast }) => !isAnycast));
    const destination = this.#drawDestination(dice, family);
    if (source.at === null || source.at === destination.at) return null;
    const { hubs } = this.#parts.network.shape;
    const towards = destination.at ?? hubs.find((hub) => hub !== source.at) ?? '';
    const flow = this.#world.flow({ sender: source.at, towards, family });
    if (flow === undefined) return null;
    return this.#case(dice, {
      sender: source.at,
      source: source.address,
      destination: destination.address,
      flow,
    });
  }

  /** Mostly somebody's address; now and then nobody's, or one that is for probes. */
  #drawDestination(dice: Dice, family: 6 | 4): Place {
    const { network } = this.#parts;
    if (dice.share(0.03))
      return { at: null, address: network.addresses(222)[family === 6 ? 0 : 1] ?? '', isAnycast: false };
    const { at, address, isAnycast } = dice.one(this.#owners(family));
    const slot = at === null ? null : network.names.includes(at) ? network.peerOf(at).hubSlot : null;
    if (family === 4 || slot === null || dice.share(0.95)) return { at, address, isAnycast };
    return { at, address: probeAddressVia(network.peerOf(at ?? '').hostAddress, slot), isAnycast };
  }

  #owners(family: 6 | 4): Place[] {
    const { network, device } = this.#parts;
    const of = (addresses: readonly string[]) => addresses.find((one) => familyOf(one) === family) ?? '';
    const at = (
      name: string | null,
      addresses: readonly string[],
      { anycast: isAnycast } = { anycast: false },
    ) => ({
      at: name,
      address: of(addresses),
      isAnycast,
    });
    return [
      ...network.names.map((name) => at(name, addressesOf(network.peerOf(name)))),
      at(deviceName, device.addresses),
      ...this.#items('virtual_ip').map((item) => at(this.#holderOf(item), item.addresses, item)),
    ];
  }

  #drawFromOutside(dice: Dice): Case | null {
    const { fleet, network } = this.#parts;
    const family = dice.one(this.#families());
    if (dice.share(0.1)) return this.#drawStranger(dice, family);
    const hub = dice.one(network.shape.hubs);
    const destination = underlayOf(fleet, hub)[`ipv${family}`];
    const mappings = this.#items('port_mapping').filter(
      (mapping) => mapping.externalAddress === destination && mapping.externalPort < firstMarkerPort,
    );
    const mapping = dice.share(0.85) && mappings.length > 0 ? dice.one(mappings) : null;
    const target = mapping === null ? hub : this.#targetOf(mapping);
    const flow = this.#world.flow({ sender: outsideName, towards: `${hub}/${target ?? hub}`, family });
    if (flow === undefined) return null;
    const source = underlayOf(fleet, outsideName)[`ipv${family}`];
    const at = { sender: outsideName, source, destination, flow };
    if (mapping === null) return this.#case(dice, { ...at, protocol: dice.pick('tcp', 'udp'), port: 7777 });
    return this.#case(dice, { ...at, protocol: mapping.protocol, port: mapping.externalPort });
  }

  /** From outside to an address inside, as if the first hub were a router. */
  #drawStranger(dice: Dice, family: 6 | 4): Case | null {
    const { fleet, network } = this.#parts;
    const destination = dice.one(this.#owners(family));
    const [hub = ''] = network.shape.hubs;
    const flow = this.#world.flow({
      sender: outsideName,
      towards: `${hub}/${destination.at ?? hub}`,
      family,
    });
    if (flow === undefined) return null;
    const source = underlayOf(fleet, outsideName)[`ipv${family}`];
    return this.#case(dice, { sender: outsideName, source, destination: destination.address, flow });
  }

  #holderOf(item: VirtualIpModel): string | null {
    const holder = item.anycast ? (item.candidates[0] ?? null) : item.holder;
    return holder === null ? null : this.#parts.network.nameOf(holder);
  }

  #targetOf({ target }: PortMappingModel): string | null {
    if (target.kind === 'peer') return this.#parts.network.nameOf(target.id);
    const item = this.#parts.network.index.item(target.id);
    return item?.type === 'virtual_ip' ? this.#holderOf(item) : null;
  }

  #case(
    dice: Dice,
    drawn: {
      readonly sender: string;
      readonly source: string;
      readonly destination: string;
      readonly flow: Flow;
      readonly protocol?: Shot['protocol'];
      readonly port?: number;
    },
  ): Case {
    const protocol = drawn.protocol ?? dice.pick('tcp', 'tcp', 'udp', 'udp', 'icmp6');
    const port = protocol === 'icmp6' ? 0 : (drawn.port ?? dice.one(servedPorts));
    const { source, destination, sender, flow } = drawn;
    const answer = this.#explain({ source, destination, protocol, port });
    return {
      shot: { id: ++this.#shots, source, destination, protocol, port, flow: flow.id },
      sender,
      answer,
      expected: this.#expected(answer),
    };
  }

  #explain({
    source,
    destination,
    protocol,
    port,
  }: Pick<Shot, 'source' | 'destination' | 'protocol' | 'port'>): Answer {
    const snapshot = new NetworkSnapshot(this.#parts.network.index);
    return explain(
      {
        snapshot,
        nameOf: ({ type, id }) => `${type} ${type === 'peer' ? this.#parts.network.nameOf(id) : id}`,
      },
      {
        source: { kind: 'address', address: source },
        destination: { kind: 'address', address: destination },
        protocol,
        port: port === 0 ? null : port,
      },
    );
  }

  /** A rule that rejects tells the sender; everything else that does not let a packet through is silent. */
  #expected({ verdict, because }: Answer): Outcome['outcome'] {
    if (verdict === 'allowed') return 'arrived';
    const decider = because.findLast(({ object }) => object?.type === 'firewall_rule')?.object?.id ?? '';
    const rule = verdict === 'denied' ? this.#parts.network.index.item(decider) : undefined;
    const last = because.findLast(({ step }) => step === 'egress' || step === 'ingress');
    const decides = rule?.type === 'firewall_rule' && last?.object?.id === decider;
    return decides && rule.action === 'reject' ? 'refused' : 'silent';
  }
}
