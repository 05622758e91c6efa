// Who can send what to whom on a network of real hosts: the program in each host, and the markers between them.
// Which packets are sent, and what is said of them: packets.ts.
import type {
  Item,
  PortMappingModel,
  RuleModel,
  Selector,
  UserDeviceModel,
  VirtualIpModel,
} from '@powernode/core/compile/model';
import { uuid } from '@powernode/core/explain/random-network.fixture';
import type { Fleet } from '../../../packages/agent/fixtures/agents.ts';
import type { Endpoint } from './endpoint.ts';
import { type KernelNetwork, underlayOf } from './kernel-network.ts';
import { type Flow, markerPort, type Outcome, type Shot } from './wire.ts';

export const deviceName = 'device';
export const outsideName = 'outside';
export const firstMarkerPort = 7900;

export interface WorldParts {
  readonly fleet: Fleet;
  readonly network: KernelNetwork;
  readonly endpoints: ReadonlyMap<string, Endpoint>;
  readonly device: UserDeviceModel;
  /** Its flows have numbers from here on: kernels remember those of other worlds. */
  readonly firstFlow: number;
}

export class World {
  readonly #parts: WorldParts;
  /** By sender, where the packet goes, and family. */
  readonly #flows = new Map<string, Flow>();

  constructor(parts: WorldParts) {
    this.#parts = parts;
  }

  /** While nothing is drawn yet: what does not arrive now has no way, whatever the rules. */
  async open(): Promise<void> {
    await this.serve();
    this.#addFlows();
    for (const [name, endpoint] of this.#parts.endpoints) {
      const own = [...this.#flows].filter(([key]) => key.startsWith(`${name} `)).map(([, flow]) => flow);
      await endpoint.open(own);
    }
  }

  /** Answers are given wherever addresses are by now. */
  async serve(): Promise<void> {
    const { network, endpoints, device } = this.#parts;
    for (const name of network.names) {
      const peer = network.peerOf(name);
      const held = this.#items('virtual_ip').flatMap((item) =>
        isHeldBy(item, peer.id) ? item.addresses : [],
      );
      await endpoints.get(name)?.serve([...addressesOf(peer), ...held]);
    }
    await endpoints.get(deviceName)?.serve(device.addresses);
  }

  /** Rules for markers. None that is drawn goes before them, for none names less: each has one sender and one port. */
  markerRules(): RuleModel[] {
    const { network, device } = this.#parts;
    const senders: Selector[] = [
      ...network.names.map((name): Selector => ({ kind: 'peer', id: network.peerOf(name).id })),
      { kind: 'user_device', id: device.id },
    ];
    return senders.map((selector, n) => ({
      type: 'firewall_rule',
      id: uuid(6, 1000 + n),
      networkId: network.index.network.id,
      direction: 'both',
      action: 'accept',
      selector,
      destination: { kind: 'all' },
      protocol: 'udp',
      ports: [markerPort, markerPort],
      enabled: true,
    }));
  }

  /** Port mappings for markers: from outside by each hub to each peer. */
  markerMappings(): PortMappingModel[] {
    const { fleet, network } = this.#parts;
    return network.shape.hubs.flatMap((hub) =>
      network.names.flatMap((target, t) =>
        this.#families().map(
          (family): PortMappingModel => ({
            type: 'port_mapping',
            id: uuid(8, 1000 + network.names.indexOf(hub) * 100 + t * 10 + family),
            networkId: network.index.network.id,
            hubPeerId: network.peerOf(hub).id,
            externalAddress: underlayOf(fleet, hub)[`ipv${family}`],
            externalPort: firstMarkerPort + t,
            protocol: 'udp',
            target: { kind: 'peer', id: network.peerOf(target).id },
            targetPort: markerPort,
            sourceCidrs: [],
            rateLimit: null,
            maxConnections: null,
          }),
        ),
      ),
    );
  }

  /** The markers of a path; undefined: nobody sends there. */
  flow(path: {
    readonly sender: string;
    readonly towards: string;
    readonly family: 6 | 4;
  }): Flow | undefined {
    return this.#flows.get(`${path.sender} ${path.towards} ${path.family}`);
  }

  /** Where connections have been open from the beginning. */
  connections(): Flow[] {
    return [...this.#flows.values()].filter(({ port }) => port === markerPort);
  }

  /** What became of a packet on each connection, by the number of its flow. */
  async ask(): Promise<Map<number, Outcome>> {
    const outcomes = await Promise.all(Array.from(this.#parts.endpoints.values(), (one) => one.ask()));
    return new Map(outcomes.flat().map((outcome) => [outcome.id, outcome]));
  }

  /** What became of each packet, by its number. */
  async send(
    cases: readonly { readonly sender: string; readonly shot: Shot }[],
  ): Promise<Map<number, Outcome>> {
    const outcomes = new Map<number, Outcome>();
    const bySender = Map.groupBy(cases, ({ sender }) => sender);
    await Promise.all(
      Array.from(bySender, async ([sender, own]) => {
        const endpoint = this.#parts.endpoints.get(sender);
        for (const outcome of (await endpoint?.send(own.map(({ shot }) => shot))) ?? [])
          outcomes.set(outcome.id, outcome);
      }),
    );
    return outcomes;
  }

  #families(): (6 | 4)[] {
    return this.#parts.network.shape.ipv4Prefix === null ? [6] : [6, 4];
  }

  #addFlows(): void {
    const { fleet, network, device } = this.#parts;
    const inside = [
      ...network.names.map((name) => ({ name, addresses: addressesOf(network.peerOf(name)) })),
      { name: deviceName, addresses: device.addresses },
    ];
    for (const from of inside) {
      for (const to of inside) {
        if (from === to) continue;
        for (const [i, source] of from.addresses.entries()) {
          this.#addFlow(`${from.name} ${to.name} ${familyOf(source)}`, {
            source,
            destination: to.addresses[i] ?? '',
            port: markerPort,
          });
        }
      }
    }
    for (const hub of network.shape.hubs) {
      for (const [t, target] of network.names.entries()) {
        for (const family of this.#families()) {
          this.#addFlow(`${outsideName} ${hub}/${target} ${family}`, {
            source: underlayOf(fleet, outsideName)[`ipv${family}`],
            destination: underlayOf(fleet, hub)[`ipv${family}`],
            port: firstMarkerPort + t,
          });
        }
      }
    }
  }

  #addFlow(key: string, flow: Omit<Flow, 'id'>): void {
    this.#flows.set(key, { id: this.#parts.firstFlow + this.#flows.size, ...flow });
  }

  #items<T extends Item['type']>(type: T): Extract<Item, { type: T }>[] {
    return [...this.#parts.network.index.items()].filter(
      (item): item is Extract<Item, { type: T }> => item.type === type,
    );
  }
}

function isHeldBy(item: VirtualIpModel, peerId: string): boolean {
  return item.anycast ? item.candidates.includes(peerId) : item.holder === peerId;
}

export function addressesOf(peer: {
  readonly hostAddress: string;
  readonly ipv4Address: string | null;
}): string[] {
  return peer.ipv4Address === null ? [peer.hostAddress] : [peer.hostAddress, peer.ipv4Address];
}

export function familyOf(address: string): 6 | 4 {
  return address.includes(':') ? 6 : 4;
}
